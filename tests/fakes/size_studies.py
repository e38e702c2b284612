"""A small finished study of sizes with round figures, and small bundles of word vectors to measure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.models.word_vectors import WordVectors
from ziggurat.study.choice import Choice, Scored
from ziggurat.study.pip_loss import Opinion
from ziggurat.study.size_result import Cost, EmbeddingSizes, SpectrumFacts, Verdict
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.words import WordsConfig


def row(size: int, score: float, *, behind: float = 0.0, spread: float = 0.02) -> Scored:
    """A row whose interval reaches ``spread`` to both sides."""
    low, high = (0.0, 0.0) if behind == 0 else (behind - spread, behind + spread)
    return Scored(size, score, (score - 0.001, score, score + 0.001), behind, low, high)


def choice(chosen: int, best: int, rows: Sequence[Scored], *, higher: bool = True) -> Choice:
    return Choice(chosen, best, higher, tuple(rows), 0.0123, 3)


ALPHAS = (
    Opinion(0.0, 61, 40, 83, ((1, 0.9), (61, 0.7), (300, 2.0))),
    Opinion(0.5, 53, 31, 71, ((1, 0.8), (53, 0.5), (300, 1.1))),
    Opinion(1.0, 37, 11, 67, ((1, 0.3), (37, 0.2), (300, 0.3))),
)


def study(*, rows: Sequence[Scored] | None = None, chosen: int = 50, best: int = 100, **changes: Any) -> EmbeddingSizes:
    """A study of 25, 50 and 100 numbers by analogies: 25 is worse, 50 can't be told from 100."""
    given = rows or (row(25, 0.31, behind=0.09), row(50, 0.39, behind=0.01), row(100, 0.40))
    loss = choice(100, 100, (row(25, 2.7, behind=0.1), row(50, 2.65, behind=0.05), row(100, 2.6)), higher=False)
    found = EmbeddingSizes(
        title="novels.jsonl",
        sources=("novels.jsonl",),
        command="ziggurat study embedding-size novels.jsonl --out runs/novels",
        recipe="skipgram",
        seed=7,
        seeds=3,
        sizes=(25, 50, 100),
        chosen=chosen,
        bundle="bundle",
        verdicts=(
            Verdict("analogies=q.txt", "q <of> mine", "quantity_analogies", 1009, choice(chosen, best, given)),
            Verdict("loss", "held-out loss", "quantity_loss", 61, loss),
        ),
        costs=(Cost(25, 2.0, 1_100_000, 250_000), Cost(50, 3.0, 2_200_000, 500_000), Cost(100, 6.0, 4_400_000, 10**6)),
        spectrum=SpectrumFacts(659, 0.501, 0.35, 1.1, ALPHAS),
        seconds=93.0,
        tokens=638_476,
        vocabulary=6_987,
        machine={"version": "0.1.0", "python": "3.11.7", "cores": 2},
    )
    return replace(found, **changes)


def word_bundle(
    path: Path, vectors: Mapping[str, Sequence[float]], *, training: Mapping[str, Any] | None = None
) -> Bundle:
    """Save word vectors as a bundle whose words are those of ``vectors``, the most frequent first."""
    words = list(vectors)
    text = " ".join(word for number, word in enumerate(words) for _ in range(len(words) - number))
    tokenizer = train_tokenizer([text], "words", WordsConfig())
    width = len(next(iter(vectors.values())))
    matrix: npt.NDArray[np.float32] = np.zeros((2 + len(words), width), np.float32)
    matrix[2:] = list(vectors.values())
    assert tokenizer.encode(" ".join(words)).ids.tolist() == list(range(2, 2 + len(words)))
    return save(
        path,
        family="word_vectors",
        model=WordVectors(matrix, tokenizer.vocabulary),
        tokenizer=tokenizer,
        provenance=Provenance(
            recipe={"name": "made-up", "family": "word_vectors"},
            seed=0,
            corpus={"splits": {}},
            training={"seconds": 1.5, **(training or {})},
        ),
    )
