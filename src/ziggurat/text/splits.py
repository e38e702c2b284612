"""Which document trains, which tunes, which measures: decided by a hash of its text."""

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError
from ziggurat.text.options import TextConfig

__all__ = ["DEV", "FEWEST_DOCUMENTS", "SPLITS", "TEST", "TRAIN", "assign"]

TRAIN, DEV, TEST = 0, 1, 2
SPLITS = {"train": TRAIN, "dev": DEV, "test": TEST}
FEWEST_DOCUMENTS = 10
FEWEST_BYTES = 10_000


def assign(digests: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64], options: TextConfig) -> npt.NDArray[np.uint8]:
    """Return (documents,) splits.

    *Idea.* Documents in the order of their hashes fill first test, then dev, up to the asked part of all bytes or
    ``held_out_bytes``; the rest trains. The order of files does not matter, and text that is added later moves few
    documents.

    Raises:
        TooLittleTextError: there are too few documents or bytes to be split.
    """
    total = int(sizes.sum())
    if len(sizes) < FEWEST_DOCUMENTS or total < FEWEST_BYTES:
        raise TooLittleTextError(
            f"{len(sizes)} documents with {total:,} bytes are too little text to train and to measure on: "
            f"give at least {FEWEST_DOCUMENTS} documents (or one long file) and {FEWEST_BYTES:,} bytes"
        )
    result = np.full(len(sizes), TRAIN, dtype=np.uint8)
    order = np.lexsort((sizes, digests))
    at = 0
    for split, part in ((TEST, options.test), (DEV, options.dev)):
        wanted = min(part * total, options.held_out_bytes) if part else 0
        taken = 0
        while taken < wanted and at < len(order):
            result[order[at]] = split
            taken += int(sizes[order[at]])
            at += 1
    if not (result == TRAIN).any():
        raise TooLittleTextError("nothing is left to train on: make text.dev and text.test smaller")
    return result
