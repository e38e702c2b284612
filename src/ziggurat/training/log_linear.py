"""Fitting a linear classifier: features are counted, scaled by what counts say of labels, and weighed.

*Idea.* A feature that is seen with all labels alike says nothing, and one that is seen with one label only says much:
the ratio of its chances under a label and under all others is what naive Bayes decides by. Scaling features by it and
then learning weights together is better than either alone, on short and on long texts (Wang & Manning 2012, *Baselines
and Bigrams*).

*Maths.* With n_fc the number of texts of label c that have the feature f, and α the smoothing (ibid., section 2)::

    r_fc = log (p_fc / Σ_f p_fc) − log (q_fc / Σ_f q_fc),   p_fc = α + n_fc,   q_fc = α + Σ_{k≠c} n_fk

    s_f = Σ_c |r_fc| / C,   times a half for n-grams of spellings, which are many

From these scales features get their values (`ziggurat.models.text_features.TextBags.values`). Weights are those
with the least −Σ log softmax(x W + b)[label] + penalty / 2 · ‖W‖².

*Departs.* Wang & Manning take a support vector machine, words and pairs of words only, no length of texts, and have two
labels: logistic regression gives probabilities, and of many labels the mean scales a feature; the largest did worse.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.protocols import TokenStream
from ziggurat.core.types import IdArray
from ziggurat.models.linear import Linear, Weights
from ziggurat.models.text_features import FeatureIndex, Parts, TextBags, ngram_keys
from ziggurat.training.job import Fitted, Job, Labels, Spelling
from ziggurat.training.kernels.sparse_rows import add_outer, rows_times
from ziggurat.training.lbfgs import minimise

__all__ = ["Config", "Problem", "fit", "log_count_ratios"]

Matrix = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

SPELLING = 0.5
"""How much an n-gram of a spelling counts beside a word or an n-gram of words."""
TOLERANCE = 1e-4
"""Part of the loss below which all slopes must be: a tenth of it changed no third digit of a loss and took longer."""
_TOKENS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Config:
    """The ``[training]`` keys of a linear classifier."""

    penalties: tuple[float, ...] = option(
        (0.3, 1.0, 0.1, 0.03),
        "penalties of squared weights: kept is the one with the least loss on held-out texts, the first without any",
    )
    smoothing: float = option(
        1.0, "texts of each label that a feature counts as seen in beside those it is in", low=0.0
    )
    least_texts: int = option(2, "texts that an n-gram, of words or of a spelling, must be in to be kept", low=1)

    def __post_init__(self) -> None:
        """Check what limits of single keys can't say."""
        if not self.penalties or min(self.penalties) <= 0:
            raise UsageError(f"penalties: expected numbers above 0, got {list(self.penalties)}")
        if self.smoothing <= 0:
            raise UsageError(f"smoothing: must be above 0, got {self.smoothing}")


def fit(job: Job) -> Fitted:
    """Fit a linear classifier; nothing is drawn at random.

    *Cost.* Seconds for ten thousand short texts and a few labels; each pass over the texts takes time for each feature
    of each text and each label. Memory of some 20 bytes for each feature of each text, and for twenty-five times the
    weights, in 64 bits.

    Raises:
        UsageError: the job tells no labels.
        TooLittleTextError: the texts have fewer than two labels, or no features.
    """
    began = time.perf_counter()
    labels, config = _checked(job), job.config
    index, bags = _features(job)
    problem = Problem(index, bags, labels.train, len(labels.names), smoothing=config.smoothing)
    job.listener({"event": "start", "step": 0, "parameters": index.size * len(labels.names)})
    held = _held(job, index, labels)
    model_config = replace(job.model_config, labels=labels.names)
    flat, tried = problem.zeros(), []
    for penalty in sorted(config.penalties if held else config.penalties[:1], reverse=True):
        flat = minimise(
            problem.loss(penalty), flat, tolerance=TOLERANCE
        )  # on the way to weights of a weak penalty are those of a strong
        model = Linear(index, problem.weights(flat), job.train.vocabulary, model_config)
        one = _Tried(penalty, model, *(_measured(model, *held) if held else (0.0, 0.0)))
        tried.append(one)
        if held:
            job.listener({"event": "eval", "step": problem.passes, "penalty": penalty, "loss": one.loss})
    best = min(tried, key=lambda one: one.loss)
    facts: dict[str, Any] = {
        "texts": labels.train.size,
        "tokens": int(job.train.tokens.size),
        "features": np.unique(bags.features).size,
        "penalty": best.penalty,
        "steps": problem.passes,
        "train_accuracy": _measured(best.model, bags, labels.train)[1],
    }
    if held:
        facts |= {"dev_loss": best.loss, "dev_accuracy": best.accuracy, "dev_texts": held[1].size}
        facts["penalties"] = [[one.penalty, one.loss, one.accuracy] for one in tried]
    facts["seconds"] = time.perf_counter() - began
    job.listener({"event": "end", "step": problem.passes, "seconds": facts["seconds"]})
    return Fitted(best.model, facts)


class _Tried(NamedTuple):
    """A penalty, and what came of it."""

    penalty: float
    model: Linear
    loss: float
    accuracy: float


def log_count_ratios(bags: TextBags, size: int, classes: IdArray, count: int, *, smoothing: float) -> Matrix:
    """Return (size, count): log of how much likelier each feature is with a label than with all others together.

    It is 0 of a feature that no text has, and such features take no share of the others' chances.

    Args:
        bags: The features of texts.
        size: Features.
        classes: (texts,) label of each text, 0 … count − 1.
        count: Labels.
        smoothing: Texts of each label that a feature counts as seen in beside those that it is in.
    """
    pairs = bags.features.astype(np.int64) * count + classes[bags.texts]
    inside = np.bincount(pairs, minlength=size * count).reshape(size, count)
    seen = np.flatnonzero(inside.any(axis=1))
    outside = inside[seen].sum(axis=1, keepdims=True) - inside[seen]
    chances, others = ((counts + smoothing) / (counts + smoothing).sum(axis=0) for counts in (inside[seen], outside))
    found = np.zeros((size, count))
    found[seen] = np.log(chances / others)
    return found


class Problem:
    """What is minimised: the loss of weights on the training texts."""

    def __init__(self, index: FeatureIndex, bags: TextBags, classes: IdArray, count: int, *, smoothing: float) -> None:
        """Scale the features that ``index`` found in ``bags``; for the other arguments see `log_count_ratios`."""
        ratios = log_count_ratios(bags, index.size, classes, count, smoothing=smoothing)
        self._scales = np.abs(ratios).mean(axis=1).astype(np.float32)
        self._scales[index.ids : index.first] *= SPELLING
        self._bags, self._values = bags, bags.values(self._scales)
        self._wanted = np.zeros((classes.size, count))
        self._wanted[np.arange(classes.size), classes] = 1.0
        self._shape = (index.size + 1, count)
        self.passes = 0
        """How often all texts were read."""

    def zeros(self) -> Matrix:
        """Return the weights to begin with."""
        return np.zeros(self._shape[0] * self._shape[1])

    def loss(self, penalty: float) -> Callable[[Matrix], tuple[float, Matrix]]:
        """Return the function of flat weights, the last row the biases, that gives their loss and its gradient."""
        rows = (self._bags.starts, self._bags.features, self._values)

        def told(flat: Matrix) -> tuple[float, Matrix]:
            self.passes += 1
            weights = flat.reshape(self._shape)
            scores = np.tile(weights[-1], (len(self._wanted), 1))
            rows_times(*rows, weights, scores)
            logprobs = log_softmax(scores)
            errors = np.exp(logprobs) - self._wanted
            gradient = penalty * weights
            gradient[-1] = errors.sum(axis=0)
            add_outer(*rows, errors, gradient)
            squares = float(np.square(weights[:-1]).sum())
            return penalty / 2 * squares - float((logprobs * self._wanted).sum()), gradient.ravel()

        return told

    def weights(self, flat: Matrix) -> Weights:
        """Return flat weights as a model holds them."""
        weights = flat.reshape(self._shape).astype(np.float32)
        return Weights(self._scales, weights[:-1].copy(), weights[-1].copy())


def _checked(job: Job) -> Labels:
    """Return the job's labels, where something can be learnt from them."""
    if job.labels is None:
        raise UsageError("a classifier learns from labels and there are none: give texts with a label each")
    seen = np.unique(job.labels.train).size
    if seen < 2:
        raise TooLittleTextError(f"the training texts have {seen} different labels; a classifier needs at least 2")
    return job.labels


def _features(job: Job) -> tuple[FeatureIndex, TextBags]:
    """Return the features of the training texts: how they are found, and which text has which."""
    longest = job.model_config.word_ngrams
    vocabulary = job.train.vocabulary
    spelling = job.spelling or Spelling(np.zeros(vocabulary.size + 1, np.int64), np.empty(0, np.int32))
    buckets, numbers = np.unique(spelling.buckets, return_inverse=True)
    parts = Parts(spelling.starts, (vocabulary.size + numbers).astype(np.int32))
    found = [np.empty(0, np.int64)]
    for ids, lengths in _stretches(job.train):
        keys, _ = ngram_keys(ids, np.repeat(np.arange(lengths.size), lengths), longest)
        found.append(np.unique(keys))
    index = FeatureIndex(parts, np.unique(np.concatenate(found)), vocabulary.size + buckets.size, longest)
    bags = _bags(index, job.train)
    texts = np.bincount(bags.features, minlength=index.size)
    keep_mask = texts >= job.config.least_texts
    keep_mask[: index.ids] = texts[: index.ids] > 0  # words have rows of weights whether they are rare or not
    keep_mask[[vocabulary.bos, vocabulary.eos]] = False  # which are in every text
    if not keep_mask[: index.ids].any():
        raise TooLittleTextError("the training texts have no words: a classifier needs some to tell labels from")
    return index.kept(keep_mask), bags.kept(keep_mask, index.ids)


def _stretches(stream: TokenStream) -> Iterator[tuple[IdArray, Ids]]:
    """Yield the ids of some documents at a time, one after another, and how many each has."""
    documents = len(stream.starts) - 1
    first = 0
    while first < documents:
        end = int(np.searchsorted(stream.starts, stream.starts[first] + _TOKENS_AT_ONCE, side="right")) - 1
        last = min(documents, max(first + 1, end))
        texts = [stream.document(number) for number in range(first, last)]
        yield np.concatenate(texts), np.array([text.size for text in texts], np.int64)
        first = last


def _bags(index: FeatureIndex, stream: TokenStream) -> TextBags:
    """Return the features of all documents of a stream."""
    found = [index.find(ids, lengths) for ids, lengths in _stretches(stream)]
    counts = [np.diff(bags.starts) for bags in found]
    starts = np.append(0, np.cumsum(np.concatenate([np.empty(0, np.int64), *counts])))
    return TextBags(starts, np.concatenate([np.empty(0, np.int32), *(bags.features for bags in found)]))


def _held(job: Job, index: FeatureIndex, labels: Labels) -> tuple[TextBags, IdArray] | None:
    """Return the features and labels of the held-out texts, where the label of some can be told at all."""
    if job.dev is None or labels.dev is None or not (labels.dev >= 0).any():
        return None
    return _bags(index, job.dev), labels.dev


def _measured(model: Linear, bags: TextBags, classes: IdArray) -> tuple[float, float]:
    """Return a model's mean loss on the texts whose label it has, and its accuracy on all texts."""
    logprobs = model.bag_logprobs(bags)
    known = np.flatnonzero(classes >= 0)
    loss = -float(logprobs[known, classes[known]].mean(dtype=np.float64))
    return loss, float((logprobs.argmax(axis=1) == classes).mean())
