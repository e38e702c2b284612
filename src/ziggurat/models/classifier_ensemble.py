"""The ensemble of classifiers: several models that share a vocabulary judge a text, and their judgements are pooled.

*Idea.* What counts words and what reads a text in order err on different texts. Each says how probable every label is,
and how far each is heard says its weight: a part that is sure speaks louder than one that is not.

*Maths.* The logarithmic opinion pool (Genest & Zidek 1986; of trained models Heskes 1998):

    log p(label | text) = Σ_m λ_m · log p_m(label | text) − log Z(text),   λ_m ≥ 0

Weights need not sum to one: above that the whole is surer than its parts, below less, so fitting them calibrates too.
A part that can't read a text to its end reads as much of its beginning as it can.

Shape suffixes: **M** parts, **B** batch, **C** labels.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.protocols import Classifier, ReadsLabels
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary
from ziggurat.models.nesting import nested_models, nested_state
from ziggurat.models.registry import FAMILIES, telling

__all__ = [
    "FAMILY",
    "LEAST_LOGPROB",
    "ClassifierEnsemble",
    "ClassifierEnsembleConfig",
    "ClassifierEnsembleFamily",
    "part_logprobs",
    "pooled",
]

LEAST_LOGPROB = -30.0
"""Nats: a label that one part holds for impossible must not be decided by it alone."""


@dataclass(frozen=True)
class ClassifierEnsembleConfig:
    """The ``[model]`` keys of an ensemble of classifiers."""

    labels: tuple[str, ...] = option((), "labels that it tells apart; empty: those of the training text")
    parts: tuple[str, ...] = option(("linear", "recurrent_classifier"), "families of the models that are pooled")

    def __post_init__(self) -> None:
        """Refuse an ensemble of nothing."""
        if not self.parts:
            raise UsageError("parts must name at least one model family")


class ClassifierEnsemble:
    """Classifiers that share a vocabulary and labels, as one `ziggurat.core.protocols.Classifier`.

    *Cost.* That of all parts.
    """

    def __init__(self, parts: Sequence[Classifier], weights: Sequence[float], *, families: Sequence[str]) -> None:
        """Pool ``parts``, of these ``families``, by ``weights``.

        Raises:
            UsageError: the numbers of parts, families and weights differ, the parts' vocabularies or labels do, or the
                weights are no weights.
        """
        if not len(parts) == len(families) == len(weights) > 0:
            raise UsageError(f"{len(parts)} parts, {len(families)} families and {len(weights)} weights")
        if not (np.isfinite(weights).all() and min(weights) >= 0 and max(weights) > 0):
            raise UsageError(f"the weights of an ensemble must be 0 or more, one of them more, got {list(weights)}")
        if any(part.vocabulary != parts[0].vocabulary for part in parts):
            raise UsageError("the parts of an ensemble must share one tokenizer: their vocabularies differ")
        if any(part.labels != parts[0].labels for part in parts):
            raise UsageError("the parts of an ensemble must tell the same labels")
        self.parts, self.families = tuple(parts), tuple(families)
        self.weights = tuple(float(weight) for weight in weights)

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids that all parts know."""
        return self.parts[0].vocabulary

    @property
    def labels(self) -> tuple[str, ...]:
        """The C labels, as they were learnt."""
        return self.parts[0].labels

    @property
    def context(self) -> int | None:
        """The longest of the parts' contexts, in ids; None where a part has no limit."""
        limits = [part.context for part in self.parts]
        return None if None in limits else max(limit for limit in limits if limit is not None)

    def label_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, C): log p(label | the row's first ``lengths`` ids), which are ``[bos, t1, …, tn, eos]``."""
        told = np.stack([part_logprobs(part, ids, lengths) for part in self.parts])
        return pooled(self.weights, told)


def pooled(weights: Sequence[float], logprobs: FloatArray) -> FloatArray:
    """Return (B, C): the opinion pool of (M, B, C) log-probabilities, none of which counts as below `LEAST_LOGPROB`."""
    told = np.maximum(np.asarray(logprobs, np.float64), LEAST_LOGPROB)
    return np.asarray(log_softmax(np.tensordot(np.asarray(weights, np.float64), told, axes=1)), np.float32)


def part_logprobs(part: Classifier, ids: IdArray, lengths: IdArray) -> FloatArray:
    """Return (B, C) of a part, which reads the beginning, closed by ``eos``, of a text that it can't read whole."""
    longest = part.context
    if longest is None or ids.shape[1] <= longest:
        return part.label_logprobs(ids, lengths)
    begun = np.array(ids[:, :longest])
    begun[np.asarray(lengths) > longest, -1] = part.vocabulary.eos
    return part.label_logprobs(begun, np.minimum(lengths, longest))


class ClassifierEnsembleFamily:
    """Builds, saves and opens ensembles of classifiers; knows the parts' families by name only."""

    name: ClassVar[str] = "classifier_ensemble"
    trainers: ClassVar[tuple[str, ...]] = ("opinion_pool",)
    config: ClassVar[type[Any]] = ClassifierEnsembleConfig
    reads_labels: ClassVar[Literal[True]] = True

    def build(self, config: ClassifierEnsembleConfig, vocabulary: Vocabulary, *, seed: int) -> ClassifierEnsemble:
        """Return untrained parts of default size with equal weights.

        Raises:
            UsageError: a part tells no labels, or needs more labels than there are.
        """
        families = [FAMILIES.get(name, where="parts") for name in config.parts]
        built = [
            family.build(replace(family.config(), labels=config.labels), vocabulary, seed=seed + m)
            for m, family in enumerate(families)
        ]
        parts = [telling(part, family.name) for part, family in zip(built, families, strict=True)]
        return ClassifierEnsemble(parts, (1 / len(parts),) * len(parts), families=config.parts)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the parts' configurations nested, and their tensors with the part's number before the name."""
        configs, tensors = nested_state(model.families, model.parts)
        return {"parts": configs, "weights": list(model.weights)}, tensors

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> ClassifierEnsemble:
        """Return the ensemble that `state` described.

        Raises:
            ArtefactError: a key or tensor is missing or does not fit.
        """
        families, models = nested_models(config, tensors, whole="an ensemble")
        try:
            weights = [float(weight) for weight in config["weights"]]
            parts = [telling(part, name) for name, part in zip(families, models, strict=True)]
            return ClassifierEnsemble(parts, weights, families=families)
        except KeyError as error:
            raise ArtefactError(f"config.json does not describe an ensemble: {error} is missing") from None
        except (TypeError, ValueError, UsageError) as error:
            raise ArtefactError(f"config.json does not describe an ensemble: {error}") from None

    def tiny(self, *, seed: int) -> ClassifierEnsemble:
        """Return an ensemble of two of the other families' tiny models that go together, unlike in weight."""
        others = (FAMILIES.get(name) for name in FAMILIES.names() if name != self.name)
        able = [family for family in others if isinstance(family, ReadsLabels)]
        parts = [telling(family.tiny(seed=seed), family.name) for family in able]
        kinds = [(part.vocabulary, part.labels) for part in parts]
        first, second = next(
            (one, other) for one, other in itertools.combinations(range(len(parts)), 2) if kinds[one] == kinds[other]
        )
        families = [able[place].name for place in (first, second)]
        return ClassifierEnsemble([parts[first], parts[second]], (0.7, 0.5), families=families)


FAMILY = ClassifierEnsembleFamily()
