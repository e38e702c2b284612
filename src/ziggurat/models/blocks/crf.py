"""A linear-chain CRF: the last layer of a tagger, which scores whole sequences of labels instead of single ones.

*Idea.* A classifier at each position can say "inside a name" where no name has begun. A CRF adds a score for each pair
of neighbouring labels and normalises over all labellings of the sentence at once, so that what is learned, said and
trusted is a property of the whole. What may not be, by the scheme of the labels (`ziggurat.core.schemes`), has
probability zero, not only a low score.

Shape suffixes: **B** rows, **T** time, **L** labels.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.path_sums import Chain, best_paths, log_total, path_sums

__all__ = ["LabelMask", "LabelledStretch", "LinearChainCRF"]

LabelMask: TypeAlias = Tensor | npt.NDArray[np.bool_]
"""What may be: True = may."""

LabelledStretch: TypeAlias = tuple[int, int, Sequence[int]]
"""A row, the position where it starts, and the labels from there on."""


class LinearChainCRF(nn.Module):
    """The probability of every labelling of a sequence, from scores of labels and of pairs of neighbours.

    *Maths.* s(x, y) = Σ_t e_t(y_t) + Σ_t A(y_t, y_{t+1}) + the scores of starting with y_1 and ending with y_T;
    p(y | x) = exp s(x, y) / Σ_y′ exp s(x, y′) (Lafferty, McCallum & Pereira 2001, section 3; with emissions from a
    network: Lample et al. 2016, "CRF Tagging Models"). The sum is exact (`ziggurat.models.blocks.path_sums`).

    *Shapes and units.* Emissions (B, T, L) are any real scores, in any precision; all sums are in 64-bit, under
    autocast too, and results are float32 (float64 for float64 emissions). ``lengths`` (B,) are 0 … T; what stands
    behind them changes nothing; an empty row has one labelling, the empty one. Log-probabilities are natural.

    *Departs.* Both papers give the start and the end a label of their own; here they are two vectors of scores, which
    is the same model. Transitions begin at zero: all pairs that may be are equally good.

    *Cost.* One scan over T in training, B·L² multiplications a step, both directions together.
    """

    start_keep_mask: Tensor
    keep_mask: Tensor
    end_keep_mask: Tensor

    def __init__(
        self,
        labels: int,
        *,
        keep_mask: LabelMask | None = None,
        start_keep_mask: LabelMask | None = None,
        end_keep_mask: LabelMask | None = None,
    ) -> None:
        """Make the layer for ``labels`` labels.

        ``keep_mask`` (L, L) is True where the column's label may follow the row's; ``start_keep_mask`` and
        ``end_keep_mask`` (L,) where a sequence may start or end; None: everything may. They are no part of the
        weights: whoever restores the layer gives them again.

        Raises:
            UsageError: there is no label, or a mask has another shape.
        """
        super().__init__()
        if labels < 1:
            raise UsageError(f"a CRF needs at least one label, got {labels}")
        self.transitions = nn.Parameter(torch.zeros(labels, labels))
        self.start = nn.Parameter(torch.zeros(labels))
        self.end = nn.Parameter(torch.zeros(labels))
        self._allow("keep_mask", keep_mask, (labels, labels))
        self._allow("start_keep_mask", start_keep_mask, (labels,))
        self._allow("end_keep_mask", end_keep_mask, (labels,))

    def log_likelihood(self, emissions: Tensor, labels: Tensor, lengths: Tensor, *, sharpness: float = 1.0) -> Tensor:
        """Return (B,): the log-probability of the given (B, T) labels; what training raises.

        *Maths.* With ``sharpness`` β > 0 of all scores: p_β(y | x) ∝ p(y | x)^β, exact for whole labellings.

        Raises:
            UsageError: a shape is wrong, or a label is none of the layer's or may not stand where it stands (it names
                row and position).
        """
        lengths = self._checked(emissions, lengths)
        if labels.shape != emissions.shape[:2]:
            raise UsageError(f"labels have shape {tuple(labels.shape)}, expected {tuple(emissions.shape[:2])}")
        inside_BT = _inside(emissions, lengths)
        self._check_gold(labels, inside_BT, lengths)
        labels = labels.masked_fill(~inside_BT, 0)
        picked_BT = emissions.gather(2, labels[..., None])[..., 0].double().masked_fill(~inside_BT, 0)
        moved_BT = self.transitions.double()[labels[:, :-1], labels[:, 1:]].masked_fill(~inside_BT[:, 1:], 0)
        last_B = labels.gather(1, (lengths - 1).clamp_min(0)[:, None])[:, 0]
        outer_B = (self.start.double()[labels[:, 0]] + self.end.double()[last_B]).masked_fill(lengths == 0, 0)
        score_B = picked_BT.sum(1) + moved_BT.sum(1) + outer_B
        around = [sharpness * scores for scores in self._scores()]
        total_B = log_total(emissions if sharpness == 1 else sharpness * emissions.double(), lengths, *around)
        return (sharpness * score_B - total_B).to(_precision(emissions))

    @torch.no_grad()
    def decode(self, emissions: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the most probable labels (B, T), −1 behind each row's end, and (B,) their log-probability.

        Raises:
            UsageError: a shape is wrong, or nothing may be said of a row (it names the row).
        """
        chain = self._chain(emissions, lengths)
        total_B = _existing(path_sums(chain, both=False).total, chain.lengths)
        labels_BT, score_B = best_paths(chain)
        return labels_BT, (score_B - total_B).clamp_max(0).to(_precision(emissions))

    @torch.no_grad()
    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return (B, T, L): the probability of each label at each position, zero in padding; it carries no gradient.

        *Maths.* Forward times backward over the sum of all paths (Rabiner 1989, section III, γ_t(i)).

        Raises:
            UsageError: a shape is wrong, or nothing may be said of a row (it names the row).
        """
        chain = self._chain(emissions, lengths)
        sums = path_sums(chain, both=True)
        _existing(sums.total, chain.lengths)
        return sums.logprobs(chain).exp().transpose(0, 1).to(_precision(emissions))

    def logprob_within(self, emissions: Tensor, lengths: Tensor, keep_mask: Tensor) -> Tensor:
        """Return (B,): the log-probability that every label is one of those that ``keep_mask`` (B, T, L) allows.

        *Maths.* log of the sum over the paths within the mask, less that over all. With gradients; so it also trains
        on labels that are known in part.

        Raises:
            UsageError: a shape is wrong, or nothing may be said of a row even without the mask.
        """
        lengths = self._checked(emissions, lengths)
        if keep_mask.shape != emissions.shape:
            raise UsageError(f"keep_mask has shape {tuple(keep_mask.shape)}, expected {tuple(emissions.shape)}")
        total_B = _existing(log_total(emissions, lengths, *self._scores()), lengths)
        within_B = log_total(emissions.masked_fill(~keep_mask, -torch.inf), lengths, *self._scores())
        return (within_B - total_B).to(_precision(emissions))

    @torch.no_grad()
    def span_logprobs(self, emissions: Tensor, lengths: Tensor, spans: Sequence[LabelledStretch]) -> Tensor:
        """Return, for each span, the log-probability that its row has exactly these labels from its start on.

        In BIO and IOB1 a longer span begins with the same labels; to ask that it ends there, forbid the label that
        goes on with it (`logprob_within`), or take away the probability of the span with that label added.

        Raises:
            UsageError: a span is empty, leaves its row, or has a label that the layer has not.
        """
        lengths = self._checked(emissions, lengths)
        if not spans:
            return torch.zeros(0, dtype=_precision(emissions), device=emissions.device)
        sizes = lengths.tolist()
        for row, start, labels in spans:
            inside = 0 <= row < len(sizes) and 0 <= start < start + len(labels) <= sizes[row]
            if not inside or not all(0 <= label < len(self.start) for label in labels):
                raise UsageError(f"row {row}, position {start}, labels {list(labels)}: no such span of these sequences")
        rows = torch.tensor([row for row, _, _ in spans], device=emissions.device)
        keep_mask = torch.ones(len(spans), *emissions.shape[1:], dtype=torch.bool)
        for number, (_, start, labels) in enumerate(spans):
            keep_mask[number, start : start + len(labels)] = False
            keep_mask[number, range(start, start + len(labels)), list(labels)] = True
        return self.logprob_within(emissions[rows], lengths[rows], keep_mask.to(emissions.device))

    def span_logprob(
        self, emissions: Tensor, lengths: Tensor, row: int, start: int, stop: int, labels: Sequence[int]
    ) -> float:
        """Return the log-probability that the labels of a row from ``start`` to before ``stop`` are exactly these.

        Of many spans `span_logprobs` is faster. Raises as it does.
        """
        if len(labels) != stop - start:
            raise UsageError(f"{len(labels)} labels for the {stop - start} positions from {start} to {stop}")
        found: float = self.span_logprobs(emissions, lengths, [(row, start, labels)]).item()
        return found

    def _allow(self, name: str, mask: LabelMask | None, shape: tuple[int, ...]) -> None:
        kept = torch.ones(shape, dtype=torch.bool) if mask is None else torch.as_tensor(mask, dtype=torch.bool)
        if kept.shape != shape:
            raise UsageError(f"{name} has shape {tuple(kept.shape)}, expected {shape}")
        self.register_buffer(name, kept, persistent=False)

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return transitions, start and end, −inf where something may not be."""
        return (
            self.transitions.masked_fill(~self.keep_mask, -torch.inf),
            self.start.masked_fill(~self.start_keep_mask, -torch.inf),
            self.end.masked_fill(~self.end_keep_mask, -torch.inf),
        )

    def _chain(self, emissions: Tensor, lengths: Tensor) -> Chain:
        return Chain.of(emissions, self._checked(emissions, lengths), *self._scores())

    def _checked(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Return the lengths where the emissions are."""
        if emissions.ndim != 3 or 0 in emissions.shape or emissions.shape[2] != len(self.start):
            raise UsageError(f"emissions have shape {tuple(emissions.shape)}, expected (B, T, {len(self.start)})")
        if lengths.shape != emissions.shape[:1]:
            raise UsageError(f"lengths have shape {tuple(lengths.shape)}, expected ({len(emissions)},)")
        if ((lengths < 0) | (lengths > emissions.shape[1])).any():
            raise UsageError(f"lengths are {lengths.tolist()}, expected 0 to {emissions.shape[1]}")
        return lengths.to(emissions.device, torch.long)

    def _check_gold(self, labels: Tensor, inside_BT: Tensor, lengths: Tensor) -> None:
        known_BT = (labels >= 0) & (labels < len(self.start))
        safe = labels.masked_fill(~known_BT, 0)
        right_BT = known_BT.clone()
        right_BT[:, 0] &= self.start_keep_mask[safe[:, 0]]
        right_BT[:, 1:] &= self.keep_mask[safe[:, :-1], safe[:, 1:]]
        last_BT = torch.arange(labels.shape[1], device=labels.device) == lengths[:, None] - 1
        wrong_BT = inside_BT & ~(right_BT & (self.end_keep_mask[safe] | ~last_BT))
        if not wrong_BT.any():
            return
        row, place = wrong_BT.nonzero()[0].tolist()
        label = int(labels[row, place])
        if not known_BT[row, place]:
            raise UsageError(f"row {row}, position {place}: label {label} is none of 0 to {len(self.start) - 1}")
        if not right_BT[row, place]:
            how = f"may not follow label {int(labels[row, place - 1])}" if place else "may not start a sequence"
        else:
            how = "may not end a sequence"
        raise UsageError(f"row {row}, position {place}: label {label} {how}; correct the labels or the masks")


def _inside(emissions: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]


def _precision(emissions: Tensor) -> torch.dtype:
    return torch.promote_types(emissions.dtype, torch.float32)


def _existing(total_B: Tensor, lengths: Tensor) -> Tensor:
    """Return the totals, if there is something to say of every row."""
    if not (missing_B := ~(total_B > -torch.inf)).any():
        return total_B
    row = int(missing_B.nonzero()[0])
    if total_B[row].isnan():
        raise UsageError(f"row {row}: its emissions are not finite numbers; training may have diverged")
    raise UsageError(f"row {row}: the masks allow no labelling of {int(lengths[row])} positions")
