"""How a network that reads in both directions shows itself outside: NumPy in, NumPy out, dropout off, no gradients.

Axes: **B** rows, **T** time, **D** width, **N** places that are asked about.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.blocks.network import LOGIT_COUNT, WINDOW_TOKENS, reading, rows_of_like_length
from ziggurat.models.pseudo_likelihood import pseudo_logprobs

__all__ = ["BidirectionalNetwork", "NeuralEncoder", "NeuralMaskedModel"]


class BidirectionalNetwork(Protocol):
    """What is asked of the network: see `ziggurat.models.encoder.EncoderNetwork`."""

    vocabulary: Vocabulary
    width: int
    context: int | None
    config: Any

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        ...

    def hidden(self, ids: Tensor, *, lengths: Tensor | None = None, types: Tensor | None = None) -> Tensor:
        """Return (B, T, D) vectors of (B, T) ids."""
        ...

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V) logits of (…, D) vectors."""
        ...

    def pooled(self, hidden_BTD: Tensor) -> Tensor:
        """Return (B, D): one vector of each row."""
        ...


class NeuralEncoder:
    """A network that reads in both directions as a `ziggurat.core.protocols.ContextEncoder`.

    *Cost.* Rows of like length are read together, at most `WINDOW_TOKENS` ids at a time, so memory beyond the result
    does not grow with the text.

    *Raises.* `UsageError` where a row has more ids than `context`.
    """

    def __init__(self, network: Any) -> None:
        """Show ``network``, in evaluation mode until someone trains it: it stays the same object."""
        self.network = network.eval()

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self._network.vocabulary

    @property
    def context(self) -> int | None:
        """Longest sequence that it can read, in ids."""
        return self._network.context

    @property
    def width(self) -> int:
        """D, numbers in a vector."""
        return self._network.width

    @property
    def config(self) -> Any:
        """Its configuration, which also says how a text becomes one vector."""
        return self._network.config

    @property
    def _network(self) -> BidirectionalNetwork:
        return self.network  # type: ignore[no-any-return]

    def encode(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, T, D): a vector for each of each row's first ``lengths`` ids; 0 at and beyond them."""
        found = np.zeros((*ids.shape, self.width), np.float32)
        with reading(self.network):
            for rows, hidden_BTD in self._read(ids, lengths):
                time = hidden_BTD.shape[1]
                inside = np.arange(time) < lengths[rows, None]
                found[rows, :time] = hidden_BTD.float().cpu().numpy() * inside[..., None]
        return found

    def pool(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        """Return (B, D): each row as the pooler makes one vector of it; 0 for a row without ids.

        *Raises.* `UsageError` where there is no pooler.
        """
        found = np.zeros((len(ids), self.width), np.float32)
        with reading(self.network):
            for rows, hidden_BTD in self._read(ids, lengths):
                found[rows] = self._network.pooled(hidden_BTD).float().cpu().numpy()
        return found

    def _read(self, ids: IdArray, lengths: IdArray) -> Any:
        """Yield rows of like length and their (B, T, D) vectors; rows without ids are left out."""

        def fits(rows: int, longest: int) -> bool:
            return rows * longest <= WINDOW_TOKENS

        for alike in rows_of_like_length(lengths, fits):
            rows = alike[lengths[alike] > 0]
            longest = int(lengths[rows].max(initial=0))
            if longest:
                yield rows, self._network.hidden(self._tensor(ids[rows, :longest]), lengths=self._tensor(lengths[rows]))

    def _tensor(self, ids: IdArray) -> Tensor:
        return torch.from_numpy(ids.astype(np.int64)).to(self._network.device)


class NeuralMaskedModel(NeuralEncoder):
    """An encoder with a head: also a `ziggurat.core.protocols.MaskedLanguageModel`."""

    def guess(self, ids: IdArray, lengths: IdArray, targets: IdArray) -> tuple[FloatArray, IdArray]:
        """Return (B, T) log p of each target given all ids of its row, and (B, T) the likeliest ids there.

        ``targets`` is −1 where nothing is asked, and so are the likeliest ids; the log-probabilities are 0 there.
        """
        logprobs, likeliest = np.zeros(ids.shape, np.float32), np.full(ids.shape, -1, np.int32)
        with reading(self.network):
            for rows, hidden_BTD in self._read(ids, lengths):
                asked = targets[rows, : hidden_BTD.shape[1]]
                row, place = np.nonzero(asked >= 0)
                found, best = self._judge(hidden_BTD[row, place], self._tensor(asked[row, place]))
                logprobs[rows[row], place], likeliest[rows[row], place] = found, best
        return logprobs, likeliest

    def score(self, ids: IdArray, lengths: IdArray) -> npt.NDArray[np.float64]:
        """Return (B,) nats: the pseudo-log-likelihood of each row (`ziggurat.models.pseudo_likelihood`)."""
        rows = [row[:length] for row, length in zip(ids, lengths.tolist(), strict=True)]
        return np.array([row.sum(dtype=np.float64) for row in pseudo_logprobs(self, rows)], np.float64)

    def _judge(self, hidden_ND: Tensor, targets_N: Tensor) -> tuple[FloatArray, IdArray]:
        """Return (N,) log-probabilities of targets and (N,) likeliest ids, never holding all N × V logits."""
        size = max(1, LOGIT_COUNT // self.vocabulary.size)
        logprobs_N, best = np.zeros(len(targets_N), np.float32), np.zeros(len(targets_N), np.int32)
        for start in range(0, len(targets_N), size):
            some = slice(start, start + size)
            logprobs_NV = self._network.logits(hidden_ND[some]).float().log_softmax(-1)
            logprobs_N[some] = logprobs_NV.gather(1, targets_N[some, None])[:, 0].cpu().numpy()
            best[some] = logprobs_NV.argmax(-1).cpu().numpy()
        return logprobs_N, best
