"""The interfaces that families, tokenizers and trainers implement, each at most five verbs.

Axes: **B** batch, **T** target time, **V** vocabulary, **D** width. Arrays at these boundaries are NumPy, so that
counts and vectors need no torch. ``logprob`` is the natural logarithm everywhere.

*Convention for the first token.* A scored sequence is ``[bos, t1, …, tn, eos]`` (see `Vocabulary`). ``bos`` is
context only. So ``token_logprobs`` of T ids has T − 1 columns, and the first is ``log p(t1 | bos)``.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.types import Encoding, FloatArray, IdArray, TensorMap, Vocabulary, WordBatch

__all__ = [
    "Classifier",
    "ConditionalModel",
    "ContextEncoder",
    "Dissects",
    "Embeds",
    "Encoder",
    "Extends",
    "Family",
    "HidesWords",
    "LanguageModel",
    "MaskedLanguageModel",
    "Model",
    "ReadsDocuments",
    "ReadsLabels",
    "ReadsMarks",
    "ReadsPairs",
    "ReadsTags",
    "SequenceScorer",
    "Sizable",
    "Spells",
    "StandsOn",
    "State",
    "StaticEncoder",
    "Tagger",
    "TokenStream",
    "Tokenizer",
]

State: TypeAlias = Any
"""What a model remembers of a batch of prefixes; opaque to all but the model that made it."""


class Tokenizer(Protocol):
    """Text to ids and back. Strings stop here: no model sees one."""

    @property
    def kind(self) -> str:
        """Name of the tokenizer's module in ``tokens/``, for example ``bpe``."""
        ...

    @property
    def lossless(self) -> bool:
        """Whether ``decode(encode(text).ids) == text`` for every text; bits per byte exist only where it is true."""
        ...

    @property
    def vocabulary(self) -> Vocabulary:
        """Size and special ids."""
        ...

    @property
    def byte_lengths(self) -> IdArray:
        """(V,) UTF-8 bytes that each id stands for; 0 for special ids."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the ids; token perplexities compare only where it is equal."""
        ...

    def encode(self, text: str) -> Encoding:
        """Return the ids of ``text`` with their offsets, without begin or end tokens."""
        ...

    def encode_batch(self, texts: Sequence[str]) -> list[IdArray]:
        """Return the ids of many texts at once, faster than one by one and without offsets."""
        ...

    def decode(self, ids: Sequence[int] | IdArray) -> str:
        """Return the text of ``ids``; special ids give nothing, broken UTF-8 gives U+FFFD."""
        ...

    def to_json(self) -> str:
        """Return the content of ``tokenizer.json``, as the `tokenizers` library reads it."""
        ...


class TokenStream(Protocol):
    """Tokenized documents, one after another, possibly larger than memory (a memory map)."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The vocabulary that the ids belong to."""
        ...

    @property
    def tokens(self) -> npt.NDArray[np.integer[Any]]:
        """(N,) all ids: every document's ``[bos, …, eos]``; where bos = eos, neighbours share that token."""
        ...

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """(documents + 1,) where each document's ``bos`` stands in `tokens`; the last entry closes the last one."""
        ...

    def document(self, index: int) -> IdArray:
        """Return one document's ids ``[bos, t1, …, tn, eos]``."""
        ...


class Model(Protocol):
    """Whatever a family makes of ids. What it can do beyond knowing its ids says another protocol."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        ...


@runtime_checkable
class Spells(Protocol):
    """A configuration of a model that may also learn the character n-grams of its words."""

    @property
    def spells(self) -> bool:
        """Whether it does."""
        ...

    @property
    def shortest_ngram(self) -> int:
        """Characters of the shortest n-gram, marks of beginning and end included."""
        ...

    @property
    def longest_ngram(self) -> int:
        """Characters of the longest n-gram, marks included; 0 where words are learnt whole."""
        ...

    @property
    def buckets(self) -> int:
        """Numbers that all n-grams share."""
        ...


@runtime_checkable
class Encoder(Model, Protocol):
    """Ids as vectors: what tasks and queries are built on, whether the vectors follow the context or not."""

    @property
    def width(self) -> int:
        """D, numbers in a vector."""
        ...

    def encode(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T, D): a vector for each of each row's first ``lengths`` ids; 0 at and beyond them."""
        ...


@runtime_checkable
class StaticEncoder(Encoder, Protocol):
    """An encoder to which an id means the same wherever it stands: each has one vector, its row of a matrix."""

    @property
    def vectors(self) -> FloatArray:
        """(V, D) the vector of each id; it may be a memory map."""
        ...

    @property
    def config(self) -> Spells:
        """Its configuration, which says whether it spells words it lacks in n-grams, and in which."""
        ...

    def spelled(self, buckets: IdArray) -> FloatArray | None:
        """Return (D,): the vector of a word without an id, from its n-grams' buckets; None where none is known."""
        ...


@runtime_checkable
class ContextEncoder(Encoder, Protocol):
    """An encoder whose vectors follow the context, and which also knows how a text becomes one vector."""

    @property
    def context(self) -> int | None:
        """Longest sequence that it can read, in ids; None where there is no limit."""
        ...

    @property
    def config(self) -> Any:
        """Its configuration: ``pooling``, ``normalise`` and ``longest_text`` say how a text becomes one vector."""
        ...

    def pool(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, D): each row as a layer of its own makes one vector of it."""
        ...


class SequenceScorer(Protocol):
    """Anything that gives whole sequences a score. BERT's pseudo-likelihood is this and no more."""

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats: the log-score of each row's first ``lengths`` ids; ids is (B, T), padded with any id."""
        ...


@runtime_checkable
class MaskedLanguageModel(SequenceScorer, Protocol):
    """A guesser of hidden ids, from all others on both sides. It is no distribution over sequences, so `score` is a
    pseudo-log-likelihood and there is no perplexity of it.
    """

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows; ``mask`` hides another."""
        ...

    @property
    def context(self) -> int | None:
        """Longest sequence that it can read, in ids; None where there is no limit."""
        ...

    def guess(self, ids: IdArray, lengths: IdArray, targets: IdArray) -> tuple[FloatArray, IdArray]:
        """Return (B, T) log p of each target given all ids of its row, and (B, T) the likeliest id there.

        ``targets`` (B, T) is −1 where nothing is asked; there the first is 0 and the second −1.
        """
        ...


@runtime_checkable
class LanguageModel(SequenceScorer, Protocol):
    """A distribution over the next id given all ids before it.

    Laws, tested on every family: probabilities sum to one; scanning equals stepping; causal; a row's result does
    not depend on its neighbours or on padding; ``reorder`` permutes; the mass of all strings of one length is one.
    """

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        ...

    @property
    def context(self) -> int | None:
        """Longest sequence that it can read at once, in ids; None where there is no limit."""
        ...

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T − 1): log p(ids[:, t] | ids[:, :t]) for t ≥ 1; 0 at and beyond a row's length."""
        ...

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, State]:
        """Read (B, T) prompts at once (each ≥ 1 id, its ``bos``); return (B, V) next-id logprobs and the state."""
        ...

    def step(self, state: State, ids: IdArray) -> tuple[FloatArray, State]:
        """Append one id (B,) to each row; return (B, V) next-id logprobs and the new state. ``state`` stays valid
        only where the model says so: do not use it again.
        """
        ...

    def reorder(self, state: State, rows: IdArray) -> State:
        """Return the state whose row b is the old row ``rows[b]``; rows may repeat or drop (beams, finished rows)."""
        ...


@runtime_checkable
class Extends(LanguageModel, Protocol):
    """A language model that goes on from a state with many ids at once: what many texts share is read once.

    Law, tested on every family that has it: what was begun and extended is as if it had been begun in one piece.
    """

    def extend(self, state: State, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, State]:
        """Append (B, T) ids, of each row its first ``lengths`` (each ≥ 1); return what `begin` does.

        ``state`` stays valid only where the model says so, as with `step`; a copy by `reorder` is always one's own.
        """
        ...


@runtime_checkable
class ReadsDocuments(Protocol):
    """A language model that reads documents beyond its `context` in a way of its own, not by windows of it."""

    def document_logprobs(
        self, sequences: Sequence[IdArray], *, stride: int | None, batch_tokens: int
    ) -> list[FloatArray]:
        """Return for each sequence of n ids its n − 1 log-probabilities (see `ziggurat.models.windows`)."""
        ...


@runtime_checkable
class ConditionalModel(Model, Protocol):
    """A distribution over sequences given another one: what translates, answers, parses.

    Given its source it is a language model, so that whatever samples, scores or searches needs no second version.
    """

    @property
    def context(self) -> int | None:
        """Longest source, and longest target, that it can read at once, in ids; None where there is no limit."""
        ...

    def condition(self, source: IdArray, lengths: IdArray) -> LanguageModel:
        """Read (B, S) source ids (``lengths`` of each row are no padding); return the model of what follows from them.

        Row b of all that the language model is asked has row b of the source; a source of one row serves every row.
        """
        ...


@runtime_checkable
class Classifier(Model, Protocol):
    """A distribution over the labels that a text may have.

    Laws, tested on every family that makes one: probabilities sum to one; a row's result does not depend on its
    neighbours or on padding.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """The C labels, as they were learnt."""
        ...

    @property
    def context(self) -> int | None:
        """Longest text that it can read, in ids, those of begin and end included; None where there is no limit."""
        ...

    def label_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, C): log p(label | the row's first ``lengths`` ids), which are ``[bos, t1, …, tn, eos]``."""
        ...


@runtime_checkable
class Tagger(Model, Protocol):
    """A model that gives every word of a sentence a label: entities, roles, parts of speech.

    Laws, tested on every family that makes one: what may not stand by the labels' scheme is never said; a row's result
    does not depend on its neighbours or on padding.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """The L labels, as they were learnt."""
        ...

    @property
    def context(self) -> int | None:
        """Longest sentence that it can read, in ids, those of begin and end included; None where there is no limit."""
        ...

    def tag(self, batch: WordBatch) -> tuple[IdArray, FloatArray]:
        """Return (B, W) the places in `labels` of the best labels of each row, and (B, W) how probable each is.

        The labels are the most probable of the whole row together; the probability is that of a label where it stands,
        over all labellings of its row. Behind a row's words they are −1 and 0.
        """
        ...


class Family(Protocol):
    """One kind of model: the ``FAMILY`` object of a module in ``models/``. Stateless.

    A model at rest is a JSON-able configuration and named arrays; that is all that a bundle needs to know.
    """

    name: ClassVar[str]
    """The module's name."""
    trainers: ClassVar[tuple[str, ...]]
    """Modules in ``training/`` that can fit it; the first is taken where a recipe does not say."""
    config: ClassVar[type[Any]]
    """Frozen dataclass of its ``[model]`` keys (see `ziggurat.core.config`)."""

    def build(self, config: Any, vocabulary: Vocabulary, *, seed: int) -> Model:
        """Return an untrained model."""
        ...

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return what ``config.json`` and ``model.safetensors`` hold."""
        ...

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> Model:
        """Return the model from what `state` gave; arrays may be read-only memory maps."""
        ...

    def tiny(self, *, seed: int) -> Model:
        """Return a small model with random content for the law tests (vocabulary 11 ids, bos = eos = 0)."""
        ...


@runtime_checkable
class HidesWords(Protocol):
    """A trainer's configuration that may ask which tokens belong to one word."""

    @property
    def whole_words(self) -> bool:
        """Whether it does."""
        ...


@runtime_checkable
class ReadsMarks(Protocol):
    """A model, or its configuration, that may ask which words labels are about (`ziggurat.core.types.WordBatch`)."""

    @property
    def reads_marks(self) -> bool:
        """Whether it does."""
        ...


@runtime_checkable
class Sizable(Protocol):
    """A family whose models come in any size."""

    def sized(self, parameters: int) -> Any:
        """Return a configuration with about so many parameters beside the embeddings, in good proportions."""
        ...


@runtime_checkable
class Embeds(Protocol):
    """A family whose models turn each id into a vector of their own first, which vectors made elsewhere can begin."""

    embedding_key: ClassVar[str]
    """The ``[model]`` key that says how many numbers such a vector has."""


@runtime_checkable
class Dissects(Protocol):
    """A family that says what its models are made of, before there is one."""

    def anatomy(self, config: Any, vocabulary: Vocabulary) -> Anatomy:
        """Return the parts of the model that `build` would make."""
        ...

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[Any, Vocabulary]:
        """Return the configuration and the vocabulary of what `Family.restore` would make of the same."""
        ...


@runtime_checkable
class ReadsPairs(Protocol):
    """A family whose models learn from pairs of a source and a target text; all others learn from documents."""

    reads_pairs: ClassVar[Literal[True]]
    """That it does."""


@runtime_checkable
class ReadsLabels(Protocol):
    """A family whose models learn which label a text has; its configuration has the key ``labels``, their names."""

    reads_labels: ClassVar[Literal[True]]
    """That it does."""


@runtime_checkable
class StandsOn(Protocol):
    """A family whose models have a model of another family inside, and may begin with a trained one."""

    body: str
    """The name of that family."""
    optional: frozenset[str]
    """Keys of the model inside that stand for parts which may be left out of it, or be new."""

    def over(self, config: Any) -> Any:
        """Return the configuration of a model with one of this configuration inside."""
        ...


@runtime_checkable
class ReadsTags(Protocol):
    """A family whose models learn a label for every word; its configuration has the keys ``labels``, their names, and
    ``scheme``, how they write spans.
    """

    reads_tags: ClassVar[Literal[True]]
    """That it does."""
