"""Held-out loss of the objective, as the trainer measures it on the dev split with draws that are always the same."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.core.errors import UsageError
from ziggurat.core.seeding import generator
from ziggurat.study.yardstick import resampled_ratio

__all__ = ["YARDSTICK", "HeldOutLoss", "LossYardstick"]

Array = npt.NDArray[np.float64]


class HeldOutLoss:
    """The loss over parts of the dev split.

    *Idea.* The trainer's facts hold nats and predictions of every part (``dev_parts``), or else the mean alone
    (``dev_loss``); then only seeds tell how far chance goes.
    """

    label = "held-out loss"
    questions = 1
    key: ClassVar[Any] = []

    def answers(self, bundle: Bundle) -> list[list[float]]:
        """Return nats and predictions of each part of the dev split."""
        facts = bundle.manifest.training
        if "dev_loss" not in facts:
            raise UsageError(
                f"--task loss: recipe {bundle.manifest.recipe.get('name', '')} measures no held-out loss; "
                "give another --task, for example analogies=FILE"
            )
        parts = facts.get("dev_parts") or [[facts["dev_loss"], 1.0]]
        return [[float(nats) for nats, _ in parts], [float(count) for _, count in parts]]

    def figures(self, answers: Array) -> Array:
        """Return nats for each prediction."""
        return np.asarray(answers[:, 0].sum(axis=1) / answers[:, 1].sum(axis=1))

    def resampled(self, answers: Array, *, seed: int, resamples: int) -> Array:
        """Return the loss over parts drawn with replacement."""
        if answers.shape[2] == 1:
            return self.figures(answers)[:, None]
        return resampled_ratio(answers[:, 0], answers[:, 1], draw=generator(seed, "loss"), resamples=resamples)


class LossYardstick:
    """Measures by what training minimises."""

    file: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = False
    quantity: ClassVar[str] = "quantity_loss"

    def open(self, file: str) -> HeldOutLoss:  # noqa: ARG002 - every yardstick is opened alike
        """Return the measure; it has no questions of its own."""
        return HeldOutLoss()


YARDSTICK = LossYardstick()
