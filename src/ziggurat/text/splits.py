"""Which document trains, which tunes, which measures: decided by a hash of its text."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import TooLittleTextError, UnknownNameError
from ziggurat.text.options import TextConfig

__all__ = [
    "DEV",
    "FEWEST_DOCUMENTS",
    "SPLITS",
    "TEST",
    "TRAIN",
    "UNDECIDED",
    "assign",
    "check_read",
    "hold_out",
    "named_split",
]

TRAIN, DEV, TEST = 0, 1, 2
UNDECIDED = 255
"""Stands for the split of what is still to be split."""
SPLITS = {"train": TRAIN, "dev": DEV, "test": TEST}
FEWEST_DOCUMENTS = 10
FEWEST_BYTES = 10_000


def named_split(name: str) -> tuple[str, str]:
    """Return the split that a name begins with, as in ``test=more.tsv``, or nothing; and the rest of the name.

    Raises:
        UnknownNameError: there is no such split, but a file of the name that follows.
    """
    split, equals, path = name.partition("=")
    if not equals or Path(name).exists():
        return "", name
    if split not in SPLITS:
        if not Path(path).exists():
            return "", name  # a sign of the name's own, as in data=1/*.tsv
        raise UnknownNameError("split", split, tuple(SPLITS), where=name)
    return split, path


def check_read(label: str, count: int) -> None:
    """Refuse a file, by its ``label``, of which ``count`` examples were read where these are none.

    Raises:
        TooLittleTextError: so it is.
    """
    if not count:
        raise TooLittleTextError(f"{label}: holds no examples; leave it out, or give another file")


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


def hold_out(
    split: npt.NDArray[np.uint8], hashes: npt.NDArray[np.uint64], options: TextConfig, given: set[str]
) -> npt.NDArray[np.bool_]:
    """Write into ``split`` (N,) that of examples for which nobody has decided it; return (N,) which are kept.

    ``hashes`` (N,) are those of the texts; ``given`` names the splits that have files of their own.

    *Idea.* Different texts in the order of their hashes fill first test, then dev, up to the asked part of them; a
    split that has a file of its own gets no more. Equal texts stay together, what is held out is not learnt from, and
    what a file of its own holds out for one split is in no other.

    Raises:
        TooLittleTextError: all that could be learnt from is held out, by files or by the parts that are asked for.
    """
    free = split == UNDECIDED
    split[free & np.isin(hashes, hashes[~free & (split != TRAIN)])] = TRAIN  # held out already: they are left out below
    free = split == UNDECIDED
    texts, places = np.unique(hashes[free], return_inverse=True)
    decided = np.full(len(texts), TRAIN, np.uint8)
    at = 0
    for name, part in (("test", options.test), ("dev", options.dev)):
        if name not in given and len(texts) >= FEWEST_DOCUMENTS:
            count = round(part * len(texts))
            decided[at : at + count] = SPLITS[name]
            at += count
    split[free] = decided[places]
    learnt = split == TRAIN
    left_out = learnt & np.isin(hashes, hashes[~learnt])
    if len(split) and not (learnt & ~left_out).any():
        if free.any():
            raise TooLittleTextError("nothing is left to train on: make text.dev and text.test smaller")
        raise TooLittleTextError("nothing is left to train on: all of it stands in what is held out too")
    return np.asarray(~left_out)
