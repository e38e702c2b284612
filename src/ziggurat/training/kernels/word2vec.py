"""Skip-gram and CBOW with negative samples or a Huffman tree: a stretch of text, word by word.

*Idea.* Each word of the text is a centre with a window of neighbours. In skip-gram (as trained by word2vec.c) every
neighbour's input vector is asked for the centre; in CBOW the mean of the neighbours' is. What is asked are yes–no
questions to rows of the output matrix: the centre itself and a few words drawn at random (negative sampling), or the
nodes on the centre's path through a Huffman tree (hierarchical softmax). The questions of one centre are drawn once and
put to all its neighbours (as in pWord2Vec, Ji et al. 2016), so that all products are one small matrix product.

*Maths.* For neighbour vector h, output rows u_t with labels y_t, the loss is −Σ_t log σ(±u_t·h) (Mikolov et al. 2013b,
eq. 4; for a tree eq. 3), its gradient (σ(u_t·h) − y_t). A step adds rate · (y_t − σ) · u_t to h and the same times h to
u_t, all with the values from before the step.

*Departs.* word2vec.c draws other negatives for each neighbour; their expectation is the same.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import kernel
from ziggurat.core.intrinsics import prefetch
from ziggurat.core.lanes import WIDTH, Source, add_rows, dot_rows, mean_row, spread_row
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.training.kernels.dice import State, draw, next_bits
from ziggurat.training.kernels.logistic import logistic_steps

__all__ = [
    "END",
    "Matrices",
    "Questions",
    "Work",
    "answer",
    "ask",
    "keep_words",
    "neighbours",
    "reach",
    "train_bags",
    "train_pairs",
]

Floats: TypeAlias = npt.NDArray[np.float32]

END = -1  # stands between two texts, and at both ends of the kept words
_FAR = np.float32(-30.0)  # a product that is as good as never asked: σ and loss are 0
_32 = np.uint64(32)


class Matrices(NamedTuple):
    """What is trained."""

    inputs: FloatArray
    """(V, D) vectors of words."""
    outputs: FloatArray
    """(V, D) vectors of targets, or of a tree's nodes."""


class Questions(NamedTuple):
    """What is asked of each word: negative samples, or a path through a tree where there are nodes."""

    chances: npt.NDArray[np.uint32]
    """(V,) alias table to draw negative samples from; see `ziggurat.training.kernels.dice`."""
    others: IdArray
    starts: npt.NDArray[np.int64]
    """(V + 1,) where each word's path begins; empty without a tree."""
    nodes: IdArray
    """Inner nodes on the paths."""
    codes: npt.NDArray[np.uint8]
    """Which way each path turns at its node; a 1 is the label 0."""


class Work(NamedTuple):
    """Memory of one thread."""

    state: State
    kept: IdArray
    """The words of the stretch that are left."""
    rows: IdArray
    """Input rows of a window."""
    bag: IdArray
    """Input rows of whole bags; see `ziggurat.training.kernels.spelled`."""
    targets: IdArray
    """Output rows of two centres in turn, each with room for the longest list."""
    labels: Floats
    products: Floats
    losses: Floats
    mean: IdArray
    """(1,) 0: the row of `hidden` that is asked."""
    hidden: FloatArray
    """(2, D) a mean of input rows, and what it was before its step."""


@kernel(borrows=True)
def keep_words(
    tokens: IdArray, chances: npt.NDArray[np.uint32], ends: tuple[int, int, int], work: Work
) -> tuple[int, int]:
    """Write the words of a stretch that are kept, with `END` between texts; return how many words it had and kept.

    Word w stays with the chance ``chances[w]`` · 2⁻³². ``ends`` is (bos, eos, unk); unk is left out.

    Unasked, the generator is not moved on: without leaving out, texts read the same whatever the seed.
    """
    kept, state = work.kept, work.state
    place = words = 0
    gap = True
    for token in tokens:
        if token == ends[0] or token == ends[1]:
            if not gap:
                kept[place] = END
                place += 1
                gap = True
            continue
        if token == ends[2]:
            continue
        words += 1
        chance = chances[token]
        if chance == np.uint32(0xFFFFFFFF) or np.uint32(next_bits(state) >> _32) <= chance:
            kept[place] = token
            place += 1
            gap = False
    return words, place


@kernel(inline=True, borrows=True)
def reach(kept: IdArray, size: int, centre: int, window: tuple[int, int], state: State) -> tuple[int, int]:
    """Return the first and last place of a centre's window: at most ``window[0]`` words, fewer at random if told."""
    furthest = window[0]
    if window[1]:
        furthest -= int((next_bits(state) >> _32) % np.uint64(window[0]))
    first = last = centre
    while first > 0 and centre - first < furthest and kept[first - 1] != END:
        first -= 1
    while last + 1 < size and last - centre < furthest and kept[last + 1] != END:
        last += 1
    return first, last


@kernel(inline=True, borrows=True)
def ask(word: int, questions: Questions, form: tuple[int, int], at: int, work: Work) -> int:
    """Write the questions about a word from ``at`` on, filled up to whole blocks; return how many they are with that.

    ``form`` is the length of a block and the number of negatives.

    Labels are 1 and 0; −1 is no question: a sample that is the word itself, or what fills the block.
    """
    targets, labels = work.targets, work.labels
    count = 0
    if questions.starts.size:
        for node in range(questions.starts[word], questions.starts[word + 1]):
            targets[at + count] = questions.nodes[node]
            labels[at + count] = np.float32(1 - questions.codes[node])
            count += 1
    else:
        targets[at] = word
        labels[at] = np.float32(1.0)
        count = 1
        for _ in range(form[1]):
            sample = draw(work.state, questions.chances, questions.others)
            targets[at + count] = sample
            labels[at + count] = np.float32(-1.0 if sample == word else 0.0)
            count += 1
    while count % form[0]:
        targets[at + count] = targets[at]
        labels[at + count] = np.float32(-1.0)
        count += 1
    return count


@kernel(inline=True, borrows=True)
def _fetch(matrix: FloatArray, row: int) -> None:
    """Ask for a row of a matrix ahead of its use."""
    for place in range(row * matrix.shape[1], (row + 1) * matrix.shape[1], WIDTH):
        prefetch(matrix, place)


@kernel(fast_math=True, inline=True, borrows=True)
def _set_aside(products: Floats, labels: Floats, block: int, count: int) -> float:
    """Make products that are no question harmless; return what label 1 takes off the loss."""
    loss = 0.0
    for t in range(block):
        if labels[t] < 0:
            for i in range(count):
                products[i * block + t] = _FAR
        elif labels[t] > 0:
            for i in range(count):
                loss -= min(max(products[i * block + t], _FAR), -_FAR)
    return loss


@kernel(inline=True, borrows=True)
def _take_back(steps: Floats, labels: Floats, block: int, count: int, rate: np.float32) -> None:
    """Correct steps that were made as if all labels were 0: for label 1, and for what was no question."""
    for t in range(block):
        if labels[t] > 0:
            for i in range(count):
                steps[i * block + t] += rate
        elif labels[t] < 0:
            for i in range(count):
                steps[i * block + t] = 0


@kernel(fast_math=True, inline=True, borrows=True)
def answer(
    source: Source,
    outputs: FloatArray,
    at: int,
    taken: tuple[int, ...],
    rate: np.float32,
    work: Work,
) -> float:
    """Put the block of questions that begins ``at`` to the rows of ``source``, make the step, and return the loss.

    ``source`` is a matrix, its rows, and how many they are.
    """
    products, losses, block, count = work.products, work.losses, len(taken), source[2]
    targets, labels = work.targets[at : at + block], work.labels[at : at + block]
    dot_rows(source, outputs, targets, taken, products)
    loss = _set_aside(products, labels, block, count)
    logistic_steps(products, count * block, rate, losses)
    for i in range(count * block):
        loss += losses[i]
    _take_back(products, labels, block, count, rate)
    add_rows(source, outputs, targets, taken, products)
    return loss


@kernel(inline=True, borrows=True)
def neighbours(size: int, centre: int, window: tuple[int, int, int], work: Work) -> int:
    """Write the words of a centre's window to ``work.rows`` and return their number."""
    first, last = reach(work.kept, size, centre, (window[0], window[1]), work.state)
    count = 0
    for place in range(first, last + 1):
        if place != centre:
            work.rows[count] = work.kept[place]
            count += 1
    return count


@kernel(inline=True, borrows=True)
def _prepare(
    size: int, centre: int, matrices: Matrices, questions: Questions, form: tuple[int, int, int, int], work: Work
) -> int:
    """Ask about the word that is next, and fetch the rows that it and the words after it will need.

    ``form`` is the window, the number of negatives, the block, and where the questions are to stand.
    """
    window, negatives, block, at = form
    inputs, outputs = matrices
    asked = 0
    if centre < size and work.kept[centre] != END:
        asked = ask(work.kept[centre], questions, (block, negatives), at, work)
        for place in range(at, at + asked):
            _fetch(outputs, work.targets[place])
    ahead = centre + window + 1
    if ahead < size and work.kept[ahead] != END:
        _fetch(inputs, work.kept[ahead])
    return asked


@kernel(borrows=True)
def train_pairs(
    size: int,
    matrices: Matrices,
    questions: Questions,
    window: tuple[int, int, int],
    taken: tuple[int, ...],
    rate: np.float32,
    work: Work,
) -> tuple[float, int]:
    """Train skip-gram on the first ``size`` kept words; return the summed loss and the number of pairs.

    Args:
        size: How many of ``work.kept`` there are.
        matrices: The vectors of words and those of targets.
        questions: What is asked about each word.
        window: Words on each side, whether fewer are taken at random, and the number of negative samples.
        taken: As many numbers as questions are put at once; see `ziggurat.core.lanes`.
        rate: Learning rate; 0 measures the loss and changes nothing.
        work: This thread's memory.
    """
    block, room = len(taken), work.targets.size // 2
    loss, pairs, here = 0.0, 0, 0
    asked = _prepare(size, 0, matrices, questions, (window[0], window[2], block, here), work)
    for centre in range(size):
        there = room - here
        next_asked = _prepare(size, centre + 1, matrices, questions, (window[0], window[2], block, there), work)
        if asked:
            count = neighbours(size, centre, window, work)
            if count:
                for at in range(here, here + asked, block):
                    loss += answer((matrices[0], work.rows, count), matrices[1], at, taken, rate, work)
                pairs += count
        here, asked = there, next_asked
    return loss, pairs


@kernel(borrows=True)
def train_bags(
    size: int,
    matrices: Matrices,
    questions: Questions,
    window: tuple[int, int, int],
    taken: tuple[int, ...],
    rate: np.float32,
    work: Work,
) -> tuple[float, int]:
    """Train CBOW on the first ``size`` kept words: the mean of a window's vectors is asked for its centre.

    Returns the summed loss and the number of centres; the arguments are those of `train_pairs`.

    *Maths.* The whole step of the mean is added to each vector of the window, as word2vec.c does (the gradient would be
    divided by their number).
    """
    hidden, block, room = work.hidden, len(taken), work.targets.size // 2
    loss, centres, here = 0.0, 0, 0
    asked = _prepare(size, 0, matrices, questions, (window[0], window[2], block, here), work)
    for centre in range(size):
        there = room - here
        next_asked = _prepare(size, centre + 1, matrices, questions, (window[0], window[2], block, there), work)
        if asked:
            count = neighbours(size, centre, window, work)
            if count:
                mean_row((matrices[0], work.rows, count), hidden)
                for at in range(here, here + asked, block):
                    loss += answer((hidden, work.mean, 1), matrices[1], at, taken, rate, work)
                spread_row((matrices[0], work.rows, count), hidden)
                centres += 1
        here, asked = there, next_asked
    return loss, centres
