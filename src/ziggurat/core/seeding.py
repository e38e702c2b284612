"""One generator, passed in: where randomness comes from."""

import hashlib

import numpy as np
import numpy.typing as npt

__all__ = ["derive", "generator", "uniform_rows"]


def derive(seed: int, *purpose: str | int) -> int:
    """Return a seed for one purpose, so that two uses of one seed never share a stream.

    Shapes and units: a non-negative integer below 2**63.

    >>> derive(0, "init") == derive(0, "init"), derive(0, "init") == derive(0, "data")
    (True, False)
    """
    words = "\x1f".join([str(seed), *map(str, purpose)])
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return NumPy's generator for one purpose of ``seed``."""
    return np.random.default_rng(derive(seed, *purpose))


def uniform_rows(rows: int, width: int, seed: int, *purpose: str | int) -> npt.NDArray[np.float32]:
    """Return (rows, width) numbers drawn for one purpose of ``seed``, uniform in ±1 / width."""
    drawn = generator(seed, *purpose).random((rows, width), np.float32)
    drawn -= np.float32(0.5)
    drawn *= np.float32(2 / width)
    return drawn
