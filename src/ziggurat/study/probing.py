"""Choosing the tokenizer of a climb: every candidate carries an n-gram model, and bits per byte on dev decide.

*Idea.* An n-gram model is fitted in about a second and tells how much of a text's order a tokenization lets a model
see. Bits per byte compare across tokenizers, so the candidates compete on one scale. A BPE is trained once and cut to
smaller sizes.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.protocols import Tokenizer
from ziggurat.models.ngram import FAMILY, NgramConfig
from ziggurat.models.windows import document_logprobs
from ziggurat.study.result import Probe
from ziggurat.text.corpus import Corpus
from ziggurat.tokens.loading import TOKENIZERS
from ziggurat.tokens.store import write_store
from ziggurat.training import count
from ziggurat.training.job import Job

__all__ = ["order_for", "probe"]

SIZES = (512, 1024, 2048, 4096, 8192, 16384)
BYTES_PER_ENTRY = 400
"""A vocabulary is tried while the training text has so many bytes for each of its entries: rarer ones teach little."""
SAMPLE_BYTES = 4_000_000
REACH_BYTES = 14
MARGIN = 0.003
"""Bits per byte that a larger vocabulary must gain: a smaller one trains faster networks."""


def probe(corpus: Corpus, *, seed: int) -> tuple[str, Any, list[Probe]]:
    """Return the chosen kind, its configuration, and all that was tried, best first.

    *Cost.* A few seconds: at most 4 MB of training text are used.
    """
    with tempfile.TemporaryDirectory(prefix="ziggurat-probe-") as folder:
        probes = [_try(corpus, tokenizer, Path(folder), seed=seed) for tokenizer in _candidates(corpus)]
    best = min(p.dev_bits_per_byte for p in probes)
    chosen = min((p for p in probes if p.dev_bits_per_byte <= best + MARGIN), key=lambda p: p.vocabulary)
    kind = TOKENIZERS.get(chosen.kind)
    keys = {"vocab_size": chosen.vocabulary} if chosen.kind == "bpe" else {}
    return chosen.kind, kind.config(**keys), sorted(probes, key=lambda p: p.dev_bits_per_byte)


def order_for(bytes_per_token: float) -> int:
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


def _try(corpus: Corpus, tokenizer: Tokenizer, folder: Path, *, seed: int) -> Probe:
    began = time.perf_counter()
    train = write_store(tokenizer, _first(corpus.train, SAMPLE_BYTES), folder / "train")
    dev = write_store(tokenizer, corpus.dev, folder / "dev")
    bytes_per_token = dev.size_bytes / max(1, len(dev.tokens))
    order = order_for(bytes_per_token)
    job = Job(
        family=FAMILY, model_config=NgramConfig(order=order), config=count.Config(), train=train, dev=None, seed=seed
    )
    model = count.fit(job).model
    scores = document_logprobs(model, [dev.document(index) for index in range(len(dev))])
    bits = -sum(float(one.sum(dtype=np.float64)) for one in scores) / math.log(2) / dev.size_bytes
    return Probe(tokenizer.kind, tokenizer.vocabulary.size, bytes_per_token, order, bits, time.perf_counter() - began)


def _first(documents: Any, limit_bytes: int) -> Iterator[Any]:
    taken = 0
    for document in documents:
        if taken >= limit_bytes:
            return
        taken += len(document.text.encode())
        yield document
