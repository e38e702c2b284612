"""Hypotheses of a recogniser ranked again with a language model of any family.

*Idea.* A recogniser hears with a small language model, because a large one is too slow to search with. It hands over
its best guesses with how well each fits the sound; a better model then says how well each fits the language, and the
two are weighed against each other.

*Maths.* score(w) = log p(sound | w) + λ log p(w) + μ log p₁(w) + ω |w|, in nats: p is the language model, p₁ the
recogniser's own, |w| the number of words. λ is far above 1 because frames of sound are scored as if they were
independent of each other. Source: Ostendorf et al. 1991, "Integration of diverse recognition methodologies through
reevaluation of N-best sentence hypotheses" (a weighted sum of scores, its weights sought on held-out lists).
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.protocols import LanguageModel, MaskedLanguageModel, Tokenizer
from ziggurat.text.spoken import spoken_units
from ziggurat.use.scoring import score_texts, total_of

__all__ = ["GRID", "Hypothesis", "Ranked", "RescoringConfig", "language_scores", "rank", "tune"]

Vector = npt.NDArray[np.float64]

GRID: dict[str, tuple[float, ...]] = {
    "lm_weight": (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0),
    "first_weight": (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.0),
    "word_bonus": (-20.0, -10.0, -5.0, 0.0, 5.0, 10.0, 20.0),
}
"""What `tune` tries of each weight unless told."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What may have been said."""

    text: str
    acoustic: float
    """Nats: log p(sound | text), up to a number that all hypotheses of one recording share."""
    first: float = 0.0
    """Nats: log p(text) by the recogniser's own language model; 0 where it has not told."""

    @property
    def words(self) -> int:
        """How many words it has; each Han character counts as one."""
        return len(spoken_units(self.text))


@dataclass(frozen=True)
class RescoringConfig:
    """How the parts of a score are weighed."""

    lm_weight: float = option(9.5, "weight of the language model's log-probability beside the sound's", low=0)
    first_weight: float = option(0.0, "weight of the recogniser's own language model in that", low=0)
    word_bonus: float = option(0.0, "nats for each word: above 0 favours more words, below 0 fewer")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hypothesis with its scores."""

    hypothesis: Hypothesis
    logprob: float
    """Nats: log p(text) by the language model that ranked it."""
    score: float
    """Nats: the weighted sum."""


def language_scores(
    model: LanguageModel | MaskedLanguageModel,
    tokenizer: Tokenizer,
    lists: Sequence[Sequence[Hypothesis]],
    *,
    before: Sequence[str] | None = None,
) -> list[Vector]:
    """Return log p(text) of every hypothesis of every list, each different text scored once.

    Each text is a document of its own. With ``before``, a text for each list, the hypotheses of a list are instead the
    next line of the document that begins so: what was said goes on in what is said, names and turns of phrase with it.
    A model that guesses hidden tokens gives pseudo-log-likelihoods (`ziggurat.use.scoring.score_texts`).

    Raises:
        UsageError: the numbers of lists and of texts before them differ.
    """
    if before is not None and len(before) != len(lists):
        raise UsageError(f"{len(before)} texts before {len(lists)} lists: each list follows one")
    heads = [None] * len(lists) if before is None else [f"{text}\n" if text else "" for text in before]
    read = [[_line(head, one.text) for one in hypotheses] for head, hypotheses in zip(heads, lists, strict=True)]
    texts = list(dict.fromkeys(line for lines in read for line in lines))
    scored = dict(zip(texts, score_texts(model, tokenizer, texts, by="token"), strict=True)) if texts else {}
    found = []
    for head, lines in zip(heads, read, strict=True):
        begin = len(head or "")
        own = [[unit for unit in scored[line] if unit.start >= begin] for line in lines]
        found.append(np.array([total_of([units]).logprob for units in own], np.float64))
    return found


def _line(head: str | None, text: str) -> str:
    return text if head is None else f"{head}{text}\n"


def rank(hypotheses: Sequence[Hypothesis], logprobs: Sequence[float] | Vector, config: RescoringConfig) -> list[Ranked]:
    """Return the hypotheses of one recording, the best first; equal ones keep their order.

    Raises:
        UsageError: the numbers of hypotheses and log-probabilities differ.

    >>> near, far = Hypothesis("a rose", -10.0), Hypothesis("arose", -9.0)
    >>> [one.hypothesis.text for one in rank([near, far], [-1.0, -2.0], RescoringConfig(lm_weight=2.0))]
    ['a rose', 'arose']
    """
    if len(hypotheses) != len(logprobs):
        raise UsageError(f"{len(logprobs)} log-probabilities for {len(hypotheses)} hypotheses: each has one")
    scores = _parts(hypotheses, np.asarray(logprobs, np.float64)) @ _weights(config)
    order = np.argsort(-scores, kind="stable").tolist()
    return [Ranked(hypotheses[row], float(logprobs[row]), float(scores[row])) for row in order]


def tune(
    lists: Sequence[Sequence[Hypothesis]],
    logprobs: Sequence[Vector],
    errors: Sequence[Sequence[int]],
    *,
    grid: dict[str, Sequence[float]] | None = None,
    smoothing: float = 0.0,
) -> RescoringConfig:
    """Return the weights under which the best-ranked hypotheses of held-out recordings have the fewest errors.

    ``errors`` holds each hypothesis' number of wrong words (`ziggurat.judge.word_errors.error_counts`). All
    combinations of the weights in ``grid`` (`GRID` unless told) are tried: weights make up for each other, so that one
    at a time gets stuck. Of those that are equally good the first stays: the defaults of `RescoringConfig`, then the
    smaller ones of the grid.

    *Maths.* Few recordings leave many weights equally good. With ``smoothing``, α > 0, what is made small is the errors
    expected of hypotheses that are drawn in proportion to exp(score / α), which changes with every weight; α about as
    large as the language model's weight makes them posterior probabilities. Source: Och 2003, "Minimum error rate
    training in statistical machine translation", section 4 (the smoothed error count).

    Raises:
        UsageError: the three have different lengths, the grid has a weight that there is not, or α is below 0.
        TooLittleTextError: no recording has hypotheses.
    """
    tried = {**GRID, **(grid or {})}
    if unknown := tried.keys() - GRID.keys():
        raise UsageError(f"grid: no weight '{min(unknown)}'; known: {', '.join(GRID)}")
    if smoothing < 0:
        raise UsageError(f"smoothing: must be 0 or more nats, got {smoothing:g}")
    kept = [row for row in zip(lists, logprobs, errors, strict=False) if row[0]]
    if not len(lists) == len(logprobs) == len(errors) or any(len({len(part) for part in row}) > 1 for row in kept):
        raise UsageError("every hypothesis needs one log-probability and one number of errors")
    if not kept:
        raise TooLittleTextError("no recording with hypotheses: weights are tuned on some")
    rows = [(_parts(one, np.asarray(scores, np.float64)), np.asarray(wrong)) for one, scores, wrong in kept]
    held = _Held(rows, smoothing)
    return _fewest(held, RescoringConfig(), _combined(tried))


def _parts(hypotheses: Sequence[Hypothesis], logprobs: Vector) -> Vector:
    """Return (N, 4): what each weight multiplies, the sound's first."""
    rows = [(one.acoustic, one.first, float(one.words)) for one in hypotheses]
    acoustic, first, words = np.array(rows, np.float64).reshape(-1, 3).T
    return np.stack([acoustic, logprobs, first, words], axis=1)


def _weights(config: RescoringConfig) -> Vector:
    return np.array([1.0, config.lm_weight, config.first_weight, config.word_bonus])


def _combined(grid: Mapping[str, Sequence[float]]) -> Iterator[RescoringConfig]:
    for values in itertools.product(*grid.values()):
        yield RescoringConfig(**dict(zip(grid, values, strict=True)))


@dataclass(frozen=True, slots=True)
class _Held:
    """Held-out recordings: what weights multiply in each hypothesis, and how many errors it has."""

    rows: Sequence[tuple[Vector, npt.NDArray[np.int_]]]
    smoothing: float

    def errors(self, config: RescoringConfig) -> float:
        """Return the errors of what is ranked best, or, smoothed, those expected."""
        weights = _weights(config)
        if not self.smoothing:
            return float(sum(int(wrong[int(np.argmax(parts @ weights))]) for parts, wrong in self.rows))
        return float(sum(_chances(parts @ weights / self.smoothing) @ wrong for parts, wrong in self.rows))


def _chances(logits: Vector) -> Vector:
    shares = np.exp(logits - logits.max())
    return np.asarray(shares / shares.sum(), np.float64)


def _fewest(held: _Held, best: RescoringConfig, others: Iterable[RescoringConfig]) -> RescoringConfig:
    """Return the weights with the fewest errors, ``best`` where none has fewer."""
    fewest = held.errors(best)
    for other in others:
        if (wrong := held.errors(other)) < fewest:
            best, fewest = other, wrong
    return best
