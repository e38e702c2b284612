"""Sentences of random words, as what labels words reads them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ziggurat.core.types import WordBatch


def word_batch(words: Sequence[int], *, ids: int = 11, seed: int = 5, spare: int = 0, filler: int = 0) -> WordBatch:
    """Rows of so many words, each of one to three ids and one to five characters; ``spare`` places of padding more.

    What a row holds depends on the seed and on the row's number alone; ``filler`` stands in all padding.
    """
    rows = []
    for row, count in enumerate(words):
        dice = np.random.default_rng([seed, row])
        pieces = dice.integers(1, 4, size=count)
        spelled = [dice.integers(98, 124, size=size).tolist() for size in dice.integers(1, 6, size=count)]
        rows.append(([0, *dice.integers(1, ids, size=pieces.sum()), 0], 1 + np.cumsum(pieces) - pieces, spelled))
    time = max((len(row[0]) for row in rows), default=0) + spare
    wide = max(words, default=0) + spare
    found = WordBatch(
        np.full((len(rows), time), filler % ids, np.int32),
        np.array([len(row[0]) for row in rows], np.int32),
        np.full((len(rows), wide), min(filler, max(0, time - 1)), np.int32),
        np.array(words, np.int32),
        np.zeros((len(rows), wide, 5 + spare), np.int32),
    )
    for row, (text, firsts, spelled) in enumerate(rows):
        found.ids[row, : len(text)] = text
        found.firsts[row, : len(firsts)] = firsts
        found.characters[row, len(firsts) :] = filler
        for word, characters in enumerate(spelled):
            found.characters[row, word, : len(characters)] = characters
    return found


def rows_of(batch: WordBatch, rows: Sequence[int]) -> WordBatch:
    """These rows of a batch, in this order, with all its padding."""
    chosen = np.array(rows, np.int64)
    arrays = (batch.ids, batch.lengths, batch.firsts, batch.words, batch.characters)
    marks = None if batch.marks is None else batch.marks[chosen]
    ids, lengths, firsts, words, characters = (array[chosen] for array in arrays)
    return WordBatch(ids, lengths, firsts, words, characters, marks)


def marked(batch: WordBatch, marks: Sequence[range], *, filler: int = 0) -> WordBatch:
    """The same sentences with these words marked in each row; ``filler`` stands in the padding."""
    found = np.full(batch.firsts.shape, filler, np.int32)
    for row, words in enumerate(marks):
        found[row, : batch.words[row]] = 0
        found[row, words.start : words.stop] = 1
    return replace(batch, marks=found)
