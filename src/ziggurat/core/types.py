"""The plain, frozen values that travel between rooms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Continuation",
    "Document",
    "Encoding",
    "Event",
    "Example",
    "FloatArray",
    "IdArray",
    "Listener",
    "Pair",
    "Span",
    "TensorMap",
    "Told",
    "Vocabulary",
    "WordBatch",
]

IdArray: TypeAlias = npt.NDArray[np.int32]
"""Token ids, or lengths; always 32-bit."""

FloatArray: TypeAlias = npt.NDArray[np.float32]
"""Log-probabilities (natural log) and vectors at a room's boundary; always 32-bit."""

TensorMap: TypeAlias = Mapping[str, npt.NDArray[np.generic]]
"""A model's arrays by name, as they stand in ``model.safetensors``."""

Event: TypeAlias = Mapping[str, float | int | str]
"""One thing that happened in a run: ``{"event": "step", "step": 12, "loss": 3.1, …}``; a line of ``metrics.jsonl``."""

Listener: TypeAlias = Callable[[Event], None]
"""Whoever wants to hear of events: a progress display, ``metrics.jsonl``, TensorBoard."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text of the user's: the unit of splitting, deduplication and bootstrap intervals."""

    id: str
    """Unique within a corpus; for a file its path, for a record ``path:line`` or the record's own id."""
    text: str
    source: str = ""
    """Where it came from (the file's path as the user gave it)."""
    language: str = ""
    """BCP 47 code (``en``, ``zh``) or empty where unknown."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts of which the second follows from the first: a sentence and its translation, for example."""

    id: str
    """Unique within a corpus: ``path:line``."""
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Example:
    """What a task is asked, and what somebody says that the answer is."""

    id: str
    """``path:line``."""
    input: Any
    """A text, or what else the task reads."""
    answer: Any = None
    """A label, or what else the task's metrics read; None where nobody says."""
    rest: Any = field(default=None, compare=False, repr=False)
    """What its file says beside, where it is to be written again with an answer."""


@dataclass(frozen=True, slots=True)
class Told:
    """A model's answer to an input of a task."""

    answer: Any
    """As in `Example`."""
    confidence: float | None = None
    """Probability that it is right, as the model sees it; None where it gives none."""
    probabilities: Mapping[str, float] = field(default_factory=dict)
    """Of all answers, the likeliest first, where they can be listed."""


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of text: characters ``start`` (inclusive) to ``end`` (exclusive)."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as ids, and where in the text each id stands."""

    ids: IdArray
    """(T,) ids, without any begin or end token."""
    offsets: IdArray
    """(T, 2) characters ``[start, end)`` of the *original* text; the bytes of one character share its offsets."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a model must know of a tokenizer: how many ids there are and which are special.

    A sequence that is scored is ``[bos, t1, …, tn, eos]``. ``bos`` is given and never predicted; every later
    token, ``eos`` included, is. Tokenizers that Ziggurat trains use one id for both (``<|endoftext|>``), so that
    documents packed one after another read the same as documents alone.
    """

    size: int
    bos: int
    eos: int
    unk: int | None = None
    mask: int | None = None
    """Stands for a token that is hidden and to be guessed (masked language models)."""
    pad: int | None = None
    """Fills rows up; models look at lengths instead, so only other programs need it."""

    @property
    def special(self) -> tuple[int, ...]:
        """The ids that stand for no text: begin, end, unknown, mask, padding."""
        others = (self.unk, self.mask, self.pad)
        return tuple(sorted({self.bos, self.eos, *(token for token in others if token is not None)}))


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a model wrote after a prompt."""

    text: str
    ids: tuple[int, ...]
    logprob: float
    """Sum of natural log-probabilities of ``ids`` under the model itself (before temperature and filters)."""
    reason: Literal["length", "stop", "end"]
    """Why it ended: the token limit, a stop string, or the end-of-text token."""


@dataclass(frozen=True, slots=True)
class WordBatch:
    """Sentences of words as somebody cut them, as what labels words reads them.

    A row of ids is ``[bos, t1, …, tn, eos]``. The ids of a word are those from its first to before the next word's
    first, or before ``eos``; where that is none, because two words share an id or a word has none, the one at its
    first. What stands behind a row's ids, words or characters changes nothing.
    """

    ids: IdArray
    """(B, T)"""
    lengths: IdArray
    """(B,) ids of each row, ``bos`` and ``eos`` among them."""
    firsts: IdArray
    """(B, W) the place of each word's first id in its row of ids; it never falls."""
    words: IdArray
    """(B,) words of each row."""
    characters: IdArray
    """(B, W, K) code points of each word plus one, case kept; 0 behind its last."""
    marks: IdArray | None = None
    """(B, W) 1 at the words about which labels are asked, 0 elsewhere; None: about none, the sentence as a whole.

    The words marked are a predicate whose roles the labels say; a row may have no mark.
    """
