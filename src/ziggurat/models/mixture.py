"""The mixture: several models that share a vocabulary, their probabilities averaged.

*Idea.* Models that err in different places are better together: counting knows what was seen, a network what is alike.
Weights may follow the text: a part counts less wherever it is itself uncertain of what comes next.

*Maths.* p(x_t | h) = Σ_m λ_m(h)·p_m(x_t | h): linear interpolation (Jelinek & Mercer 1980), with a gate as in mixtures
of experts (Jacobs et al. 1991) that sees nothing but each part's uncertainty u_m(h) from 0 to 1 (its entropy,
`ziggurat.models.uncertainty`):

    λ_m(h) ∝ λ_m · exp(slope_m · u_m(h) + curve_m · u_m(h)²)

Weights depend on the history alone, so the mixture is a distribution whatever the numbers are.

Shape suffixes: **M** parts, **B** batch, **T** time, **V** vocabulary.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.numerics import log_softmax, logsumexp
from ziggurat.core.protocols import Extends, LanguageModel, ReadsLabels, State
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary
from ziggurat.models.nesting import nested_models, nested_state
from ziggurat.models.registry import FAMILIES, predicting
from ziggurat.models.uncertainty import token_uncertainty, uncertainty
from ziggurat.models.windows import BATCH_TOKENS, document_scores

__all__ = [
    "FAMILY",
    "ExtendingMixture",
    "Mixture",
    "MixtureConfig",
    "MixtureFamily",
    "Weighting",
    "mixed",
    "read_part",
]


@dataclass(frozen=True)
class MixtureConfig:
    """The ``[model]`` keys of a mixture."""

    parts: tuple[str, ...] = option(("ngram", "decoder"), "families of the models that are mixed")

    def __post_init__(self) -> None:
        """Refuse a mixture of nothing."""
        if not self.parts:
            raise UsageError("parts must name at least one model family")


@dataclass(frozen=True)
class Weighting:
    """How much each part counts, and how that follows its uncertainty (see the formula above)."""

    weights: tuple[float, ...]
    """λ: positive, with sum 1."""
    slopes: tuple[float, ...] = ()
    """What uncertainty adds to log λ; negative where a part is worth less when it is uncertain. Empty: all 0."""
    curves: tuple[float, ...] = ()
    """What the square of uncertainty adds. Empty: all 0."""

    def __post_init__(self) -> None:
        """Check that these are weights."""
        if min(self.weights, default=0.0) <= 0 or abs(sum(self.weights) - 1) > 1e-6:
            raise UsageError(f"the weights of a mixture must be positive and have sum 1, got {list(self.weights)}")
        if not all(len(numbers) in (0, len(self.weights)) for numbers in (self.slopes, self.curves)):
            raise UsageError(f"{len(self.weights)} weights, {len(self.slopes)} slopes and {len(self.curves)} curves")

    @property
    def follows(self) -> bool:
        """Whether weights follow the parts' uncertainty."""
        return any(self.slopes) or any(self.curves)

    def log_weights(self, uncertainty: FloatArray) -> FloatArray:
        """Return log λ_m(h) for (M, …) uncertainties, in the same shape."""
        shape = (-1,) + (1,) * (uncertainty.ndim - 1)
        scores = np.log(np.asarray(self.weights)).astype(np.float32).reshape(shape) + np.zeros_like(uncertainty)
        if self.slopes:
            scores += np.asarray(self.slopes, dtype=np.float32).reshape(shape) * uncertainty
        if self.curves:
            scores += np.asarray(self.curves, dtype=np.float32).reshape(shape) * np.square(uncertainty)
        return np.asarray(log_softmax(scores, axis=0), dtype=np.float32)

    def mix(self, logprobs: FloatArray, uncertainty: FloatArray) -> FloatArray:
        """Return log Σ λ_m(h)·p_m: ``uncertainty`` is (M, …), ``logprobs`` the same or with V behind."""
        log_weights = self.log_weights(uncertainty)
        if logprobs.ndim > log_weights.ndim:
            log_weights = log_weights[..., None]
        return np.asarray(logsumexp(log_weights + logprobs, axis=0), dtype=np.float32)


class Mixture:
    """Models that share a vocabulary, as one `ziggurat.core.protocols.LanguageModel`.

    *Cost.* That of all parts, and M·V operations a token. Where weights follow the text, scoring must know the parts'
    whole distributions: a part that does not tell its uncertainty is then read id by id.
    """

    def __init__(self, parts: Sequence[LanguageModel], weighting: Weighting, *, families: Sequence[str]) -> None:
        """Mix ``parts``, of these ``families``, by ``weighting``.

        *Raises.* `UsageError` where the vocabularies differ or the numbers of parts, families and weights do.
        """
        if not len(parts) == len(families) == len(weighting.weights):
            raise UsageError(f"{len(parts)} parts, {len(families)} families and {len(weighting.weights)} weights")
        if any(part.vocabulary != parts[0].vocabulary for part in parts):
            raise UsageError("the parts of a mixture must share one tokenizer: their vocabularies differ")
        self.parts = tuple(parts)
        self.families = tuple(families)
        self.weighting = weighting

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids that all parts know."""
        return self.parts[0].vocabulary

    @property
    def context(self) -> int | None:
        """The shortest of the parts' contexts; None where no part has a limit. Documents are read beyond it."""
        return min((part.context for part in self.parts if part.context is not None), default=None)

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T − 1): log p(ids[:, t] | ids[:, :t]) for t ≥ 1; 0 at and beyond a row's length."""
        if self.weighting.follows:
            told = [token_uncertainty(part, ids, lengths) for part in self.parts]
            mixed = self.weighting.mix(np.stack([pair[0] for pair in told]), np.stack([pair[1] for pair in told]))
        else:
            logprobs = np.stack([part.token_logprobs(ids, lengths) for part in self.parts])
            mixed = self.weighting.mix(logprobs, np.zeros_like(logprobs))
        inside = np.arange(1, ids.shape[1]) < lengths[:, None]
        return np.where(inside, mixed, np.float32(0))

    def document_logprobs(
        self, sequences: Sequence[IdArray], *, stride: int | None, batch_tokens: int
    ) -> list[FloatArray]:
        """Return for each sequence its log-probabilities, each part having read as far back as it can.

        *Raises.* `UsageError` where the stride is less than 1.
        """
        follows = self.weighting.follows
        told = [
            read_part(part, sequences, follow=follows, stride=stride, batch_tokens=batch_tokens) for part in self.parts
        ]
        joint = [np.stack(one) for one in zip(*told, strict=True)]  # (M, 2, n − 1) of each sequence
        return [self.weighting.mix(one[:, 0], one[:, 1]) for one in joint]

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats: the sum of each row's `token_logprobs`."""
        return np.asarray(self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64))

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, State]:
        """Read (B, T) prompts at once; return (B, V) next-id logprobs and the state."""
        return self._join([part.begin(ids, lengths) for part in self.parts])

    def step(self, state: tuple[State, ...], ids: IdArray) -> tuple[FloatArray, State]:
        """Append one id (B,) to each row; return (B, V) next-id logprobs and the new state."""
        return self._join([part.step(held, ids) for part, held in zip(self.parts, state, strict=True)])

    def reorder(self, state: tuple[State, ...], rows: IdArray) -> State:
        """Return the state whose row b is the old row ``rows[b]``; rows may repeat or drop."""
        return tuple(part.reorder(held, rows) for part, held in zip(self.parts, state, strict=True))

    def _join(self, answers: Sequence[tuple[FloatArray, State]]) -> tuple[FloatArray, State]:
        logprobs = np.stack([answer for answer, _ in answers])
        unsure = uncertainty(logprobs) if self.weighting.follows else np.zeros(logprobs.shape[:2], dtype=np.float32)
        return self.weighting.mix(logprobs, unsure), tuple(held for _, held in answers)


class ExtendingMixture(Mixture):
    """A mixture of parts that all `ziggurat.core.protocols.Extends`: so does it."""

    def extend(self, state: tuple[State, ...], ids: IdArray, lengths: IdArray) -> tuple[FloatArray, State]:
        """Append (B, T) ids at once; return (B, V) next-id logprobs and the new state."""
        able = [part for part in self.parts if isinstance(part, Extends)]
        return self._join([part.extend(held, ids, lengths) for part, held in zip(able, state, strict=True)])


def read_part(
    part: LanguageModel,
    sequences: Sequence[IdArray],
    *,
    follow: bool,
    stride: int | None = None,
    batch_tokens: int = BATCH_TOKENS,
) -> list[FloatArray]:
    """Return for each sequence (2, n − 1): a part's log-probabilities and its uncertainties, read by its own windows.

    The uncertainties are 0 where weights do not ``follow`` them. A stride beyond a part's context is its context.
    """

    def told(ids: IdArray, lengths: IdArray) -> FloatArray:
        if follow:
            return np.stack(token_uncertainty(part, ids, lengths))
        logprobs = part.token_logprobs(ids, lengths)
        return np.stack((logprobs, np.zeros_like(logprobs)))

    context = part.context
    stride = stride if context is None or stride is None else min(stride, context)
    return document_scores(told, sequences, context=context, stride=stride, batch_tokens=batch_tokens)


def mixed(parts: Sequence[LanguageModel], weighting: Weighting, *, families: Sequence[str]) -> Mixture:
    """Return the mixture of ``parts``; one that goes on from a state with many ids at once where all parts do.

    Raises:
        UsageError: the vocabularies differ, or the numbers of parts, families and weights do.
    """
    kind = ExtendingMixture if all(isinstance(part, Extends) for part in parts) else Mixture
    return kind(parts, weighting, families=families)


class MixtureFamily:
    """Builds, saves and opens mixtures; knows the parts' families by name only."""

    name: ClassVar[str] = "mixture"
    trainers: ClassVar[tuple[str, ...]] = ("blend",)
    config: ClassVar[type[Any]] = MixtureConfig

    def build(self, config: MixtureConfig, vocabulary: Vocabulary, *, seed: int) -> Mixture:
        """Return untrained parts of default size with equal weights."""
        families = [FAMILIES.get(name, where="parts") for name in config.parts]
        built = [family.build(family.config(), vocabulary, seed=seed + m) for m, family in enumerate(families)]
        parts = [predicting(part, family.name) for part, family in zip(built, families, strict=True)]
        return mixed(parts, _equal(len(parts)), families=config.parts)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the parts' configurations nested, and their tensors with the part's number before the name."""
        configs, tensors = nested_state(model.families, model.parts)
        numbers = {key: list(values) for key, values in asdict(model.weighting).items()}
        return {"parts": configs, "weighting": numbers}, tensors

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> Mixture:
        """Return the mixture that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        try:
            numbers = config["weighting"]
            weighting = Weighting(*(tuple(numbers[key]) for key in ("weights", "slopes", "curves")))
        except (KeyError, TypeError) as error:
            raise ArtefactError(f"config.json does not describe a mixture: {error} is missing") from None
        families, models = nested_models(config, tensors, whole="a mixture")
        parts = [predicting(part, name) for name, part in zip(families, models, strict=True)]
        return mixed(parts, weighting, families=families)

    def tiny(self, *, seed: int) -> Mixture:
        """Return a mixture of two of the other families' tiny models, with weights that follow the text."""
        others = (name for name in FAMILIES.names() if not isinstance(FAMILIES.get(name), ReadsLabels | MixtureFamily))
        predict = (name for name in others if isinstance(FAMILIES.get(name).tiny(seed=seed), LanguageModel))
        families = (next(predict), next(predict))
        parts = [predicting(FAMILIES.get(name).tiny(seed=seed + number), name) for number, name in enumerate(families)]
        return mixed(parts, Weighting((0.7, 0.3), slopes=(-3.0, 2.0), curves=(1.0, -2.0)), families=families)


FAMILY = MixtureFamily()


def _equal(count: int) -> Weighting:
    return Weighting((1 / count,) * count)
