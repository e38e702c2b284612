"""How well a model predicts documents that it has not seen."""

import json
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ziggurat.core.errors import DamagedError, TooLittleTextError, UsageError
from ziggurat.core.protocols import LanguageModel, Tokenizer
from ziggurat.core.registry import Registry
from ziggurat.core.types import Document
from ziggurat.judge.significance import Interval, ratio_interval
from ziggurat.models.windows import document_logprobs

__all__ = ["METRICS", "Evaluation", "evaluate"]

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
    ids: list[str] = []
    nats: list[float] = []
    tokens: list[int] = []
    sizes: list[int] = []
    began = time.perf_counter()
    vocabulary = tokenizer.vocabulary
    batch: list[Document] = []

    def score() -> None:
        encoded = tokenizer.encode_batch([document.text for document in batch])
        sequences = [np.concatenate([[vocabulary.bos], one, [vocabulary.eos]]).astype(np.int32) for one in encoded]
        for document, logprobs in zip(batch, document_logprobs(model, sequences), strict=True):
            ids.append(document.id)
            nats.append(-float(logprobs.sum(dtype=np.float64)))
            tokens.append(len(logprobs))
            sizes.append(len(document.text.encode()))
        batch.clear()

    for document in documents:
        batch.append(document)
        if len(batch) == BATCH_DOCUMENTS:
            score()
    score()
    if not ids:
        raise TooLittleTextError("no documents to evaluate on: give more text")
    seconds = time.perf_counter() - began
    return Evaluation(
        tuple(ids), tuple(nats), tuple(tokens), tuple(sizes), tokenizer.fingerprint, tokenizer.lossless, seconds
    )
