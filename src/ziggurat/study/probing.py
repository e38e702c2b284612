"""Choosing the tokenizer of a climb: every candidate carries an n-gram model, and bits per byte on dev decide.

*Idea.* An n-gram model is fitted in about a second and tells how much of a text's order a tokenization lets a model
see. Bits per byte compare across tokenizers, so the candidates compete on one scale. A BPE is trained once and cut to
smaller sizes.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.artefacts.recipe import load_recipe
from ziggurat.core.protocols import Tokenizer
from ziggurat.models.registry import FAMILIES, predicting
from ziggurat.models.windows import document_logprobs
from ziggurat.study.result import Probe
from ziggurat.text.corpus import Corpus
from ziggurat.tokens.loading import TOKENIZERS
from ziggurat.tokens.store import open_store, write_store
from ziggurat.training.job import Job, trainer

__all__ = ["Chosen", "probe"]

PROBE = "ngram"
"""The recipe that tries a tokenizer."""
SIZES = (512, 1024, 2048, 4096, 8192, 16384)
BYTES_PER_ENTRY = 400
"""A vocabulary is tried while the training text has so many bytes for each of its entries: rarer ones teach little."""
SAMPLE_BYTES = 4_000_000
REACH_BYTES = 14
LONGER_ORDERS = (5, 6, 8, 10, 12, 16)
GAIN = 0.002
"""Bits per byte that a longer n-gram must gain to be kept: text that repeats itself gains much, a novel nothing."""
MARGIN = 0.003
"""Bits per byte that a larger vocabulary must gain: a smaller one trains faster networks."""


@dataclass(frozen=True)
class Chosen:
    """What the probes came to."""

    kind: str
    config: Any
    """The kind's configuration."""
    order: int
    """Of the n-gram model."""
    probes: tuple[Probe, ...]
    """All that was tried, best first."""


def probe(corpus: Corpus) -> Chosen:
    """Choose a tokenizer, then the n-gram order that goes with it: longer while that gains on dev.

    *Cost.* A few seconds: at most 4 MB of training text are used.
    """
    with tempfile.TemporaryDirectory(prefix="ziggurat-probe-") as place:
        folder = Path(place)
        tried = {}
        candidates = list(_candidates(corpus))
        for number, tokenizer in enumerate(candidates):
            path = folder / str(number)
            write_store(tokenizer, _first(corpus.train, SAMPLE_BYTES), path / "train")
            dev = write_store(tokenizer, corpus.dev, path / "dev")
            tried[path] = _try(tokenizer, path, _order_for(dev.size_bytes / len(dev.tokens)))
        best = min(p.dev_bits_per_byte for p in tried.values())
        near = {path: p for path, p in tried.items() if p.dev_bits_per_byte <= best + MARGIN}
        path, chosen = min(near.items(), key=lambda item: item[1].vocabulary)
        tokenizer = candidates[int(path.name)]
        longer = [chosen]
        for order in (order for order in LONGER_ORDERS if order > chosen.order):
            longer.append(_try(tokenizer, path, order))
            if longer[-1].dev_bits_per_byte > longer[-2].dev_bits_per_byte - GAIN:
                break
        found = min(longer, key=lambda p: p.dev_bits_per_byte)
    kind = TOKENIZERS.get(chosen.kind)
    keys = {"vocab_size": chosen.vocabulary} if chosen.kind == "bpe" else {}
    probes = sorted([*tried.values(), *longer[1:]], key=lambda p: p.dev_bits_per_byte)
    return Chosen(chosen.kind, kind.config(**keys), found.order, tuple(probes))


def _order_for(bytes_per_token: float) -> int:
    """Return the n-gram order that sees about 14 bytes of text: 4 to 9, more where tokens are short."""
    return min(9, max(4, round(REACH_BYTES / bytes_per_token)))


def _candidates(corpus: Corpus) -> Iterator[Tokenizer]:
    texts = [document.text for document in _first(corpus.train, SAMPLE_BYTES)]
    size = sum(len(text.encode()) for text in texts)
    for name in ("bytes", "characters"):
        kind = TOKENIZERS.get(name)
        yield kind.train(texts, kind.config())
    sizes = [n for n in SIZES if n * BYTES_PER_ENTRY <= max(size, SIZES[0] * BYTES_PER_ENTRY)]
    bpe = TOKENIZERS.get("bpe")
    largest: Any = bpe.train(texts, bpe.config(vocab_size=sizes[-1]))
    for n in sizes:
        yield largest.truncated(n) if n < largest.vocabulary.size else largest
        if n >= largest.vocabulary.size:
            break


def _try(tokenizer: Tokenizer, folder: Path, order: int) -> Probe:
    began = time.perf_counter()
    train, dev = open_store(folder / "train"), open_store(folder / "dev")
    recipe = load_recipe(PROBE).change({"model.order": order})
    family = FAMILIES.get(recipe.family)
    fitted = trainer(family).fit(Job(family, recipe.model, recipe.training, train, dev=None, seed=0))
    scores = document_logprobs(
        predicting(fitted.model, recipe.name), [dev.document(index) for index in range(len(dev))]
    )
    bits = -sum(float(one.sum(dtype=np.float64)) for one in scores) / math.log(2) / dev.size_bytes
    bytes_per_token = dev.size_bytes / len(dev.tokens)
    seconds = time.perf_counter() - began
    return Probe(tokenizer.kind, tokenizer.vocabulary.size, bytes_per_token, order, bits, seconds)


def _first(documents: Any, limit_bytes: int) -> Iterator[Any]:
    taken = 0
    for document in documents:
        if taken >= limit_bytes:
            return
        taken += len(document.text.encode())
        yield document
