"""Jobs for the trainers of classifiers: documents of ids with a label each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.types import Listener, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.training.job import Job, Labels, Spelling, silent, trainer

VOCABULARY = Vocabulary(size=13, bos=0, eos=0, unk=1)
NAMES = ("no", "yes", "是")

Labelled = Sequence[tuple[Sequence[int], int]]
"""Documents without begin and end, and the number of each one's label."""


def drawn(documents: int, *, seed: int = 0, labels: int = 3) -> Labelled:
    """Documents whose label one of their ids mostly says: ids 2, 3 and 4 speak for labels 0, 1 and 2."""
    dice = np.random.default_rng(seed)
    found = []
    for _ in range(documents):
        label = int(dice.integers(labels))
        ids = dice.integers(5, 13, int(dice.integers(2, 7))).tolist()
        ids.insert(int(dice.integers(len(ids))), 2 + label if dice.random() < 0.9 else int(dice.integers(2, 5)))
        found.append((ids, label))
    return found


def labelled_job(
    family: str,
    train: Labelled,
    dev: Labelled | None = None,
    *,
    names: tuple[str, ...] = NAMES,
    model: dict[str, Any] | None = None,
    spelling: Spelling | None = None,
    listener: Listener = silent,
    vocabulary: Vocabulary = VOCABULARY,
    **training: Any,
) -> Job:
    """A job that learns the labels of documents; ``model`` and ``training`` are keys of a recipe."""
    chosen = FAMILIES.get(family)
    streams = [None if part is None else MemoryStream.of([ids for ids, _ in part], vocabulary) for part in (train, dev)]
    told = [None if part is None else np.array([label for _, label in part], np.int32) for part in (train, dev)]
    assert streams[0] is not None
    assert told[0] is not None
    return Job(
        family=chosen,
        model_config=from_mapping(chosen.config, model or {}, where="model"),
        config=from_mapping(trainer(chosen).Config, training, where="training"),
        train=streams[0],
        dev=streams[1],
        seed=7,
        listener=listener,
        spelling=spelling,
        labels=Labels(names, told[0], told[1]),
    )
