"""How likely a model finds each of a few continuations of many prompts: the shared beginning is read once.

Axes: **N** prompts, **L** labels, **B** prompts read together, **V** vocabulary.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ziggurat.core.protocols import Extends, LanguageModel, State
from ziggurat.core.types import FloatArray, IdArray

__all__ = ["LabelScorer", "common_prefix"]

BATCH_TOKENS = 8192
"""Ids that stand in the memory of one batch at most: rows times the longest of them."""

BATCH_LOGITS = 1 << 24
"""Log-probabilities that one step may give: 64 MB in 32-bit."""

Scores = npt.NDArray[np.float64]


class LabelScorer:
    """Scores the same labels after any prompts.

    *Idea.* Prompts that show the same examples begin alike, so the model reads what they share once and every prompt
    goes on from a copy of that state. Labels go on from the state after their prompt in turn; those that begin with
    the same ids share these as well.

    *Cost.* S + Σ (n − S) ids read for prompts of n ids of which they share S, and one step for every further id of a
    label; a model without `Extends` reads each prompt from its begin. Memory of at most ``batch_tokens`` ids at once.
    """

    def __init__(self, model: LanguageModel, labels: Sequence[IdArray], *, batch_tokens: int = BATCH_TOKENS) -> None:
        """Ask ``model`` about ``labels``, each of at least one id."""
        self._model = model
        self._labels = [tuple(label.tolist()) for label in labels]
        self._batch_tokens = batch_tokens
        self._prefix: IdArray = np.zeros(0, np.int32)
        self._prefix_state: State = None

    def logprobs(self, prompts: Sequence[IdArray]) -> Scores:
        """Return (N, L) nats: log p(label | prompt), the sum over the label's ids; each prompt begins with its ``bos``.

        Raises:
            UsageError: a prompt with its label is longer than the model's context.
        """
        found = np.zeros((len(prompts), len(self._labels)))
        if not len(prompts):
            return found
        shared = self._share(prompts)
        for rows in self._batches([len(prompt) for prompt in prompts], shared):
            found[rows] = self._score([prompts[row] for row in rows], shared)
        return found

    def _share(self, prompts: Sequence[IdArray]) -> int:
        """Return how many ids of the prompts are read already; read what they share where that pays."""
        if not isinstance(self._model, Extends):
            return 0
        shared = min(common_prefix(prompts), min(map(len, prompts)) - 1)  # each has an id left to be read
        held = len(self._prefix)
        usable = held <= shared and bool((prompts[0][:held] == self._prefix).all())
        if shared and not (usable and (shared - held) * len(prompts) <= shared):
            self._prefix = prompts[0][:shared].copy()
            _, self._prefix_state = self._model.begin(self._prefix[None], np.array([shared], np.int32))
        return len(self._prefix) if shared else 0

    def _batches(self, lengths: Sequence[int], shared: int) -> Iterator[list[int]]:
        """Yield rows that are read together: of like length, and within the bounds of memory."""
        most = max((len(prefixes) for prefixes in self._prefixes()), default=1)
        room = max(1, BATCH_LOGITS // (most * self._model.vocabulary.size))
        order = sorted(range(len(lengths)), key=lambda row: lengths[row])
        batch: list[int] = []
        for row in order:
            longest = lengths[row] + max(map(len, self._labels)) - 1
            crowded = len(batch) >= room or (len(batch) + 1) * most * longest > self._batch_tokens
            if batch and (crowded or lengths[row] - shared > 2 * (lengths[batch[0]] - shared) + 32):
                yield batch
                batch = []
            batch.append(row)
        yield batch

    def _score(self, prompts: Sequence[IdArray], shared: int) -> Scores:
        """Return (B, L) for prompts of one batch."""
        rows = len(prompts)
        logprobs, state = self._read(prompts, shared)
        found = np.stack([logprobs[:, label[0]] for label in self._labels], axis=1).astype(np.float64)
        places: dict[tuple[int, ...], int] = {(): 0}
        for prefixes in self._prefixes():  # row p·B + b of a level: prompt b with prefix p behind it
            grown = [places[prefix[:-1]] * rows + row for prefix in prefixes for row in range(rows)]
            state = self._model.reorder(state, np.array(grown, np.int32))
            newest = np.repeat(np.array([prefix[-1] for prefix in prefixes], np.int32), rows)
            logprobs, state = self._model.step(state, newest)
            places = {prefix: place for place, prefix in enumerate(prefixes)}
            depth = len(prefixes[0])
            for number, label in enumerate(self._labels):
                if len(label) > depth:
                    start = places[label[:depth]] * rows
                    found[:, number] += logprobs[start : start + rows, label[depth]]
        return found

    def _read(self, prompts: Sequence[IdArray], shared: int) -> tuple[FloatArray, State]:
        lengths = np.array([len(prompt) - shared for prompt in prompts], np.int32)
        ids = np.zeros((len(prompts), int(lengths.max())), np.int32)
        for row, prompt in enumerate(prompts):
            ids[row, : lengths[row]] = prompt[shared:]
        if shared and isinstance(self._model, Extends):
            state = self._model.reorder(self._prefix_state, np.zeros(len(prompts), np.int32))
            return self._model.extend(state, ids, lengths)
        return self._model.begin(ids, lengths)

    def _prefixes(self) -> Iterator[list[tuple[int, ...]]]:
        """Yield for 1, 2, … ids the different beginnings of labels that are longer than that."""
        for depth in range(1, max(map(len, self._labels))):
            yield list(dict.fromkeys(label[:depth] for label in self._labels if len(label) > depth))


def common_prefix(sequences: Sequence[IdArray]) -> int:
    """Return how many ids all sequences begin with alike.

    >>> common_prefix([np.array([5, 7, 2]), np.array([5, 7]), np.array([5, 7, 3])])
    2
    """
    first = sequences[0]
    shared = min(map(len, sequences))
    for other in sequences[1:]:
        differs = np.flatnonzero(first[:shared] != other[:shared])
        shared = int(differs[0]) if len(differs) else shared
    return shared
