"""Word2Vec by its formulas, one pair after another in plain Python, with the draws of the compiled kernels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ziggurat.training.kernels.word2vec import Questions

END = -1
MASK = (1 << 64) - 1


class Dice:
    """SplitMix64, as its authors print it."""

    def __init__(self, state: int) -> None:
        """Begin with ``state``."""
        self.state = state

    def bits(self) -> int:
        """The next 64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def word(self, questions: Questions) -> int:
        """A word from the alias table."""
        bits = self.bits()
        hit = ((bits >> 32) * questions.chances.size) >> 32
        return hit if (bits & 0xFFFFFFFF) < questions.chances[hit] else int(questions.others[hit])


def sigmoid(x: Any) -> Any:
    """1 / (1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def asked(word: int, questions: Questions, negatives: int, dice: Dice) -> list[tuple[int, int]]:
    """The rows that a word is asked about, with their labels."""
    if questions.starts.size:
        span = slice(questions.starts[word], questions.starts[word + 1])
        return [
            (int(node), 1 - int(code)) for node, code in zip(questions.nodes[span], questions.codes[span], strict=True)
        ]
    samples = [dice.word(questions) for _ in range(negatives)]
    return [(word, 1), *((sample, 0) for sample in samples if sample != word)]


def neighbours(kept: Sequence[int], centre: int, window: int, dice: Dice, *, dynamic: bool) -> list[int]:
    """The words around a centre, up to the end of its text."""
    reach = window - (dice.bits() >> 32) % window if dynamic else window
    left = [kept[i] for i in range(max(0, centre - reach), centre)]
    right = list(kept[centre + 1 : centre + 1 + reach])
    left = left[len(left) - left[::-1].index(END) :] if END in left else left
    return left + (right[: right.index(END)] if END in right else right)


def train(
    kept: Sequence[int],
    inputs: np.ndarray[Any, Any],
    outputs: np.ndarray[Any, Any],
    questions: Questions,
    *,
    window: int,
    negatives: int,
    rate: float,
    seed: int,
    dynamic: bool = True,
    bags: bool = False,
) -> tuple[float, int]:
    """Train skip-gram, or CBOW where ``bags``, on the kept words; change the matrices and return loss and count.

    Mikolov et al. 2013b, eq. 4: each question t with label y costs −log σ(±u·h), and its gradient is (σ(u·h) − y).
    """
    dice, loss, count = Dice(seed), 0.0, 0
    ahead = asked(kept[0], questions, negatives, dice) if kept and kept[0] != END else []
    for centre in range(len(kept)):
        here, ahead = ahead, []
        if centre + 1 < len(kept) and kept[centre + 1] != END:
            ahead = asked(kept[centre + 1], questions, negatives, dice)
        if not here:
            continue
        around = neighbours(kept, centre, window, dice, dynamic=dynamic)
        if not around:
            continue
        hidden = inputs[around].mean(axis=0, keepdims=True) if bags else inputs[around]
        rows, labels = [row for row, _ in here], np.array([label for _, label in here])
        scores = hidden @ outputs[rows].T
        loss += float(-np.log(sigmoid(np.where(labels == 1, scores, -scores))).sum())
        steps = rate * (labels - sigmoid(scores))
        change = steps @ outputs[rows]
        if bags:
            np.add.at(outputs, rows, steps.T @ hidden)
            np.add.at(inputs, around, np.repeat(change, len(around), axis=0))
        else:
            back = np.zeros((len(rows), inputs.shape[1]))
            for step, row, own in zip(steps, around, change, strict=True):  # in turn: a word may stand there twice
                back += np.outer(step, inputs[row])
                inputs[row] += own
            np.add.at(outputs, rows, back)
        count += 1 if bags else len(around)
    return loss, count


def train_spelled(
    kept: Sequence[int],
    inputs: np.ndarray[Any, Any],
    outputs: np.ndarray[Any, Any],
    questions: Questions,
    bags: Sequence[Sequence[int]],
    *,
    window: int,
    negatives: int,
    rate: float,
    seed: int,
    dynamic: bool = True,
    cbow: bool = False,
) -> tuple[float, int]:
    """Train words that are the means of the rows in their ``bags``; change the matrices, return loss and count.

    Skip-gram asks the centre's bag for each neighbour, one after another; CBOW asks all neighbours' rows together for
    the centre. The whole step of the mean goes to each row, twice to a row that stands there twice.
    """
    dice, loss, count = Dice(seed), 0.0, 0
    for centre, word in enumerate(kept):
        if word == END:
            continue
        around = neighbours(kept, centre, window, dice, dynamic=dynamic)
        if not around:
            continue
        rows = [row for other in (around if cbow else [word]) for row in bags[other]]
        hidden = inputs[rows].mean(axis=0)
        before = hidden.copy()
        for target in [word] if cbow else around:
            here = asked(target, questions, negatives, dice)
            asked_rows, labels = [row for row, _ in here], np.array([label for _, label in here])
            scores = outputs[asked_rows] @ hidden
            loss += float(-np.log(sigmoid(np.where(labels == 1, scores, -scores))).sum())
            steps = rate * (labels - sigmoid(scores))
            change = steps @ outputs[asked_rows]
            np.add.at(outputs, asked_rows, np.outer(steps, hidden))
            hidden = hidden + change
            count += 1
        np.add.at(inputs, rows, hidden - before)
    return loss, count
