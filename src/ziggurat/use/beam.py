"""Beam search: the likeliest continuations instead of drawn ones, with any family, of many prompts at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import LanguageModel
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.tokens.batches import padded

__all__ = ["BeamConfig", "Hypothesis", "beam_search", "length_penalty"]

Picks = list[tuple[int, int]]
"""For each open hypothesis the row among its prompt's that it goes on from, and its new id."""


@dataclass(frozen=True)
class BeamConfig:
    """How wide is searched, and which hypothesis wins."""

    beams: int = option(4, "hypotheses that are followed at once; 1 takes the likeliest token each time", low=1)
    length_exponent: float = option(0.6, "α: 0 compares log-probabilities as they are, more favours the long", low=0.0)
    max_tokens: int = option(200, "most tokens to write, the end included", low=1)
    best: int = option(1, "how many of the best are given, at most as many as there are beams", low=1)

    def __post_init__(self) -> None:
        """Check that no more are asked for than are found.

        *Raises.* `UsageError` where `best` is above `beams`.
        """
        if self.best > self.beams:
            raise UsageError(f"best: {self.best} of {self.beams} beams can't be given: set beams to at least as many")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One continuation that the search has ended with."""

    ids: tuple[int, ...]
    """What was written, the id that ended it included."""
    logprob: float
    """Sum of the natural log-probabilities of ``ids``."""
    score: float
    """``logprob`` by the length penalty: what hypotheses are compared by."""
    reason: Literal["length", "end"]
    """Why it ended: the token limit, or an id that ends."""


def length_penalty(length: int, exponent: float) -> float:
    """Return what the log-probability of so many ids is divided by.

    *Maths.* lp = (5 + n)^α / (5 + 1)^α, where n is the number of ids and α the ``exponent``; Wu et al. 2016, eq. 14.

    *Departs.* n counts the id that ends a hypothesis; there is no penalty of coverage, since not every model has
    attention to count.

    >>> length_penalty(1, 0.6), length_penalty(31, 0.5), length_penalty(31, 0.0)
    (1.0, 2.449489742783178, 1.0)
    """
    return float(((5 + length) / 6) ** exponent)


def beam_search(
    model: LanguageModel,
    prompts: Sequence[IdArray],
    config: BeamConfig,
    *,
    size: int | None = None,
    ends: Collection[int] = (),
    limits: Sequence[int] | None = None,
) -> list[list[Hypothesis]]:
    """Return the ``config.best`` continuations of each prompt, the best first.

    *Idea.* Of all ways to go on from the open hypotheses of a prompt, the ``beams`` best stay open; those that end and
    stand among the ``beams`` best of their step are kept aside. A prompt is done when ``beams`` are aside and none that
    is open is better as it stands, when none that is open can win any more, or at its limit, where what is open counts
    as it stands. A beam as wide as there are strings leaves none out, so that its best is the best there is.

    *Maths.* Hypotheses of one length compare by log p, those aside by log p / lp (`length_penalty`). What is open with
    log p so far gets at most log p / lp(limit), since log p can only fall and lp only grow.

    *Cost.* One `step` a token, for all open hypotheses of all prompts; prompts that are done leave the batch.

    ``ends`` are ids that end beside the end of text; ids from ``size`` on are never written; ``limits`` are most ids of
    each prompt where they are below ``max_tokens``. The model's context limits each prompt too.

    Raises:
        UsageError: a prompt has no ids, or fills the model's context.
    """
    endings = np.array(sorted({model.vocabulary.eos, *ends}), dtype=np.int64)
    found = [
        _Search(config, endings, _limit(model, number, prompt, config, limits)) for number, prompt in enumerate(prompts)
    ]
    if not found:
        return []
    logprobs, state = model.begin(*padded(prompts))
    active = found
    while True:
        values, ids = _likeliest(logprobs[:, :size], config.beams + len(endings))
        rows: list[int] = []
        newest: list[int] = []
        place = 0
        for search in active:
            stop = place + len(search.open)
            picks = search.extend(values[place:stop], ids[place:stop])
            rows += [place + row for row, _ in picks]
            newest += [index for _, index in picks]
            place = stop
        active = [search for search in active if search.open]
        if not active:
            return [search.best() for search in found]
        if rows != list(range(place)):
            state = model.reorder(state, np.array(rows, dtype=np.int32))
        logprobs, state = model.step(state, np.array(newest, dtype=np.int32))


@dataclass
class _Search:
    """The hypotheses of one prompt."""

    config: BeamConfig
    endings: npt.NDArray[np.int64]
    limit: int
    """Most ids that are written."""
    open: list[tuple[tuple[int, ...], float]] = field(default_factory=lambda: [((), 0.0)])
    """Ids and log-probability of each hypothesis that may go on."""
    aside: list[Hypothesis] = field(default_factory=list)

    def extend(self, values: npt.NDArray[np.float64], ids: npt.NDArray[np.int64]) -> Picks:
        """Go on by one id, of which ``values`` and ``ids`` (rows, candidates) hold each row's likeliest.

        Returns what stays open; nothing where the search is done.
        """
        width, length = self.config.beams, len(self.open[0][0]) + 1
        totals = values + np.array([logprob for _, logprob in self.open])[:, None]
        order = np.argsort(-totals, axis=None, kind="stable")
        picks: Picks = []
        opened: list[tuple[tuple[int, ...], float]] = []
        for rank, at in enumerate(order.tolist()):
            row, column = divmod(at, totals.shape[1])
            index, logprob = int(ids[row, column]), float(totals[row, column])
            if len(opened) == width or np.isneginf(logprob):
                break
            if index in self.endings:
                if rank < width:
                    self._put_aside((*self.open[row][0], index), logprob, "end")
            else:
                opened.append(((*self.open[row][0], index), logprob))
                picks.append((row, index))
        if length == self.limit:
            for written, logprob in opened:
                self._put_aside(written, logprob, "length")
            opened = []
        self.open = [] if not opened or self._decided(opened[0][1], length) else opened
        return picks if self.open else []

    def best(self) -> list[Hypothesis]:
        """Return the best of those aside."""
        return sorted(self.aside, key=lambda one: -one.score)[: self.config.best]

    def _put_aside(self, ids: tuple[int, ...], logprob: float, reason: Literal["length", "end"]) -> None:
        score = logprob / length_penalty(len(ids), self.config.length_exponent)
        self.aside.append(Hypothesis(ids, logprob, score, reason))

    def _decided(self, likeliest: float, length: int) -> bool:
        """Return whether nothing that is open, the ``likeliest`` of it included, is to change what is given."""
        best = self.best()
        if len(best) < self.config.best:
            return False
        # as it stands, where many are aside; as it could become at best, where few are
        at = length if len(self.aside) >= self.config.beams else self.limit
        return best[-1].score >= likeliest / length_penalty(at, self.config.length_exponent)


def _limit(model: LanguageModel, number: int, prompt: IdArray, config: BeamConfig, limits: Sequence[int] | None) -> int:
    """Return how many ids may be written after a prompt; the last of them need not be read."""
    if not len(prompt):
        raise UsageError(f"prompt {number + 1} has no ids: it needs at least the begin token")
    limit = config.max_tokens if limits is None else max(1, min(config.max_tokens, limits[number]))
    if model.context is None:
        return limit
    if len(prompt) > model.context:
        raise UsageError(
            f"prompt {number + 1}: {len(prompt)} tokens are more than the model can read at once (its context is "
            f"{model.context}): shorten it"
        )
    return min(limit, model.context - len(prompt) + 1)


def _likeliest(logprobs: FloatArray, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return (B, count) highest log-probabilities of each row, the highest first, and their ids."""
    if count < logprobs.shape[1]:
        ids = np.sort(np.argpartition(logprobs, -count, axis=1)[:, -count:], axis=1)
    else:
        ids = np.broadcast_to(np.arange(logprobs.shape[1]), logprobs.shape)
    values = np.take_along_axis(logprobs, ids, axis=1).astype(np.float64)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(ids, order, axis=1)
