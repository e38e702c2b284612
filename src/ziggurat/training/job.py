"""What every trainer is given and what it gives back."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.protocols import Family, Model, TokenStream
from ziggurat.core.types import Event, FloatArray, IdArray, Listener
from ziggurat.core.workers import HERE, Workers
from ziggurat.models.adapter import Adapter

__all__ = [
    "Adapts",
    "FirstVectors",
    "Fitted",
    "Job",
    "Labels",
    "Share",
    "Spelling",
    "Spreads",
    "Start",
    "Tags",
    "Trainer",
    "WordMarks",
    "Words",
    "silent",
    "trainer",
]


class Spelling(NamedTuple):
    """Which character n-grams the word of each id is spelled with, as numbers of buckets (`ziggurat.tokens`)."""

    starts: npt.NDArray[np.int64]
    """(V + 1,) where each id's buckets begin."""
    buckets: IdArray
    """All buckets, one id after another."""


class WordMarks(NamedTuple):
    """Whether each id of a stream goes on the word of the id before it (`ziggurat.tokens.word_marks`)."""

    train: npt.NDArray[np.bool_]
    """As long as the training stream."""
    dev: npt.NDArray[np.bool_] | None
    """As long as the held-out stream."""


@dataclass(frozen=True)
class Labels:
    """Which label each document of a job's streams has, for a family that `ReadsLabels`."""

    names: tuple[str, ...]
    """The C labels of the training text, in the order of the model's."""
    train: IdArray
    """(documents of `train`,) the place of each one's label in ``names``."""
    dev: IdArray | None
    """(documents of `dev`,) the same; −1 where the training text lacks the label."""


class Words(NamedTuple):
    """The words of one of a job's streams, sentence after sentence, with the label of each.

    A sentence is a document of the stream; or a document is read several times, each time with other labels.
    """

    starts: npt.NDArray[np.int64]
    """(sentences + 1,) where each sentence's words begin in the others."""
    labels: IdArray
    """(words,) the place of each one's label in the job's names; −1 where the training text lacks it."""
    firsts: IdArray
    """(words,) the place of each one's first id in its document, ``bos`` being 0 (`ziggurat.core.types.WordBatch`)."""
    characters: IdArray
    """(words, K) the code points of each one, plus one; 0 behind its last."""
    documents: IdArray | None = None
    """(sentences,) the document that each one is; None: they are the documents in their order."""
    marks: IdArray | None = None
    """(words,) 1 at those about which a sentence's labels are (`ziggurat.core.types.WordBatch`); None: about none."""
    places: Sequence[str] = ()
    """``path:line`` of the first word of each document, to tell where something is wrong; empty: not known."""

    def document(self, sentence: int) -> int:
        """Return which document of the stream a sentence is."""
        return sentence if self.documents is None else int(self.documents[sentence])


@dataclass(frozen=True)
class Tags:
    """Which label each word of a job's streams has, for a family that `ReadsTags`."""

    names: tuple[str, ...]
    """The L labels of the training text, in the order of the model's."""
    train: Words
    dev: Words | None


@dataclass(frozen=True)
class Share:
    """Which rows of every batch a process reads: of ``count`` equal parts that of number ``rank``."""

    rank: int = 0
    count: int = 1

    def of(self, rows: int) -> slice:
        """Return the place of this share among ``rows``; parts differ by one where there is no equal cut."""
        return slice(self.rank * rows // self.count, (self.rank + 1) * rows // self.count)

    def check(self, rows: int) -> None:
        """Refuse rows that can't be cut into equal parts.

        Raises:
            UsageError: they are no multiple of the number of processes.
        """
        if rows % self.count:
            raise UsageError(
                f"training.rows: {rows} rows of a batch are no multiple of {self.count} processes; set it to "
                f"{self.count * max(1, round(rows / self.count))}, or start another number of processes"
            )


def silent(event: Event) -> None:
    """Hear an event and do nothing: the listener where nobody listens."""


@dataclass(frozen=True)
class FirstVectors:
    """What a model's embeddings begin with instead of chance."""

    vectors: FloatArray
    """(V, D) a vector for each id of the job's vocabulary."""
    found_mask: npt.NDArray[np.bool_]
    """(V,) which ids have one; the others begin as the family draws them."""


@dataclass(frozen=True)
class Start:
    """A trained model with whose weights training begins."""

    open: Callable[[], Model]
    """Opens it, so that it takes memory no longer than its weights are copied."""
    arrays: str
    """SHA-256 of its arrays' file: a run goes on from the weights that it began with, or not at all."""


@dataclass(frozen=True)
class Job:
    """One model to be fitted."""

    family: Family
    model_config: Any
    """The family's configuration (recipe section ``[model]``)."""
    config: Any
    """The trainer's configuration (recipe section ``[training]``)."""
    train: TokenStream
    dev: TokenStream | None
    """Held-out text for choices: when to stop, which checkpoint is best, how a mixture is weighted."""
    seed: int
    folder: Path | None = None
    """Where checkpoints are kept; None keeps none, and the run can't be resumed."""
    listener: Listener = silent
    parts: tuple[Model, ...] = field(default=())
    """Models that one made of others has."""
    spelling: Spelling | None = None
    """The character n-grams of each id, where the model also learns those."""
    part_families: tuple[str, ...] = field(default=())
    """The family of each part."""
    first_vectors: FirstVectors | None = None
    """What the embeddings begin with, for a family that `Embeds`."""
    train_sources: TokenStream | None = None
    """What each document of `train` follows from, for a family that `ReadsPairs`."""
    dev_sources: TokenStream | None = None
    """The same of `dev`."""
    start: Start | None = None
    """The model that is trained on; None where all begins by chance."""
    share: Share = Share()
    """Which rows of each batch this process reads, where several train together."""
    words: WordMarks | None = None
    """Which tokens belong to one word, for a trainer that `HidesWords`."""
    labels: Labels | None = None
    """Which label each document has, for a family that `ReadsLabels`."""
    tags: Tags | None = None
    """Which label each word has, for a family that `ReadsTags`."""
    workers: Workers = HERE
    """Whoever does tasks of a trainer that can be cut into such; the model does not depend on who they are."""

    def working_folder(self) -> Path | None:
        """Return `folder` for files that a trainer works with; it is made where it is not there yet."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder


@dataclass(frozen=True)
class Fitted:
    """A fitted model and what its manifest says about the fitting."""

    model: Model
    facts: Mapping[str, Any]
    """Steps, tokens, seconds, dev losses and whatever else the trainer wants on record; JSON-able."""
    adapter: Adapter | None = None
    """The low-rank change, where that alone was learnt; the model has it merged in."""


@runtime_checkable
class Adapts(Protocol):
    """A trainer's configuration that may begin with a trained model and leave parts of it as they are."""

    @property
    def frozen(self) -> tuple[str, ...]:
        """Names of the parts that stay as they are."""
        ...


@runtime_checkable
class Spreads(Protocol):
    """A trainer's configuration by which several processes may train one model together."""

    @property
    def spread(self) -> str:
        """How they share it."""
        ...


class Trainer(Protocol):
    """A module in ``training/`` that fits models, for example ``count`` or ``gradient``."""

    Config: type[Any]
    """Frozen dataclass of the recipe's ``[training]`` keys."""

    def fit(self, job: Job) -> Fitted:
        """Fit the job's model."""
        ...


def trainer(family: Family, name: str = "") -> Trainer:
    """Return the module that fits models of a family: the one of `Family.trainers` that is named, else the first.

    Raises:
        UnknownNameError: the family has no trainer of this name.
    """
    chosen = name or family.trainers[0]
    if chosen not in family.trainers:
        raise UnknownNameError("trainer", chosen, family.trainers)
    return cast("Trainer", importlib.import_module(f"ziggurat.training.{chosen}"))
