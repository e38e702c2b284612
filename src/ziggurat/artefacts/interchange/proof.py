"""Proving a file in a foreign format: a model read back from it has the same tokens and the same probabilities.

*Idea.* A file that opens is no proof: a tokenizer that cuts otherwise, or two matrices exchanged, still write something
that looks like text. So whoever exports compares what the file says with what the bundle says, and keeps it only where
they agree. Tokens are compared on texts that break tokenizers, probabilities of all next ids on random ids.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ziggurat.core.errors import ArtefactError
from ziggurat.core.protocols import LanguageModel, Tokenizer
from ziggurat.core.seeding import generator
from ziggurat.core.types import FloatArray, IdArray, Vocabulary

__all__ = [
    "TEXTS",
    "Proof",
    "Tolerance",
    "compare_logprobs",
    "compare_outputs",
    "compare_tokens",
    "greedy",
    "next_logprobs",
    "proof_texts",
    "random_ids",
    "with_greedy",
]

TEXTS: tuple[str, ...] = (
    "The quick brown fox jumps over the lazy dog.",
    "I'll say we've done what they'd DON'T, it's O'Neil's 'tis; he'S SHE'LL I'm you're",
    "零和博弈与语言模型：统计方法、神经网络，都在这里。Ｆｕｌｌ　ｗｉｄｔｈ",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇨🇳 e\u0301 n\u0303o a\u030a\u0323 ﬁ Å",
    "0 12 123 1234 12345 3.14159 1,000,000 2026-11-26 ½ ² ٣ ४",
    " one  two   three    four     five      six",
    "line\nline\n\nline\n\n\n line\r\nline \n \n  end\n",
    "\tone\t\ttwo \t three\t\n\t",
    "   ",
    "\n\n\n",
    "def f(x):\n    return {'a': [x**2, -1.5e-3]}  # ok?!... <|not special|> <s> </s> [PAD]",
    "Grüße, naïve café, Ελλάδα, Привет, שלום, مرحبا, नमस्ते, ภาษาไทย, 한국어, 日本語",
    "supercalifragilisticexpialidocious" * 12,
    "语言" * 90,
    "a",
    "!@#$%^&*()_+-=[]{}|;':\",./<>?`~",
    "\u00a0no-break\u2003em\u3000ideographic\u200bzero",
)
"""Texts on which tokenizers differ: contractions, scripts, joined emoji, combining marks, digits, runs of spaces."""

_ROWS = 2
_MOST_IDS = 24
_DRAWN_TEXTS, _DRAWN_IDS = 11, 53


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far probabilities may lie apart; what stores numbers with fewer bits can't be held to what stores all."""

    largest: float
    """Nats between two log-probabilities of the same id."""
    divergence: float = float("inf")
    """Mean Kullback–Leibler divergence, nats a position."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found equal, and how nearly."""

    program: str
    """Which program read the file: ``Ziggurat``, ``llama.cpp``, ``onnxruntime``."""
    tokens: int
    """Tokens compared, all equal; 0 where the format holds no tokenizer."""
    positions: int
    """Positions at which the probabilities of all ids were compared."""
    largest: float
    """Largest difference between two log-probabilities, nats."""
    divergence: float
    """Mean Kullback–Leibler divergence of the file's distribution from the bundle's, nats a position."""
    same_best: int | None
    """Positions at which both find the same id likeliest; None where vectors or logits were compared, and ``largest``
    is the difference of two numbers, beside the larger of 1 and their size."""
    written: int = 0
    """Ids that the program wrote on after a text, always the likeliest."""
    same_written: int = 0
    """Those of them that the bundle's model finds likeliest at their place, too."""


def proof_texts(tokenizer: Tokenizer) -> list[str]:
    """Return `TEXTS`, and texts of a tokenizer's own tokens in an order drawn once: joints that few texts have."""
    drawn = generator(0, "interchange", "texts").integers(0, tokenizer.vocabulary.size, (_DRAWN_TEXTS, _DRAWN_IDS))
    return [*TEXTS, *(tokenizer.decode(ids.tolist()) for ids in drawn)]


def compare_tokens(tokenizer: Tokenizer, found: Callable[[str], Sequence[int]], *, where: str) -> int:
    """Return how many tokens of `proof_texts` were compared; ``found`` is what the other program makes of a text.

    Raises:
        ArtefactError: they differ; the message names the text and the first token that does.
    """
    count = 0
    for text in proof_texts(tokenizer):
        ours, theirs = tokenizer.encode(text).ids.tolist(), [int(token) for token in found(text)]
        if ours != theirs:
            place = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), len(ours))
            some = slice(max(0, place - 1), place + 3)
            raise ArtefactError(
                f"{where}: the text {text[:24]!r} gives other tokens there, from token {place + 1} on: "
                f"{theirs[some]} instead of {ours[some]}: not kept"
            )
        count += len(ours)
    return count


def random_ids(vocabulary: Vocabulary, context: int | None) -> IdArray:
    """Return (rows, T) ids that begin as texts do and go on at random, as long as models are usually compared."""
    length = min(_MOST_IDS, context or _MOST_IDS)
    ids = generator(0, "interchange", "proof").integers(0, vocabulary.size, (_ROWS, length), dtype=np.int32)
    ids[:, 0] = vocabulary.bos
    return ids


def next_logprobs(model: LanguageModel, ids: IdArray) -> FloatArray:
    """Return (rows × T, V): the log-probabilities of all ids after every prefix of ``ids`` (rows, T)."""
    time = ids.shape[1]
    lengths = np.arange(1, time + 1, dtype=np.int32)
    return np.concatenate([model.begin(np.repeat(row[None], time, axis=0), lengths)[0] for row in ids])


def greedy(model: LanguageModel, ids: IdArray, count: int) -> list[int]:
    """Return up to ``count`` ids after ``ids`` (T,), each the likeliest, the one that ends a text included."""
    room = count if model.context is None else min(count, model.context - len(ids))
    logprobs, state = model.begin(ids[None], np.array([len(ids)], np.int32))
    written: list[int] = []
    while len(written) < room:
        written.append(int(logprobs[0].argmax()))
        if written[-1] == model.vocabulary.eos:
            break
        if len(written) < room:
            logprobs, state = model.step(state, np.array(written[-1:], np.int32))
    return written


def with_greedy(proof: Proof, model: LanguageModel, ids: IdArray, written: Sequence[int]) -> Proof:
    """Return a proof that also says how many ids ``written`` after ``ids`` the bundle's ``model`` would have chosen."""
    if not written:
        return proof
    whole = np.concatenate([ids, np.array(written, np.int32)])[None]
    best = next_logprobs(model, whole[:, :-1])[len(ids) - 1 :].argmax(axis=1)
    return replace(proof, written=len(written), same_written=int((best == np.array(written)).sum()))


def compare_logprobs(
    expected: FloatArray, found: FloatArray, tolerance: Tolerance, *, tokens: int, program: str, path: Path
) -> Proof:
    """Return how nearly two (N, V) arrays of log-probabilities agree; ``tokens`` were compared before.

    Raises:
        ArtefactError: they are further apart than ``tolerance`` says, or not finite.
    """
    difference = float(np.abs(expected - found).max())
    divergence = float((np.exp(expected) * (expected - found)).sum(axis=1, dtype=np.float64).mean())
    same = int((expected.argmax(axis=1) == found.argmax(axis=1)).sum())
    if not (difference <= tolerance.largest and divergence <= tolerance.divergence):
        raise ArtefactError(
            f"{path}: read back by {program}, log-probabilities differ by up to {difference:.1e} nats "
            f"(divergence {divergence:.1e}), more than this form of the file explains: not kept"
        )
    return Proof(program, tokens, len(expected), difference, max(0.0, divergence), same)


def compare_outputs(
    pairs: Sequence[tuple[FloatArray, FloatArray]], largest: float, *, tokens: int, program: str, path: Path
) -> Proof:
    """Return how nearly arrays (rows, T, …) agree, ours and theirs; ``tokens`` were compared before.

    Raises:
        ArtefactError: two numbers differ by more than ``largest``, beside the larger of 1 and their size, or are none.
    """
    differences = [float((np.abs(theirs - ours) / np.maximum(1, np.abs(ours))).max()) for ours, theirs in pairs]
    worst = max(differences)
    if not all(difference <= largest for difference in differences):
        raise ArtefactError(f"{path}: read back by {program}, what it gives differs by up to {worst:.1e}: not kept")
    rows, time = pairs[0][0].shape[:2]
    return Proof(program, tokens, rows * time, worst, 0.0, None)
