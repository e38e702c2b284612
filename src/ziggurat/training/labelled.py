"""Trains networks that tell which label a text has: `ziggurat.training.gradient` on whole texts."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Event
from ziggurat.training import gradient
from ziggurat.training.job import Fitted, Job, Labels
from ziggurat.training.objectives.labels import LabelledTexts, labels_of

__all__ = ["Config", "fit"]

PER = "text"
"""What the loss is a mean over, which no reader of events may take for that of all tokens."""


@dataclass(frozen=True)
class Config(gradient.Config):
    """The ``[training]`` keys of networks that tell labels."""

    rows: int = option(32, "texts in a batch", low=1)
    window: int = option(512, "tokens of a text that are read in training: of longer ones the beginning", low=2)
    learning_rate: float = option(1e-3, "peak learning rate", low=0.0)
    label_smoothing: float = option(
        0.0, "part of each label's probability that is spread over all labels", low=0.0, high=0.9
    )
    class_weights: bool = option(False, "whether all labels count the same, however many texts have each")


def fit(job: Job) -> Fitted:
    """Train a classifier on the job's labels, as `ziggurat.training.gradient.run` says.

    Where the model's configuration names no labels, the model has those of the text.

    Raises:
        UsageError: the texts have no labels, or others than the model.
        TooLittleTextError: there is no text.
    """
    config: Config = job.config
    labels = labels_of(job)

    def tell(event: Event) -> None:
        job.listener({**event, "per": PER} if event["event"] in ("step", "eval") else event)

    fitted = gradient.run(
        replace(job, listener=tell, model_config=_named(job.model_config, labels)),
        lambda job, model: LabelledTexts(
            job, model, window=config.window, smoothing=config.label_smoothing, weighted=config.class_weights
        ),
    )
    return replace(fitted, facts={**fitted.facts, **_commonest(labels)})


def _named(config: Any, labels: Labels) -> Any:
    """Return the model's configuration with the labels of the text.

    Raises:
        UsageError: it has others.
    """
    if config.labels and config.labels != labels.names:
        raise UsageError(
            f"labels: [model] names {', '.join(config.labels)} and the text has {', '.join(labels.names)}; leave it out"
        )
    return replace(config, labels=labels.names)


def _commonest(labels: Labels) -> dict[str, Any]:
    """Return the label that most training texts have, and what part of them: the guess of who reads nothing."""
    found = np.bincount(labels.train, minlength=len(labels.names))
    return {
        "most_frequent_label": labels.names[int(found.argmax())],
        "most_frequent_part": float(found.max() / found.sum()),
    }
