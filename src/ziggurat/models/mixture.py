"""The mixture: several models that share a vocabulary, their probabilities averaged.

*Idea.* Models that err in different places are better together: counting knows what was seen, a network what is alike.
Weights may follow the text: where one part has predicted the last tokens better, it is believed more for the next.

*Maths.* p(x_t | h) = Σ_m λ_m(h)·p_m(x_t | h) (linear interpolation, Jelinek & Mercer 1980) with

    λ_m(h) ∝ λ_m · exp(η · E_m(h)),  E_m(x_1 … x_t) = γ·(E_m(x_1 … x_{t−1}) + log p_m(x_t | x_1 … x_{t−1})),

``rate`` η and ``memory`` γ. With η = 0 the weights are constant. With η = γ = 1 they are the posterior probabilities
that a part wrote the text so far (Bayesian model averaging); γ < 1 forgets, as in dynamic model averaging (Raftery,
Kárný & Ettler 2010). They depend on the history alone, so the mixture is a distribution whatever they are.

Shape suffixes: **M** parts, **B** batch, **T** time, **V** vocabulary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import option
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.numerics import log_softmax, logsumexp
from ziggurat.core.protocols import LanguageModel, State
from ziggurat.core.types import FloatArray, IdArray, TensorMap, Vocabulary
from ziggurat.models.registry import FAMILIES

__all__ = ["FAMILY", "Mixture", "MixtureConfig", "MixtureFamily", "Weighting"]

LEAST_EVIDENCE = -20.0
"""Nats: what a token that a part held for (nearly) impossible counts against it, so that no part is lost for good."""


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
    """How much each part counts, and how that follows the text (see the formula above)."""

    weights: tuple[float, ...]
    """λ: positive, with sum 1."""
    rate: float = 0.0
    """η ≥ 0: how strongly evidence moves the weights; 0: they are constant."""
    memory: float = 0.0
    """γ from 0 to 1: how much of the evidence is left after each token."""

    def __post_init__(self) -> None:
        """Check that these are weights."""
        if min(self.weights, default=0.0) <= 0 or abs(sum(self.weights) - 1) > 1e-6:
            raise UsageError(f"the weights of a mixture must be positive and have sum 1, got {list(self.weights)}")
        if self.rate < 0 or not 0 <= self.memory <= 1:
            raise UsageError(f"rate must be 0 or more and memory from 0 to 1, got {self.rate} and {self.memory}")

    def remember(self, evidence: FloatArray, logprobs: FloatArray) -> FloatArray:
        """Return the evidence E after one more token, to which the parts gave ``logprobs`` (same shape)."""
        seen = np.maximum(logprobs, np.float32(LEAST_EVIDENCE))
        return np.asarray((evidence + seen) * np.float32(self.memory), dtype=np.float32)

    def mix(self, evidence: FloatArray, logprobs: FloatArray) -> FloatArray:
        """Return log Σ λ_m(h)·p_m: ``evidence`` is (M, …), ``logprobs`` the same or with V behind."""
        shape = (len(self.weights),) + (1,) * (evidence.ndim - 1)
        prior = np.log(np.asarray(self.weights, dtype=np.float32)).reshape(shape)
        log_weights = log_softmax(prior + np.float32(self.rate) * evidence, axis=0)
        log_weights = log_weights.reshape(log_weights.shape + (1,) * (logprobs.ndim - log_weights.ndim))
        return np.asarray(logsumexp(log_weights + logprobs, axis=0), dtype=np.float32)

    def scan(self, logprobs: FloatArray) -> FloatArray:
        """Return (B, T) mixed log-probabilities of texts from the (M, B, T) that the parts gave to their tokens."""
        evidence = np.zeros_like(logprobs)
        if self.rate:
            for t in range(1, logprobs.shape[2]):
                evidence[:, :, t] = self.remember(evidence[:, :, t - 1], logprobs[:, :, t - 1])
        return self.mix(evidence, logprobs)


@dataclass(frozen=True)
class _MixtureState:
    parts: tuple[State, ...]
    evidence: FloatArray
    """(M, B)."""
    logprobs: FloatArray
    """(M, B, V): what each part said of the next id; which it was, the next step tells."""


class Mixture:
    """Models that share a vocabulary, as one `ziggurat.core.protocols.LanguageModel`.

    *Cost.* That of all parts, and M·V operations a token. Where weights follow the text, a prompt is read twice.
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
        """The shortest of the parts' contexts; None where no part has a limit."""
        return min((part.context for part in self.parts if part.context is not None), default=None)

    def part_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (M, B, T − 1): each part's own `token_logprobs`; all that tuning the weights needs to know."""
        return np.stack([part.token_logprobs(ids, lengths) for part in self.parts])

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T − 1): log p(ids[:, t] | ids[:, :t]) for t ≥ 1; 0 at and beyond a row's length."""
        mixed = self.weighting.scan(self.part_logprobs(ids, lengths))
        inside = np.arange(1, ids.shape[1]) < lengths[:, None]
        return np.where(inside, mixed, np.float32(0))

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats: the sum of each row's `token_logprobs`."""
        return np.asarray(self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64))

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, State]:
        """Read (B, T) prompts at once; return (B, V) next-id logprobs and the state."""
        evidence = np.zeros((len(self.parts), ids.shape[0]), dtype=np.float32)
        if self.weighting.rate:
            seen = self.part_logprobs(ids, lengths)
            for t in range(seen.shape[2]):
                later = self.weighting.remember(evidence, seen[:, :, t])
                evidence = np.where(t + 1 < lengths, later, evidence)
        begun = [part.begin(ids, lengths) for part in self.parts]
        return self._say(begun, evidence)

    def step(self, state: _MixtureState, ids: IdArray) -> tuple[FloatArray, State]:
        """Append one id (B,) to each row; return (B, V) next-id logprobs and the new state."""
        evidence = state.evidence
        if self.weighting.rate:
            seen = np.take_along_axis(state.logprobs, ids[None, :, None], axis=2)[:, :, 0]
            evidence = self.weighting.remember(evidence, seen)
        stepped = [part.step(held, ids) for part, held in zip(self.parts, state.parts, strict=True)]
        return self._say(stepped, evidence)

    def reorder(self, state: _MixtureState, rows: IdArray) -> State:
        """Return the state whose row b is the old row ``rows[b]``; rows may repeat or drop."""
        held = tuple(part.reorder(own, rows) for part, own in zip(self.parts, state.parts, strict=True))
        return _MixtureState(held, state.evidence[:, rows], state.logprobs[:, rows])

    def _say(self, answers: Sequence[tuple[FloatArray, State]], evidence: FloatArray) -> tuple[FloatArray, State]:
        logprobs = np.stack([answer for answer, _ in answers])
        state = _MixtureState(tuple(held for _, held in answers), evidence, logprobs)
        return self.weighting.mix(evidence, logprobs), state


class MixtureFamily:
    """Builds, saves and opens mixtures; knows the parts' families by name only."""

    name: ClassVar[str] = "mixture"
    trainer: ClassVar[Literal["count", "gradient", "blend"]] = "blend"
    config: ClassVar[type[Any]] = MixtureConfig

    def build(self, config: MixtureConfig, vocabulary: Vocabulary, *, seed: int) -> Mixture:
        """Return untrained parts of default size with equal weights."""
        families = [FAMILIES.get(name, where="parts") for name in config.parts]
        parts = [family.build(family.config(), vocabulary, seed=seed + m) for m, family in enumerate(families)]
        return Mixture(parts, _equal(len(parts)), families=config.parts)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return the parts' configurations nested, and their tensors with the part's number before the name."""
        weighting: Weighting = model.weighting
        configs, tensors = [], {}
        for number, (name, part) in enumerate(zip(model.families, model.parts, strict=True)):
            config, own = FAMILIES.get(name).state(part)
            configs.append({"family": name, "config": config})
            tensors.update({f"{number}.{key}": array for key, array in own.items()})
        shares = {"weights": list(weighting.weights), "rate": weighting.rate, "memory": weighting.memory}
        return {"parts": configs, "weighting": shares}, tensors

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> Mixture:
        """Return the mixture that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        try:
            shares = config["weighting"]
            weighting = Weighting(tuple(shares["weights"]), shares["rate"], shares["memory"])
            families = [part["family"] for part in config["parts"]]
            configs = [part["config"] for part in config["parts"]]
        except (KeyError, TypeError) as error:
            raise ArtefactError(f"config.json does not describe a mixture: {error} is missing") from None
        parts = [
            FAMILIES.get(name, where="config.json").restore(own, _tensors_of_part(number, tensors))
            for number, (name, own) in enumerate(zip(families, configs, strict=True))
        ]
        return Mixture(parts, weighting, families=families)

    def tiny(self, *, seed: int) -> Mixture:
        """Return a mixture of two of the other families' tiny models, with weights that follow the text."""
        others = [name for name in FAMILIES.names() if name != self.name]
        families = (others[0], others[1 % len(others)])
        parts = [FAMILIES.get(name).tiny(seed=seed + number) for number, name in enumerate(families)]
        return Mixture(parts, Weighting((0.7, 0.3), rate=0.2, memory=0.8), families=families)


FAMILY = MixtureFamily()


def _equal(count: int) -> Weighting:
    return Weighting((1 / count,) * count)


def _tensors_of_part(number: int, tensors: TensorMap) -> Mapping[str, npt.NDArray[np.generic]]:
    prefix = f"{number}."
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}
