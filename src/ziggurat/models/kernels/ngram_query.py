"""Reading an n-gram model: probabilities of many tokens at once, the state after a prefix, whole distributions.

*Idea.* Written for throughput: the longest known n-gram that ends at each token is found order by order over a block
of tokens, so that hundreds of independent look-ups wait for memory at the same time. No look-up needs a link from an
n-gram to its end: the n-gram of k + 1 words that ends at token t continues the one of k words that ends at t − 1.

*Names.* A ``trie`` is ``(words, first_child, logprobs, backoffs)``. A *state* is, for each k below the order, the node
of the last k words, −1 where the model does not have them.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import prefetch
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["Trie", "advance", "locate", "next_logprobs", "read_logprobs", "score_tokens"]

Numbers: TypeAlias = npt.NDArray[np.integer]
Flags: TypeAlias = npt.NDArray[np.bool_]
Trie: TypeAlias = tuple[Numbers, Numbers, FloatArray, FloatArray]

_BLOCK = 1 << 10  # tokens scored together; their nodes stay in the fastest cache


@kernel(inline=True)
def _child(words: Numbers, first_child: Numbers, node: int, word: int) -> int:
    """Return the node that continues ``node`` by ``word``, or −1."""
    low = max(int(first_child[node]), 0)
    stop = min(int(first_child[node + 1]), words.size)  # a damaged file must not lead outside
    size = stop - low
    while size > 1:
        half = size >> 1
        low += half if words[low + half] <= word else 0
        size -= half
    return low if size == 1 and words[low] == word else -1


@kernel
def locate(words: Numbers, first_child: Numbers, ngrams: IdArray, nodes: Numbers) -> None:
    """Write the node of each row of ``ngrams``, (N, k) words, to ``nodes``; −1 where the model does not have it."""
    for row in range(ngrams.shape[0]):
        node = int(ngrams[row, 0])
        for column in range(1, ngrams.shape[1]):
            if node >= 0:
                node = _child(words, first_child, node, ngrams[row, column])
        nodes[row] = node


@kernel
def advance(trie: Trie, states: npt.NDArray[np.int64], ids: IdArray) -> None:
    """Append one id to each row's state, in place; states is (B, order − 1)."""
    for row in range(states.shape[0]):
        _append(trie[0], trie[1], states[row], ids[row])


@kernel(inline=True)
def _distribution(trie: Trie, nodes: Numbers, longest: int, logprobs: FloatArray) -> None:
    """Write the distribution of the next id, (V,), after a context of at most ``longest`` words.

    *Idea.* The unigrams, each weighted by the back-offs of all contexts; over them the words that follow the last
    word, weighted by the back-offs of the longer contexts; and so on up to the longest.
    """
    words, first_child, stored, backoffs = trie
    size = logprobs.size
    for length in range(longest + 1):
        node = nodes[length - 1] if length else -1
        if length and node < 0:
            continue
        weight = np.float32(0.0)  # of the longer contexts, added up as `score_tokens` does
        for longer in range(length, longest):
            if nodes[longer] >= 0:
                weight += backoffs[nodes[longer]]
        if length == 0:
            for word in range(size):
                logprobs[word] = stored[word] + weight
            continue
        for child in range(max(int(first_child[node]), 0), min(int(first_child[node + 1]), words.size)):
            if words[child] < size:
                logprobs[words[child]] = stored[child] + weight


@kernel(inline=True)
def _append(words: Numbers, first_child: Numbers, nodes: Numbers, word: int) -> None:
    """Append one id to a state, (order − 1,), in place."""
    for length in range(nodes.size - 1, 0, -1):
        context = nodes[length - 1]
        nodes[length] = _child(words, first_child, context, word) if context >= 0 else -1
    if nodes.size:
        nodes[0] = word


@kernel
def next_logprobs(trie: Trie, states: npt.NDArray[np.int64], logprobs: FloatArray) -> None:
    """Write the whole distribution of the next id after each state; logprobs is (B, V)."""
    for row in range(states.shape[0]):
        _distribution(trie, states[row], states.shape[1], logprobs[row])


@kernel
def read_logprobs(
    trie: Trie, before: IdArray, ids: IdArray, orders: npt.NDArray[np.int64], logprobs: FloatArray
) -> None:
    """Write the distribution that each order of ``orders`` gives of the id after each of (B, T) ``ids``.

    ``before`` is (B, order − 1): what stands before the ids, −1 where nothing does; logprobs is (B, T, K, V).
    """
    words, first_child = trie[0], trie[1]
    nodes = np.empty(before.shape[1], np.int64)
    for row in range(ids.shape[0]):
        nodes[:] = -1
        for place in range(before.shape[1]):
            if before[row, place] >= 0:
                _append(words, first_child, nodes, before[row, place])
        for place in range(ids.shape[1]):
            _append(words, first_child, nodes, ids[row, place])
            for number in range(orders.size):
                _distribution(trie, nodes, orders[number] - 1, logprobs[row, place, number])


@kernel
def _search(words: Numbers, low: Numbers, sizes: Numbers, wanted: IdArray, waiting: Numbers, count: int) -> None:
    """Move ``low`` to the last of ``words[low : low + sizes]`` that is at most ``wanted``, for all ``waiting`` at once.

    *Idea.* Binary searches in step with each other: each halves its range once a round and asks for the word that it
    will compare in the next, so memory answers for all of them while the others take their turn.
    """
    while count > 0:
        left = 0
        for number in range(count):
            i = waiting[number]
            half = sizes[i] >> 1
            low[i] += half if words[low[i] + half] <= wanted[i] else 0
            sizes[i] -= half
            prefetch(words, low[i] + (sizes[i] >> 1))
            waiting[left] = i
            left += 1 if sizes[i] > 1 else 0
        count = left


@kernel
def _continue(trie: Trie, nodes: Numbers, wanted: IdArray, opening: Flags, found: Numbers, context: int) -> None:
    """Write to ``found`` the n-gram one word longer than ``nodes`` that ends at each token, or −1.

    ``context`` is the n-gram of ``nodes``' length that ends before the first token.
    """
    words, first_child = trie[0], trie[1]
    sizes = np.empty(nodes.size, np.int64)
    waiting = np.empty(nodes.size, np.int64)
    count = 0
    for i in range(nodes.size):
        asked = (context >= 0) & (nodes[i] >= 0) & (not opening[i])
        parent = context if asked else 0
        low = max(int(first_child[parent]), 0)
        stop = min(int(first_child[parent + 1]), words.size, low + wanted[i] + 1)  # a damaged file stays inside
        found[i] = low
        sizes[i] = stop - low if asked else 0
        prefetch(words, low + (sizes[i] >> 1))
        waiting[count] = i
        count += 1 if sizes[i] > 1 else 0
        context = nodes[i]
    _search(words, found, sizes, wanted, waiting, count)
    for i in range(nodes.size):
        at = found[i] if sizes[i] == 1 else 0
        found[i] = at if (sizes[i] == 1) & (words[at] == wanted[i]) else -1


@kernel
def score_tokens(  # noqa: C901 - the block's life in one piece
    trie: Trie, tokens: IdArray, begins: Numbers, ends: Numbers, order: int, logprobs: FloatArray
) -> None:
    """Write log p(tokens[t] | tokens before it in its sequence) to ``logprobs[t]``, for all but each first token.

    Sequence s is ``tokens[begins[s]:ends[s]]``.
    """
    _, first_child, stored, backoffs = trie
    places, wanted = np.empty(_BLOCK, np.int64), np.empty(_BLOCK, np.int32)
    opening = np.empty(_BLOCK, np.bool_)  # whether a token is its sequence's first
    nodes = np.empty(_BLOCK, np.int64)  # the n-gram of the length at hand that ends at each token
    longer = np.empty(_BLOCK, np.int64)  # the same, one word longer
    best = np.empty(_BLOCK, np.int64)  # the longest n-gram that ends there
    weights = np.empty(_BLOCK, np.float32)  # back-offs of the contexts that it is too short for
    carried = np.full(order, -1, np.int64)  # by length: the n-gram that ends at the last token of the block before
    sequence = 0
    token = -1
    while sequence < begins.size:
        size = 0
        while size < _BLOCK and sequence < begins.size:
            opens = token < 0
            if opens:
                token = begins[sequence]
            if token >= ends[sequence]:
                sequence, token = sequence + 1, -1
                continue
            places[size], opening[size], weights[size] = token, opens, 0.0
            nodes[size] = best[size] = wanted[size] = tokens[token]
            size, token = size + 1, token + 1
        for length in range(1, order):
            context, carried[length] = carried[length], nodes[max(size - 1, 0)]
            _continue(trie, nodes[:size], wanted, opening, longer, context)
            for i in range(size):
                found = longer[i]
                asked = (context >= 0) & (not opening[i])
                weight = backoffs[context if asked else 0]
                weights[i] = 0.0 if found >= 0 else weights[i] + (weight if asked else np.float32(0.0))
                best[i] = found if found >= 0 else best[i]
                if length + 1 < order:
                    prefetch(first_child, max(found, 0))
                    prefetch(backoffs, max(found, 0))
                context, nodes[i] = nodes[i], found
        for i in range(size):
            prefetch(stored, best[i])
        for i in range(size):
            if not opening[i]:
                logprobs[places[i]] = stored[best[i]] + weights[i]
