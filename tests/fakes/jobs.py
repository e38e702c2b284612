"""Training jobs of a few seconds, for whichever family the gradient loop trains."""

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.protocols import ReadsLabels, ReadsPairs, ReadsTags, Sizable
from ziggurat.core.types import Event, Vocabulary
from ziggurat.models.blocks.network import Neural
from ziggurat.models.registry import FAMILIES
from ziggurat.training.gradient import Config
from ziggurat.training.job import Fitted, Job, Labels, Tags, Words, silent, trainer

MASK = 13
VOCABULARY = Vocabulary(size=14, bos=0, eos=0, mask=MASK)
"""Twelve ids of text, one that ends it, and one that only those who hide tokens ever see."""


def _kind(name: str) -> str:
    return type(FAMILIES.get(name)).__name__


GRADIENT_FAMILIES = [
    name
    for name in FAMILIES.names()
    if any(issubclass(trainer(FAMILIES.get(name), each).Config, Config) for each in FAMILIES.get(name).trainers)
]
EACH_KIND = [
    pytest.param(name, marks=[] if first else pytest.mark.slow)
    for _, same in itertools.groupby(sorted(GRADIENT_FAMILIES, key=_kind), key=_kind)
    for first, name in zip(itertools.chain([True], itertools.repeat(False)), same, strict=False)
]
"""All of these for parametrize: of families that are one class with another network inside, one in every run."""
NEXT_TOKEN_FAMILIES = [name for name in GRADIENT_FAMILIES if "gradient" in FAMILIES.get(name).trainers]
CUT_BY_LENGTH = [
    name for name in GRADIENT_FAMILIES if isinstance(FAMILIES.get(name), ReadsPairs | ReadsLabels | ReadsTags)
]
"""Those whose batches have as many rows as `window` tokens of each would take."""
TAGS = ("O", "B-PER", "I-PER")


def stream(documents: int = 41, *, seed: int = 0) -> MemoryStream:
    """Documents with something to learn: each id is mostly the one before it plus two."""
    dice = np.random.default_rng(seed)
    found = []
    for _ in range(documents):
        ids = [int(dice.integers(1, 13))]
        for _ in range(int(dice.integers(5, 37))):
            ids.append((ids[-1] + 1) % 12 + 1 if dice.random() < 0.9 else int(dice.integers(1, 13)))
        found.append(ids)
    return MemoryStream.of(found, VOCABULARY)


def labels(train: MemoryStream, dev: MemoryStream) -> Labels:
    """Whether more of a document's first ids are odd or even; where one is even, the next mostly is too."""

    def told(texts: MemoryStream) -> Any:
        first = [texts.document(number)[1:10] % 2 for number in range(len(texts.starts) - 1)]
        return np.array([ids.mean() > 0.5 for ids in first], np.int32)

    return Labels(("even", "odd"), told(train), told(dev))


def choices(family: str) -> int:
    """Among how many equally frequent things a family's trainer has to tell: the labels, or ids of text and its end."""
    found = FAMILIES.get(family)
    return 2 if isinstance(found, ReadsLabels) else 3 if isinstance(found, ReadsTags) else 13


def enough(family: str) -> dict[str, Any]:
    """Keys of ``[training]`` that learn what follows what; where few tokens of a row are guessed, it takes longer."""
    if "masked" in FAMILIES.get(family).trainers:
        return {"steps": 200, "learning_rate": 0.003, "rows": 24}
    return {"steps": 60, "learning_rate": 0.02, "rows": 12}


def words(of: MemoryStream, *, seed: int = 0) -> Words:
    """Words of one or two ids, whose first id says their label: a name begins with 1 to 4 and goes on with 5 to 8."""
    dice = np.random.default_rng(seed)
    starts, labels, firsts, spelled = [0], list[int](), list[int](), list[list[int]]()
    for number in range(len(of.starts) - 1):
        ids, place, label = of.document(number), 1, 0
        while place < len(ids) - 1:
            label = 1 if ids[place] <= 4 else 2 if label and ids[place] <= 8 else 0
            labels.append(label)
            firsts.append(place)
            spelled.append([96 + int(ids[place]), int(dice.integers(97, 123))])
            place += int(dice.integers(1, 3))
        starts.append(len(labels))
    arrays = [np.array(found, np.int32) for found in (labels, firsts, spelled)]
    return Words(np.array(starts), arrays[0], arrays[1], arrays[2])


def job(family: str, folder: Path | None = None, *, listener: Any = silent, seed: int = 7, **training: Any) -> Job:
    """A job for a model of about a thousand parameters."""
    chosen = FAMILIES.get(family)
    assert isinstance(chosen, Sizable)
    pairs, tagged = isinstance(chosen, ReadsPairs), isinstance(chosen, ReadsTags)
    texts = stream(), stream(5, seed=1)
    config: Any = chosen.sized(1000)
    keys = {"rows": 3, "window": 11, "warmup_steps": 2, "evaluate_tokens": 200, **training}
    return Job(
        family=chosen,
        model_config=dataclasses.replace(config, labels=TAGS) if tagged else config,
        config=from_mapping(trainer(chosen).Config, keys, where="training"),
        train=texts[0],
        dev=texts[1],
        seed=seed,
        folder=folder,
        listener=listener,
        train_sources=stream(seed=2) if pairs else None,
        dev_sources=stream(5, seed=3) if pairs else None,
        labels=labels(*texts) if isinstance(chosen, ReadsLabels) else None,
        tags=Tags(TAGS, words(texts[0]), words(texts[1], seed=1)) if tagged else None,
    )


def fit(asked: Job) -> Fitted:
    """Fit a job by its family's trainer."""
    return trainer(asked.family).fit(asked)


def weights(fitted: Fitted) -> Mapping[str, np.ndarray[Any, Any]]:
    """The fitted network's parameters."""
    assert isinstance(fitted.model, Neural)
    return {name: value.detach().numpy() for name, value in fitted.model.network.named_parameters()}


def same_weights(one: Fitted, two: Fitted) -> bool:
    """Whether two models are equal to the last bit."""
    first, second = weights(one), weights(two)
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


class Recorder:
    """A listener that keeps all events, and may act on one."""

    def __init__(self, act: Any = None) -> None:
        """Call ``act(event)`` on each event."""
        self.events: list[Event] = []
        self._act = act

    def __call__(self, event: Event) -> None:
        """Keep the event."""
        self.events.append(event)
        if self._act is not None:
            self._act(event)

    def of(self, kind: str) -> list[Event]:
        """The events of one kind."""
        return [event for event in self.events if event["event"] == kind]
