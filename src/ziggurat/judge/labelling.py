"""How often labels are right: accuracy with its interval, beside that of always saying the commonest label."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import UsageError
from ziggurat.judge.significance import paired, ratio_interval

__all__ = ["labelling_figures"]


def labelling_figures(gold: Sequence[str], said: Mapping[str, Sequence[str]], *, seed: int) -> dict[str, Any]:
    """Return what is known of several ways (``said``) to label the same texts, whose labels are ``gold``.

    *Maths.* The accuracy is the part of texts whose label is right, with its percentile bootstrap interval over texts;
    the ``majority`` is the part with the commonest label. With two ways, and at least two texts, ``difference`` is the
    accuracy of the second less that of the first, text by text, with its paired test and the smallest difference that
    so many texts show (`ziggurat.judge.significance.paired`).

    Raises:
        UsageError: the numbers of labels differ.
        TooLittleTextError: there are no texts.
    """
    right = {name: _right(gold, labels) for name, labels in said.items()}
    every = np.ones(len(gold))
    found: dict[str, Any] = {"texts": len(gold)}
    for name, values in right.items():
        found[name] = _figures(values, every, seed)
    if len(right) == 2 and len(gold) > 1:
        first, second = right.values()
        told = asdict(paired(second - first, every, seed=seed))
        found["difference"] = {key: told[key] for key in ("value", "low", "high", "p_value", "smallest_detectable")}
    label, count = Counter(gold).most_common(1)[0]
    return {**found, "majority": {"label": label, "accuracy": count / len(gold)}}


def _right(gold: Sequence[str], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    if len(gold) != len(labels):
        raise UsageError(f"{len(labels)} labels for {len(gold)} texts: they can't be compared")
    return np.array([one == other for one, other in zip(gold, labels, strict=True)], dtype=np.float64)


def _figures(values: npt.NDArray[np.float64], every: npt.NDArray[np.float64], seed: int) -> dict[str, float]:
    interval = ratio_interval(values, every, seed=seed)
    return {"accuracy": interval.value, "low": interval.low, "high": interval.high}
