"""The best sentences of a word lattice by sound and language together, with a language model of any family.

*Idea.* The best sentence is often none of the recogniser's best hundred, which differ in one small word here and there,
but most often it is in the lattice. So the lattice is read from its first node to its last: at each node the beginnings
that end there are scored by the language model, and the best of them go on. Those compete that end in the same word,
begun at the same time.

*Maths.* score(w) = log p(sound | w) + λ log p(w) + ω |w|, in nats, as in `ziggurat.use.rescoring`, of beginnings as of
whole sentences; the end of the text counts at the last node. A beam for each node: Ney & Ortmanns 1999, "Dynamic
programming search for continuous speech recognition", on lattices. Where ``beam`` is as large as the number of
sentences, the search is exact.

*Cost.* The model reads at most ``READ`` × ``beam`` beginnings a node from their first word on: a second for an n-gram
and a lattice of five hundred nodes, a minute for a network on a processor.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ziggurat.core.protocols import LanguageModel, Tokenizer
from ziggurat.core.types import IdArray
from ziggurat.models.windows import document_logprobs
from ziggurat.use.lattice import Lattice
from ziggurat.use.rescoring import Hypothesis, RescoringConfig

__all__ = ["READ", "search"]

Words = tuple[str, ...]

READ = 3
"""Beginnings that the model reads at a node, times the beam: those that are best by sound and what was read before."""


def search(
    lattice: Lattice,
    model: LanguageModel,
    tokenizer: Tokenizer,
    weights: RescoringConfig | None = None,
    *,
    beam: int = 30,
    first: Callable[[Sequence[str]], float] | None = None,
) -> list[Hypothesis]:
    """Return up to ``beam`` sentences of a lattice, the best first.

    ``first`` tells log p(words) by the recogniser's own language model, where that is to be kept with each; it takes
    no part in the search, so `RescoringConfig.first_weight` changes nothing.
    """
    weighed = RescoringConfig() if weights is None else weights
    read = _Reader(model, tokenizer)
    waiting: dict[int, dict[Words, float]] = {lattice.first: {(): 0.0}}
    ends: dict[Words, float] = {}
    for node in lattice.in_order():
        ways = waiting.pop(node, {})
        ended = node == lattice.last
        kept = _best(ways, weighed, beam, read, ended=ended)
        if ended:
            ends = kept
        for edge in lattice.out(node):
            word = lattice.words[edge.end]
            reached = waiting.setdefault(edge.end, {})
            for words, acoustic in kept.items():
                longer = (*words, word) if word else words
                reached[longer] = max(acoustic + edge.acoustic, reached.get(longer, -np.inf))
    told = first if first is not None else (lambda _: 0.0)
    return [Hypothesis(" ".join(words), acoustic, told(words)) for words, acoustic in ends.items()]


def _best(
    ways: dict[Words, float], weights: RescoringConfig, beam: int, read: "_Reader", *, ended: bool
) -> dict[Words, float]:
    """Return the best ways to a node with their acoustic scores, the best first."""
    if len(ways) > READ * beam:
        guessed = {words: acoustic + _worth(words, read.so_far(words), weights) for words, acoustic in ways.items()}
        ways = {words: ways[words] for words in heapq.nlargest(READ * beam, guessed, key=guessed.__getitem__)}
    logprobs = read.logprobs(ways, ended=ended)
    scores = {words: acoustic + _worth(words, logprobs[words], weights) for words, acoustic in ways.items()}
    return {words: ways[words] for words in heapq.nlargest(beam, scores, key=scores.__getitem__)}


def _worth(words: Words, logprob: float, weights: RescoringConfig) -> float:
    return weights.lm_weight * logprob + weights.word_bonus * len(words)


class _Reader:
    """Log-probabilities of beginnings, each read once."""

    def __init__(self, model: LanguageModel, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._known: dict[tuple[Words, bool], float] = {((), False): 0.0}

    def so_far(self, words: Words) -> float:
        """Return the log-probability of what was read of a beginning: all of it, or all but its last word."""
        known = self._known.get((words, False))
        return self._known.get((words[:-1], False), 0.0) if known is None else known

    def logprobs(self, ways: Iterable[Words], *, ended: bool) -> dict[Words, float]:
        """Return log p of each beginning; of each whole text where it is ``ended``."""
        ways = list(ways)
        new = [words for words in ways if (words, ended) not in self._known]
        if new:
            for words, logprobs in zip(new, document_logprobs(self._model, self._ids(new, ended)), strict=True):
                self._known[words, ended] = float(logprobs.sum(dtype=np.float64))
        return {words: self._known[words, ended] for words in ways}

    def _ids(self, texts: Sequence[Words], ended: bool) -> list[IdArray]:
        vocabulary = self._tokenizer.vocabulary
        rows = self._tokenizer.encode_batch([" ".join(words) for words in texts])
        tail = [vocabulary.eos] if ended else []
        return [np.concatenate([[vocabulary.bos], row, tail]).astype(np.int32) for row in rows]
