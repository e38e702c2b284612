"""What Word2Vec must know of the words before it begins: how often each stays, what is drawn against it, its path."""

import numpy as np
import numpy.typing as npt

from ziggurat.training.kernels import dice, huffman
from ziggurat.training.kernels.word2vec import Questions
from ziggurat.training.word_counts import Counts

__all__ = ["chances_to_stay", "huffman_questions", "sample_questions"]


def chances_to_stay(counts: Counts, sample: float) -> npt.NDArray[np.uint32]:
    """Return (V,) the chance, in 2⁻³² parts, that an occurrence of a word is trained on.

    *Maths.* √(t / f) + t / f for a word of frequency f and t = ``sample``, at most 1: what word2vec.c computes. Mikolov
    et al. 2013b, eq. 5, leaves out with the chance 1 − √(t / f).
    """
    frequency = counts / max(1, int(counts.sum()))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = sample / frequency
        chance = np.where((counts > 0) & (sample > 0), np.sqrt(ratio) + ratio, 1.0)
    return (np.minimum(chance, 1.0) * (2**32 - 1)).astype(np.uint32)


def sample_questions(counts: Counts, power: float) -> Questions:
    """Return the table that negative samples are drawn from: each word in proportion to its count to the ``power``.

    *Maths.* Mikolov et al. 2013b, section 2.2: the unigram distribution raised to the power ¾.
    """
    weights = np.where(counts > 0, np.maximum(counts, 1).astype(np.float64) ** power, 0.0)
    chances, others = np.zeros(counts.size, np.uint32), np.zeros(counts.size, np.int32)
    dice.alias_table(weights, chances, others, np.zeros(counts.size, np.int32))
    return Questions(chances, others, np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8))


def huffman_questions(counts: Counts) -> Questions:
    """Return each word's path through a Huffman tree; node 0 is the root, and there is one node less than words.

    *Maths.* Mikolov et al. 2013b, section 2.1. Words that do not occur have an empty path.
    """
    words = np.flatnonzero(counts)
    rising = words[np.argsort(counts[words], kind="stable")]
    parents, turns = np.zeros(2 * words.size - 1, np.int32), np.zeros(2 * words.size - 1, np.uint8)
    huffman.join_nodes(counts[rising], parents, turns)
    starts = np.zeros(words.size + 1, np.int64)
    huffman.write_paths(parents, turns, starts, np.zeros(0, np.int32), np.zeros(0, np.uint8))
    nodes, codes = np.zeros(starts[-1], np.int32), np.zeros(starts[-1], np.uint8)
    huffman.write_paths(parents, turns, starts, nodes, codes)
    by_word = np.argsort(rising)  # place among the rising ones of each word, in the order of ids
    lengths = np.diff(starts)[by_word]
    own = np.zeros(counts.size + 1, np.int64)
    own[words + 1] = lengths
    np.cumsum(own, out=own)
    order = np.repeat(starts[:-1][by_word] - own[words], lengths) + np.arange(starts[-1])
    return Questions(np.zeros(0, np.uint32), np.zeros(0, np.int32), own, nodes[order], codes[order])
