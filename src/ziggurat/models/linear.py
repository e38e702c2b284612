"""The linear classifier: the label of a text is told from its words, their n-grams and their spelling, by weights.

*Idea.* Each feature of a text speaks for or against each label by a weight, and what all say is added up. It knows no
order beyond neighbouring words, yet trains in seconds and is what a network has to beat. How far a feature tells labels
apart is seen by counting already, so each is scaled by that before weights are learnt (Wang & Manning 2012).

*Maths.* log p(label | text) = log softmax(b + Σ_f w_f · x_f), summed over the different features of the text that the
model knows. x is a feature's value (`ziggurat.models.text_features.TextBags.values`), which follows its scale; what
the scales are says the trainer.

Which n-grams a spelling has is known in `tokens`; here they are numbers.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ziggurat.core.config import from_mapping, option, to_mapping
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.seeding import generator
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary
from ziggurat.models.text_features import FeatureIndex, Parts, TextBags, bags_of, ngram_keys

__all__ = ["FAMILY", "Linear", "LinearConfig", "LinearFamily", "Weights"]

_AT_ONCE = 1 << 22
"""Numbers that are gathered at once: what does not fit the cache takes longer."""


@dataclass(frozen=True)
class LinearConfig:
    """The ``[model]`` keys of a linear classifier."""

    labels: tuple[str, ...] = option((), "names of the labels; empty: those of the training text")
    word_ngrams: int = option(2, "ids in the longest n-gram that is a feature; 1: none", low=1, high=9)
    shortest_ngram: int = option(3, "characters of the shortest n-gram of a spelling", low=1, high=20)
    longest_ngram: int = option(5, "characters of the longest n-gram of a spelling; 0: words are taken whole", low=0)
    buckets: int = option(2_000_000, "numbers that all n-grams of spellings share, found by hash", low=1, high=1 << 31)

    def __post_init__(self) -> None:
        """Check what keys must be to each other."""
        if 0 < self.longest_ngram < self.shortest_ngram:
            raise UsageError("longest_ngram: must not be below shortest_ngram")
        if len(set(self.labels)) < len(self.labels):
            raise UsageError("labels: each may stand there once")

    @property
    def spells(self) -> bool:
        """Whether character n-grams of words are features too."""
        return self.longest_ngram > 0


@dataclass(frozen=True)
class Weights:
    """What the features say."""

    scales: FloatArray
    """(N,) how much each feature counts; 0 of ids that were not learnt."""
    weights: FloatArray
    """(N, C) what each feature says for each label."""
    biases: FloatArray
    """(C,)"""


class Linear:
    """A `Classifier` of texts by their features, without limit of length.

    *Cost.* Some ten thousand texts of twenty words a second; memory-mapped arrays stay where they are.
    """

    def __init__(self, index: FeatureIndex, weights: Weights, vocabulary: Vocabulary, config: LinearConfig) -> None:
        """Tell labels from the features that ``index`` finds; ``config`` names the labels."""
        self.index, self.weights, self.config = index, weights, config
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self._vocabulary

    @property
    def labels(self) -> tuple[str, ...]:
        """The C labels, as they were learnt."""
        return self.config.labels

    @property
    def context(self) -> None:
        """None: texts may have any length."""
        return

    def label_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, C): log p(label | the row's first ``lengths`` ids), which are ``[bos, t1, …, tn, eos]``."""
        return self.bag_logprobs(bags_of(self.index, np.asarray(ids), np.asarray(lengths)))

    def bag_logprobs(self, bags: TextBags) -> FloatArray:
        """Return (texts, C): log p(label | text) of texts whose features are known."""
        scores = _summed(bags, bags.values(self.weights.scales), self.weights.weights)
        return np.asarray(log_softmax(scores + self.weights.biases), np.float32)


class LinearFamily:
    """Builds, saves and opens linear classifiers."""

    name: ClassVar[str] = "linear"
    trainers: ClassVar[tuple[str, ...]] = ("log_linear",)
    config: ClassVar[type[Any]] = LinearConfig
    reads_labels: ClassVar[Literal[True]] = True

    def build(self, config: LinearConfig, vocabulary: Vocabulary, *, seed: int) -> Linear:
        """Return a classifier without features, to which all labels are alike; ``seed`` decides nothing.

        Raises:
            UsageError: there are fewer than two labels.
        """
        del seed
        size, labels = vocabulary.size, len(config.labels)
        if labels < 2:
            raise UsageError(f"labels: {labels} labels; a classifier needs at least 2")
        parts = Parts(np.zeros(size + 1, np.int64), np.zeros(0, np.int32))
        index = FeatureIndex(parts, np.zeros(0, np.int64), size, config.word_ngrams)
        shapes = ((size,), (size, labels), (labels,))
        return Linear(index, Weights(*(np.zeros(shape, np.float32) for shape in shapes)), vocabulary, config)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the configuration with the vocabulary, and the arrays."""
        index, weights = model.index, model.weights
        tensors = {
            "part_starts": index.parts.starts,
            "parts": index.parts.features,
            "keys": index.keys,
            "scales": weights.scales,
            "weights": weights.weights,
            "biases": weights.biases,
        }
        return {"model": to_mapping(model.config), "vocabulary": to_mapping(model.vocabulary)}, tensors

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> Linear:
        """Return the classifier that `state` described.

        Raises:
            ArtefactError: a key or array is missing or does not fit.
        """
        own, vocabulary = _configured(config)
        arrays: dict[str, Any] = dict(tensors)
        features, keys, listed = (arrays[name].size if name in arrays else 0 for name in ("scales", "keys", "parts"))
        labels = len(own.labels)
        forms = {
            "part_starts": (np.int64, (vocabulary.size + 1,)),
            "parts": (np.int32, (listed,)),
            "keys": (np.int64, (keys,)),
            "scales": (np.float32, (features,)),
            "weights": (np.float32, (features, labels)),
            "biases": (np.float32, (labels,)),
        }
        if missing := sorted(forms.keys() - arrays.keys()):
            raise ArtefactError(f"config.json does not describe a linear classifier: {missing[0]!r} is missing")
        for name, array in arrays.items():
            if name not in forms or (array.dtype, array.shape) != forms[name]:
                raise ArtefactError(f"array '{name}' ({array.dtype}, {array.shape}) does not fit config.json")
        parts = Parts(arrays["part_starts"], arrays["parts"])
        index = FeatureIndex(parts, arrays["keys"], features - keys, own.word_ngrams)
        index.check()
        return Linear(index, Weights(arrays["scales"], arrays["weights"], arrays["biases"]), vocabulary, own)

    def tiny(self, *, seed: int) -> Linear:
        """Return random weights for three labels, 11 ids with three parts each, some of them shared, and some pairs."""
        dice = generator(seed, "linear")
        config = LinearConfig(labels=("bad", "fair", "good"), buckets=13)
        parts = Parts(np.arange(-1, 11).clip(0) * 3, dice.integers(11, 24, 30).astype(np.int32))
        pairs = np.stack(np.divmod(dice.permutation(121)[:61], 11), axis=1).astype(np.int32)
        keys = np.unique(ngram_keys(pairs.ravel(), np.arange(122) // 2, 2)[0])
        index = FeatureIndex(parts, keys, int(parts.features.max()) + 1, config.word_ngrams)
        scales = dice.uniform(0.5, 2, index.size).astype(np.float32)
        weights = Weights(scales, *(dice.standard_normal(shape, np.float32) for shape in ((index.size, 3), 3)))
        return Linear(index, weights, Vocabulary(size=11, bos=0, eos=0), config)


FAMILY = LinearFamily()


def _configured(config: dict[str, Any]) -> tuple[LinearConfig, Vocabulary]:
    try:
        own = from_mapping(LinearConfig, config["model"], where="config.json")
        vocabulary = from_mapping(Vocabulary, config["vocabulary"], where="config.json")
    except (KeyError, TypeError, UsageError) as error:
        raise ArtefactError(f"config.json does not describe a linear classifier: {error}") from None
    if len(own.labels) < 2:
        raise ArtefactError("config.json does not describe a linear classifier: it names fewer than two labels")
    return own, vocabulary


def _summed(bags: TextBags, values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return (texts, C): the sum of the weights of each text's features, each times its value there."""
    found = np.zeros((bags.starts.size - 1, weights.shape[1]), np.float32)
    most = max(1, _AT_ONCE // weights.shape[1])
    row = 0
    while row < len(found):
        stop = max(row + 1, int(np.searchsorted(bags.starts, bags.starts[row] + most, side="right")) - 1)
        inside = slice(bags.starts[row], bags.starts[stop])
        gathered = weights[bags.features[inside]] * values[inside, None]
        begins, some = bags.starts[row:stop] - bags.starts[row], np.diff(bags.starts[row : stop + 1]) > 0
        if some.any():
            found[row:stop][some] = np.add.reduceat(gathered, begins[some], axis=0)
        row = stop
    return found
