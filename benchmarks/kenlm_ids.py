"""KenLM over ids: a model that lmplz makes of token ids written as words, asked through its Python module."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import run
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["KenlmModel", "build", "program"]


@dataclass(frozen=True)
class KenlmModel:
    """A model that was built, and what that took."""

    path: Path
    seconds: float
    """Both programs, as whole processes."""
    peak_bytes: int

    def logprobs(self, sequences: Sequence[IdArray], *, whole: bool) -> list[FloatArray]:
        """Return log-probabilities (nats) of each sequence's ids but the first.

        ``whole`` says that a sequence is a document, ``[bos, t1, …, tn, eos]``; else the first id is only read.
        """
        import kenlm

        model = kenlm.Model(str(self.path))
        return [_logprobs(model, sequence, whole=whole) for sequence in sequences]


def program(folder: Path, name: str) -> Path:
    """Return one of KenLM's programs from its build folder, or from the ``bin`` in it.

    Raises:
        SystemExit: it is not there.
    """
    for path in (folder / "bin" / name, folder / name):
        if path.is_file():
            return path
    raise SystemExit(f"--kenlm: no {name} in {folder} or {folder / 'bin'}: give the folder that KenLM was built in")


def build(folder: Path, sequences: Iterable[IdArray], order: int, place: Path) -> KenlmModel:
    """Count and smooth ``sequences`` (ids between begin and end, one a line) without pruning, and pack the result."""
    place.mkdir(parents=True, exist_ok=True)
    text, arpa, packed = place / "ids.txt", place / "model.arpa", place / "model.kenlm"
    with text.open("w", encoding="ascii") as file:
        file.writelines(_words(sequence) + "\n" for sequence in sequences)
    flags: list[str | Path] = ["-o", str(order), "-S", "4G", "-T", place / "lmplz", "--discount_fallback"]
    counted = run([program(folder, "lmplz"), *flags, "--text", text, "--arpa", arpa])
    made = run([program(folder, "build_binary"), "-T", place / "binary", "probing", arpa, packed])
    for path in (text, arpa):
        path.unlink()
    return KenlmModel(packed, counted.seconds + made.seconds, max(counted.peak_bytes, made.peak_bytes))


def _words(ids: IdArray) -> str:
    return " ".join(map(str, ids.tolist()))


def _logprobs(model: Any, sequence: IdArray, *, whole: bool) -> FloatArray:
    words = _words(sequence[1:-1] if whole else sequence)
    told = [score for score, _, _ in model.full_scores(words, bos=whole, eos=whole)]
    return np.array(told if whole else told[1:], dtype=np.float32) * np.float32(math.log(10))
