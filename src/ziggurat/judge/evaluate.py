"""How well a model predicts documents that it has not seen."""

import itertools
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ziggurat.core.errors import DamagedError, TooLittleTextError, UsageError
from ziggurat.core.protocols import ConditionalModel, LanguageModel, Tokenizer
from ziggurat.core.registry import Registry
from ziggurat.core.types import Document, FloatArray, IdArray, Pair
from ziggurat.judge.significance import Interval, ratio_interval
from ziggurat.models.windows import document_logprobs, pair_logprobs

__all__ = ["METRICS", "Evaluation", "evaluate", "evaluate_pairs"]

T = TypeVar("T", Document, Pair)
_Scored: TypeAlias = tuple[str, str, FloatArray]
"""A document's id, the text that was predicted, and the log-probabilities of its tokens."""

METRICS: Registry[Any] = Registry("ziggurat.judge.metrics", "METRIC", kind="metric")
"""All metrics, by the name of their module."""

BATCH_DOCUMENTS = 512


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model needed for each document; all figures are made from these."""

    ids: tuple[str, ...]
    nats: tuple[float, ...]
    """Negative log-likelihood of each document, its end-of-text token included."""
    tokens: tuple[int, ...]
    """Predicted tokens of each document: all of it and the end of text."""
    document_bytes: tuple[int, ...]
    """UTF-8 bytes of each document's text."""
    fingerprint: str
    """The tokenizer's."""
    lossless: bool
    seconds: float
    left_out: int | None = None
    """Pairs whose source is longer than the model's context; None where there are no pairs."""

    @property
    def bits_per_byte(self) -> float | None:
        """Σ nats / ln 2 / Σ bytes; None where the tokenizer loses text, since then part of it was never predicted."""
        return METRICS.get("bits_per_byte").of(self) if self.lossless else None

    @property
    def token_perplexity(self) -> float:
        """exp(Σ nats / Σ tokens); compares only between models with the same tokenizer."""
        return float(METRICS.get("token_perplexity").of(self))

    @property
    def tokens_per_second(self) -> float:
        """Tokens scored in a second, tokenizing included."""
        return sum(self.tokens) / max(self.seconds, 1e-9)

    def interval(self, *, seed: int = 0) -> Interval:
        """Return the 95 % bootstrap interval of bits per byte over documents.

        Raises:
            UsageError: the tokenizer loses text.
        """
        if not self.lossless:
            raise UsageError("bits per byte needs a tokenizer that loses nothing (bytes, characters, bpe or unigram)")
        bits = np.array(self.nats) / math.log(2)
        return ratio_interval(bits, np.array(self.document_bytes, dtype=np.float64), seed=seed)

    def figures(self, *, seed: int = 0) -> dict[str, Any]:
        """Return what a manifest, a table and JSON say of it, under the names that they share.

        *Shapes and units.* ``low`` and ``high`` bound the 95 % bootstrap interval of bits per byte; where the tokenizer
        loses text there are no bits per byte.
        """
        found: dict[str, Any] = {
            "token_perplexity": self.token_perplexity,
            "documents": len(self.ids),
            "bytes": sum(self.document_bytes),
            "tokens": sum(self.tokens),
            "tokens_per_second": self.tokens_per_second,
            **({} if self.left_out is None else {"pairs_left_out": self.left_out}),
        }
        if self.lossless:
            interval = self.interval(seed=seed)
            found = {"bits_per_byte": interval.value, "low": interval.low, "high": interval.high, **found}
        return found

    def to_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Evaluation":
        """Read what `to_json` wrote; ``where`` names the file in errors.

        Raises:
            DamagedError: the text is no evaluation.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            return cls(**values)
        except (ValueError, TypeError, AttributeError) as error:
            raise DamagedError(f"{where}: not an evaluation ({error})") from error


def evaluate(model: LanguageModel, tokenizer: Tokenizer, documents: Iterable[Document]) -> Evaluation:
    """Score ``documents`` with ``model``, each alone from its begin token; long ones by a rolling window.

    Raises:
        TooLittleTextError: there are no documents.
    """

    def score(batch: list[Document]) -> Iterator[_Scored]:
        told = document_logprobs(model, _sequences(tokenizer, [document.text for document in batch]))
        for document, logprobs in zip(batch, told, strict=True):
            yield document.id, document.text, logprobs

    return _evaluation(tokenizer, documents, score)


def evaluate_pairs(model: ConditionalModel, tokenizer: Tokenizer, pairs: Iterable[Pair]) -> Evaluation:
    """Score the targets of ``pairs``, each given its source; bytes and tokens are those of the targets.

    Pairs whose source is longer than the model's context can't be read: they are left out and counted.

    Raises:
        TooLittleTextError: there are no pairs, or none that fits the context.
    """
    left_out = 0

    def score(batch: list[Pair]) -> Iterator[_Scored]:
        nonlocal left_out
        sources = [source[1:] for source in _sequences(tokenizer, [pair.source for pair in batch])]
        kept = [row for row, source in enumerate(sources) if model.context is None or len(source) <= model.context]
        left_out += len(batch) - len(kept)
        targets = _sequences(tokenizer, [batch[row].target for row in kept])
        told = pair_logprobs(model, [sources[row] for row in kept], targets)
        for row, logprobs in zip(kept, told, strict=True):
            yield batch[row].id, batch[row].target, logprobs

    found = _evaluation(tokenizer, pairs, score)
    return replace(found, left_out=left_out)


def _sequences(tokenizer: Tokenizer, texts: list[str]) -> list[IdArray]:
    vocabulary = tokenizer.vocabulary
    encoded = tokenizer.encode_batch(texts)
    return [np.concatenate([[vocabulary.bos], one, [vocabulary.eos]]).astype(np.int32) for one in encoded]


def _evaluation(
    tokenizer: Tokenizer, entries: Iterable[T], score: Callable[[list[T]], Iterable[_Scored]]
) -> Evaluation:
    """Score what is predicted of each entry that can be scored, many at once."""
    ids: list[str] = []
    nats: list[float] = []
    tokens: list[int] = []
    sizes: list[int] = []
    began = time.perf_counter()
    for batch in _batches(entries):
        for name, text, logprobs in score(batch):
            ids.append(name)
            nats.append(-float(logprobs.sum(dtype=np.float64)))
            tokens.append(len(logprobs))
            sizes.append(len(text.encode()))
    if not ids:
        raise TooLittleTextError("no documents to evaluate on: give more text")
    seconds = time.perf_counter() - began
    return Evaluation(
        tuple(ids), tuple(nats), tuple(tokens), tuple(sizes), tokenizer.fingerprint, tokenizer.lossless, seconds
    )


def _batches(entries: Iterable[T]) -> Iterator[list[T]]:
    following = iter(entries)
    while batch := list(itertools.islice(following, BATCH_DOCUMENTS)):
        yield batch
