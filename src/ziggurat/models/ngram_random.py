"""A small n-gram model of random content that keeps all rules of a real one: what laws are tested on."""

import numpy as np
import numpy.typing as npt

from ziggurat.core.types import IdArray
from ziggurat.models.ngram_assembly import Level, assemble
from ziggurat.models.ngram_trie import NgramTrie

__all__ = ["random_trie"]


def random_trie(random: np.random.Generator, *, size: int, order: int, length: int = 97) -> NgramTrie:
    """Return a model of the n-grams in ``length`` random ids, among which id 0 begins and ends documents.

    *Maths.* p(w | h) = m_h q_h(w) + (1 − m_h) p(w | h′), with random q_h over the words that follow h, and random m_h;
    it sums to one because q_h and p(· | h′) do.
    """
    text = random.integers(0, size, length).astype(np.int32)
    every = np.arange(size, dtype=np.int32)[:, None]
    chances = random.dirichlet(np.ones(size))
    levels = [Level(every, np.log(chances).astype(np.float32), np.zeros(size, np.float32))]
    for width in range(2, order + 1):
        shorter, ngrams = levels[-1], _distinct(text, width)
        numbers = _numbers(shorter.ngrams, size)
        contexts = np.searchsorted(numbers, _numbers(ngrams[:, :-1], size))
        ends = np.searchsorted(numbers, _numbers(ngrams[:, 1:], size))
        share = random.gamma(1.0, size=len(ngrams))
        share /= np.bincount(contexts, weights=share, minlength=numbers.size)[contexts]
        mass = np.zeros(numbers.size)
        mass[contexts] = random.uniform(0.2, 0.9, numbers.size)[contexts]
        chances = mass[contexts] * share + (1 - mass[contexts]) * np.exp(shorter.logprobs[ends].astype(np.float64))
        shorter.backoffs[:] = np.log1p(-mass)
        levels.append(Level(ngrams, np.log(chances).astype(np.float32), np.zeros(len(ngrams), np.float32)))
    return assemble(levels, vocabulary_size=size)


def _distinct(text: IdArray, width: int) -> IdArray:
    """Return the distinct n-grams, sorted, of which none goes past a document's end."""
    windows = np.lib.stride_tricks.sliding_window_view(text, width)
    return np.unique(windows[(windows[:, 1:-1] != 0).all(axis=1)], axis=0)


def _numbers(ngrams: IdArray, size: int) -> npt.NDArray[np.int64]:
    """Return a number for each n-gram that sorts as the n-gram does."""
    return np.asarray(ngrams.astype(np.int64) @ size ** np.arange(ngrams.shape[1])[::-1])
