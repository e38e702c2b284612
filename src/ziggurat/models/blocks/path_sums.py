"""Sums and maxima over all paths of a chain of labels: forward, backward, Viterbi, in time that grows with T alone.

*Idea.* There are L^T labellings of T positions, but what a path scores is a sum over neighbours; so all that matters
about the past is, for each label of the present, the sum over all ways that lead there.

*Maths.* With emissions e_t, transitions A, start s and end f, a path y scores s(y_1) + Σ_t e_t(y_t) +
Σ_t A(y_t, y_{t+1}) + f(y_T). ``before_t``(j) = log Σ_i exp(before_{t−1}(i) + e_{t−1}(i) + A_ij), from
``before_1`` = s, is the forward variable α_t without the emission of its own position; ``after_t`` is the same from the
other end, the backward variable β_t (Rabiner 1989, section III: there as products of probabilities, here as sums of
any scores). The log of the sum over all paths is log Σ_j exp(before_T + e_T + f)(j).

*Departs.* A step is one product of matrices, of exp(x − max x) and of exp(A) with each column's maximum taken out. In
64-bit that is exact to rounding as long as no label can be reached only from labels that lie more than `RANGE` nats
behind the best; this is checked after the fact, and a chain that breaks it is summed by log-sum-exp of L × L scores
instead, which is many times as slow. Both directions go in one scan.

Shape suffixes: **B** rows, **T** time, **L** labels (twice: before, after), **K** directions (1, or forward and
backward).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["Chain", "Sums", "best_paths", "log_total", "path_sums"]

RANGE = 600.0
"""Nats that a sum may lie behind the best it could be: 64-bit numbers end at e^−708, and rounding needs some left."""

_LOWEST = torch.finfo(torch.float64).min


@dataclass(frozen=True, slots=True)
class Chain:
    """The scores of a batch of chains, in 64-bit; −inf is what may not be."""

    emissions: Tensor
    """(T, B, L): scores of each label at each position; zero behind a row's end."""
    transitions: Tensor
    """(L, L): from the row's label to the column's."""
    start: Tensor
    """(L,)"""
    end: Tensor
    """(L,)"""
    lengths: Tensor
    """(B,): positions of each row, 0 … T."""

    @classmethod
    def of(cls, emissions_BTL: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> "Chain":
        """Return the chain in 64-bit, whatever stands in padding taken out."""
        inside_BT = torch.arange(emissions_BTL.shape[1], device=lengths.device) < lengths[:, None]
        emissions_BTL = emissions_BTL.double().masked_fill(~inside_BT[..., None], 0)
        return cls(emissions_BTL.transpose(0, 1), transitions.double(), start.double(), end.double(), lengths)

    @property
    def inside(self) -> Tensor:
        """(T, B): True at positions of a row, False in padding."""
        return torch.arange(len(self.emissions), device=self.lengths.device)[:, None] < self.lengths

    @property
    def last(self) -> Tensor:
        """(1, B, L): the index of each row's last position, to gather from (T, B, L); 0 for an empty row."""
        return (self.lengths - 1).clamp_min(0)[None, :, None].expand(1, -1, len(self.start))

    def turned(self, values_TBL: Tensor) -> Tensor:
        """Return values with each row in reverse order; padding stays where it is. Turning twice changes nothing."""
        time_T1 = torch.arange(len(values_TBL), device=self.lengths.device)[:, None]
        index_TB = torch.where(self.inside, self.lengths - 1 - time_T1, time_T1)
        return values_TBL.gather(0, index_TB[..., None].expand_as(values_TBL))


@dataclass(frozen=True, slots=True)
class Sums:
    """What the scan leaves: logs of sums over the ways to, and from, each label of each position."""

    total: Tensor
    """(B,): log of the sum over all paths; 0 for an empty row, whose one path is empty; −inf where none is allowed."""
    before: Tensor
    """(T, B, L)"""
    after: Tensor
    """(T, B, L); empty where only the total was asked for."""
    scaled: bool
    """Whether products of scaled matrices were exact enough."""

    def logprobs(self, chain: Chain) -> Tensor:
        """Return (T, B, L): log-probabilities of labels at positions; −inf in padding and where no path is allowed."""
        logprobs_TBL = self.before + chain.emissions + self.after - self.total[:, None]
        known_TB = chain.inside & ~self.total.isneginf()
        return logprobs_TBL.masked_fill(~known_TB[..., None], -torch.inf)


def path_sums(chain: Chain, *, both: bool) -> Sums:
    """Return the sums from the start, and with ``both`` also those from the end.

    *Cost.* T steps of B·L² multiplications; memory for B·T·L numbers a direction.
    """
    emissions_KTBL, first_KL, transitions_KLL = chain.emissions[None], chain.start[None], chain.transitions[None]
    if both:
        emissions_KTBL = torch.stack([chain.emissions, chain.turned(chain.emissions)])
        first_KL = torch.stack([chain.start, chain.end])
        transitions_KLL = torch.stack([chain.transitions, chain.transitions.t()])
    emissions_TKBL = emissions_KTBL.transpose(0, 1).contiguous()
    sums_TKBL = _scaled_scan(first_KL, emissions_TKBL, transitions_KLL, chain.inside)
    if not (scaled := sums_TKBL is not None):
        sums_TKBL = _plain_scan(first_KL, emissions_TKBL, transitions_KLL)
    before_TBL = sums_TKBL[:, 0]
    ends_BL = (before_TBL + chain.emissions).gather(0, chain.last)[0] + chain.end
    total_B = ends_BL.logsumexp(-1).masked_fill(chain.lengths == 0, 0)
    after_TBL = chain.turned(sums_TKBL[:, 1]) if both else before_TBL.new_empty(0)
    return Sums(total_B, before_TBL, after_TBL, scaled)


def _tilt(transitions_KLL: Tensor) -> Tensor:
    """Return (K, 1, L): the best score with which each label can be reached; 0 where it can't be."""
    best_K1L = transitions_KLL.amax(-2, keepdim=True)
    return best_K1L.masked_fill(best_K1L.isneginf(), 0)


def _peak(scores: Tensor) -> Tensor:
    """Return the best score of each row; finite also where there is none."""
    return scores.amax(-1, keepdim=True).clamp_min(_LOWEST)


def _scaled_scan(first_KL: Tensor, emissions_TKBL: Tensor, transitions_KLL: Tensor, inside_TB: Tensor) -> Tensor | None:
    """Return the sums (T, K, B, L); None where a sum came too near to the smallest number."""
    tilt_K1L = _tilt(transitions_KLL)
    factors_KLL = (transitions_KLL - tilt_K1L).exp()
    tilted_TKBL = torch.cat([emissions_TKBL[:1], emissions_TKBL[1:] + tilt_K1L])
    logs_TKBL = torch.empty_like(
        emissions_TKBL
    )  # of the products: what peaks and tilts took out is put back at the end
    peaks_TKB1 = torch.zeros_like(emissions_TKBL[..., :1])
    logs_TKBL[0] = first_KL[:, None]
    for t in range(1, len(logs_TKBL)):
        scores_KBL = logs_TKBL[t - 1] + tilted_TKBL[t - 1]
        peaks_TKB1[t] = peak_KB1 = _peak(scores_KBL)
        torch.bmm(scores_KBL.sub_(peak_KB1).exp_(), factors_KLL, out=logs_TKBL[t])
        logs_TKBL[t].log_()
    low_TKBL = (logs_TKBL[1:] < -RANGE) & inside_TB[1:, None, :, None]
    if low_TKBL.any():  # the rare case: some are truly nothing, because no path leads there
        alive_TKBL = (logs_TKBL[:-1] + emissions_TKBL[:-1]).isfinite().double()
        if (low_TKBL & (alive_TKBL @ transitions_KLL.isfinite().double() > 0)).any():
            return None
    logs_TKBL[1:] += tilt_K1L
    return logs_TKBL + peaks_TKB1.cumsum(0)


def _plain_scan(first_KL: Tensor, emissions_TKBL: Tensor, transitions_KLL: Tensor) -> Tensor:
    sums_TKBL = torch.empty_like(emissions_TKBL)
    sums_TKBL[0] = first_KL[:, None]
    for t in range(1, len(sums_TKBL)):
        scores_KBL = sums_TKBL[t - 1] + emissions_TKBL[t - 1]
        sums_TKBL[t] = (scores_KBL[..., None] + transitions_KLL[:, None]).logsumexp(-2)
    return sums_TKBL


def log_total(emissions_BTL: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return (B,), 64-bit: the log of the sum over all paths, with its first derivatives.

    *Maths.* The derivative by the score of anything is how often it is expected to be used: by an emission, the
    marginal probability of that label there; by a transition, the expected number of its uses.
    """
    total_B: Tensor = _LogTotal.apply(emissions_BTL, lengths, transitions, start, end)  # type: ignore[no-untyped-call]
    return total_B


class _LogTotal(torch.autograd.Function):
    """`log_total` with the backward pass written out: one scan does both directions, and no step is recorded."""

    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> Tensor:
        chain = Chain.of(*given)
        both = any(ctx.needs_input_grad)
        sums = path_sums(chain, both=both)
        if both:
            ctx.chain, ctx.sums, ctx.kinds = chain, sums, [tensor.dtype for tensor in given]
        return sums.total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient_B: Tensor) -> tuple[Tensor | None, ...]:
        chain, sums = ctx.chain, ctx.sums
        logprobs_TBL = sums.logprobs(chain)
        expected_TBL = logprobs_TBL.exp() * gradient_B[:, None]
        found = (
            expected_TBL.transpose(0, 1),
            None,
            _expected_transitions(chain, sums, logprobs_TBL, gradient_B),
            expected_TBL[0].sum(0),
            expected_TBL.gather(0, chain.last)[0].sum(0),
        )
        return tuple(None if one is None else one.to(kind) for one, kind in zip(found, ctx.kinds, strict=True))


def _expected_transitions(chain: Chain, sums: Sums, logprobs_TBL: Tensor, weights_B: Tensor) -> Tensor:
    """Return (L, L): how often each transition is expected to be used, rows weighed by ``weights_B``.

    *Maths.* P(y_{t−1} = i, y_t = j) = exp(before_{t−1}(i) + e_{t−1}(i) + A_ij) · P(y_t = j) / exp(before_t(j)).
    """
    scores_TBL = (sums.before + chain.emissions)[:-1]
    shares_TBL = (logprobs_TBL - sums.before)[1:].masked_fill(logprobs_TBL[1:].isneginf(), -torch.inf)
    if sums.scaled:
        tilt_1L = _tilt(chain.transitions[None])[0]
        peak_TB1 = _peak(scores_TBL)
        from_TBL = (scores_TBL - peak_TB1).exp()
        to_TBL = (shares_TBL + peak_TB1 + tilt_1L).exp() * weights_B[:, None]
        return (chain.transitions - tilt_1L).exp() * (from_TBL.flatten(0, 1).t() @ to_TBL.flatten(0, 1))
    expected_LL = torch.zeros_like(chain.transitions)
    for scores_BL, shares_BL in zip(scores_TBL, shares_TBL, strict=True):
        pairs_BLL = (scores_BL[:, :, None] + chain.transitions + shares_BL[:, None]).exp()
        expected_LL += torch.einsum("bij,b->ij", pairs_BLL, weights_B)
    return expected_LL


def best_paths(chain: Chain) -> tuple[Tensor, Tensor]:
    """Return (B, T) labels of the best path of each row, −1 behind its end, and (B,) its score.

    *Maths.* The forward sums with a maximum in place of each sum, and the way back along what was maximal (Viterbi;
    Rabiner 1989, section III). Of equal ones the label with the lower number.
    """
    steps = len(chain.emissions)
    best_TBL = chain.start + chain.emissions
    came_from_TBL = torch.zeros_like(best_TBL, dtype=torch.long)
    for t in range(1, steps):
        arriving_BL, came_from_TBL[t] = (best_TBL[t - 1][:, :, None] + chain.transitions).max(1)
        best_TBL[t] = arriving_BL + chain.emissions[t]
    score_B, label_B = (best_TBL.gather(0, chain.last)[0] + chain.end).max(-1)
    labels_TB = torch.empty_like(came_from_TBL[..., 0])
    labels_TB[-1] = label_B
    for t in range(steps - 1, 0, -1):
        earlier_B = came_from_TBL[t].gather(1, label_B[:, None])[:, 0]
        label_B = torch.where(t < chain.lengths, earlier_B, label_B)
        labels_TB[t - 1] = label_B
    return labels_TB.masked_fill(~chain.inside, -1).t(), score_B.masked_fill(chain.lengths == 0, 0)
