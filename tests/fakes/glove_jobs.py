"""Jobs for GloVe of a second, on texts whose words come in two circles that seldom meet."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.types import Vocabulary
from ziggurat.models.word_vectors import FAMILY, WordVectors, WordVectorsConfig
from ziggurat.training import glove
from ziggurat.training.job import Fitted, Job, silent

VOCABULARY = Vocabulary(size=1009, bos=0, eos=0, unk=1)


def stream(words: int = 15_013, *, seed: int = 0) -> MemoryStream:
    """Documents of 31 words, of even ids or of odd ids, frequent ones first."""
    dice = np.random.default_rng(seed)
    ranks = np.arange(VOCABULARY.size // 2 - 1)
    chances = 1 / (ranks + 1.0)
    documents = []
    for _ in range(words // 31):
        drawn = dice.choice(ranks, 31, p=chances / chances.sum())
        documents.append((2 + 2 * drawn + int(dice.integers(2))).tolist())
    return MemoryStream.of(documents, VOCABULARY)


def job(folder: Path | None = None, *, listener: Any = silent, seed: int = 7, width: int = 11, **training: Any) -> Job:
    """A job for vectors of 1,007 words."""
    keys = {"epochs": 3, "x_max": 10.0, "window": 5, "threads": 1, **training}
    return Job(
        family=FAMILY,
        model_config=WordVectorsConfig(width=width),
        config=from_mapping(glove.Config, keys, where="training"),
        train=stream(),
        dev=stream(2003, seed=1),
        seed=seed,
        folder=folder,
        listener=listener,
    )


def with_text(made: Job, train: MemoryStream) -> Job:
    """The same job on another text."""
    return dataclasses.replace(made, train=train)


def vectors(fitted: Fitted) -> WordVectors:
    """The fitted model."""
    assert isinstance(fitted.model, WordVectors)
    return fitted.model
