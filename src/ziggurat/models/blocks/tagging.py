"""What every network that labels words is inside (`TaggingNetwork`), and how it shows itself outside (`NeuralTagger`).

Axes: **B** rows, **T** ids, **W** words, **K** characters of a word, **D** width, **L** labels.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ReadsMarks
from ziggurat.core.schemes import SCHEMES, Scheme, keep_masks, scheme_of
from ziggurat.core.types import FloatArray, IdArray, Vocabulary, WordBatch
from ziggurat.models.blocks.crf import LinearChainCRF
from ziggurat.models.blocks.initialisation import Linear, fill_uniform
from ziggurat.models.blocks.network import Network, reading, rows_of_like_length

__all__ = [
    "NeuralTagger",
    "TaggingKeys",
    "TaggingNetwork",
    "WordTensors",
    "of_rows",
    "piece_counts",
    "piece_means",
    "word_tensors",
]

WORDS_AT_ONCE = 2048
"""Words (rows × the longest of them) that are read at once, so that memory stays flat."""


@dataclass(frozen=True)
class TaggingKeys:
    """The ``[model]`` keys of every model that labels words."""

    labels: tuple[str, ...] = option((), "what a word may be labelled; left out: the labels of the training text")
    scheme: Literal["auto", "none", "IOB1", "BIO", "BIOES", "BILOU", "BMES"] = option(
        "auto", "how labels write spans, which decides what may follow what; auto: as the labels look; none: anything"
    )

    def check_labels(self) -> None:
        """Check that labels are there once, and that they are of the scheme.

        *Raises.* `UsageError`.
        """
        if len(set(self.labels)) < len(self.labels):
            raise UsageError("labels: each label may stand there once")
        self.masks()

    @property
    def label_count(self) -> int:
        """L; two where labels are not known yet, the fewest."""
        return len(self.labels) or 2

    @property
    def resolved_scheme(self) -> Scheme | None:
        """The scheme of the labels; None where they write no spans."""
        if self.scheme == "auto":
            return scheme_of(self.labels)
        return next((scheme for scheme in SCHEMES if scheme == self.scheme), None)

    def masks(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None:
        """Return which labels may follow, start and end (`ziggurat.core.schemes.keep_masks`); None: all may.

        A sentence of any length must have an answer, so where no label can be that of every word, all may; and so it is
        while labels are not known yet.

        *Raises.* `UsageError` where a label is none of the scheme's.
        """
        scheme = self.resolved_scheme
        if scheme is None or not self.labels:
            return None
        follow, start, end = keep_masks(self.labels, scheme)
        return (follow, start, end) if (follow.diagonal() & start & end).any() else None


class WordTensors(NamedTuple):
    """A `ziggurat.core.types.WordBatch` on a device."""

    ids: Tensor
    lengths: Tensor
    firsts: Tensor
    words: Tensor
    characters: Tensor
    marks: Tensor | None = None

    @property
    def inside(self) -> Tensor:
        """(B, W): True at words of a row, False in padding."""
        return torch.arange(self.firsts.shape[1], device=self.words.device) < self.words[:, None]


def word_tensors(batch: WordBatch, device: torch.device) -> WordTensors:
    """Return a batch as 64-bit tensors on ``device``."""
    arrays = (batch.ids, batch.lengths, batch.firsts, batch.words, batch.characters)
    given = arrays if batch.marks is None else (*arrays, batch.marks)
    return WordTensors(*(torch.from_numpy(array.astype(np.int64)).to(device) for array in given))


def of_rows(batch: WordBatch, rows: npt.NDArray[np.integer]) -> WordBatch:
    """Return only ``rows`` of a batch, without the padding that none of them needs."""
    lengths, words = batch.lengths[rows], batch.words[rows]
    longest = int(words.max(initial=0))
    characters = batch.characters[rows, :longest]
    inside = np.arange(longest) < words[:, None]
    spelled = int(np.flatnonzero((characters > 0)[inside].any(axis=0)).max(initial=-1)) + 1
    ids = batch.ids[rows, : int(lengths.max(initial=0))]
    marks = None if batch.marks is None else batch.marks[rows, :longest]
    return WordBatch(ids, lengths, batch.firsts[rows, :longest], words, characters[..., :spelled], marks)


def piece_counts(batch: WordTensors) -> Tensor:
    """Return (B, W): how many ids each word has, at least one, 0 in padding.

    Which ids are a word's, `ziggurat.core.types.WordBatch` says.
    """
    place_W = torch.arange(batch.firsts.shape[1], device=batch.firsts.device)
    follows_BW = torch.cat([batch.firsts[:, 1:], batch.firsts[:, :1]], dim=1)  # what stands last is not looked at
    follows_BW = torch.where(place_W == batch.words[:, None] - 1, batch.lengths[:, None] - 1, follows_BW)
    return (follows_BW - batch.firsts).clamp_min(1).masked_fill(~batch.inside, 0)


def piece_means(x_BTD: Tensor, batch: WordTensors) -> Tensor:
    """Return (B, W, D): the mean of the vectors of each word's ids (`piece_counts`), 0 in padding."""
    rows, time, width = x_BTD.shape
    count_BW = piece_counts(batch)
    count_N = count_BW.flatten()
    owner_P = torch.repeat_interleave(torch.arange(len(count_N), device=x_BTD.device), count_N)
    begin_N = count_N.cumsum(0) - count_N
    start_N = (batch.firsts + time * torch.arange(rows, device=x_BTD.device)[:, None]).flatten()
    place_P = (start_N - begin_N)[owner_P] + torch.arange(len(owner_P), device=x_BTD.device)
    total_ND = x_BTD.new_zeros(len(count_N), width).index_add(0, owner_P, x_BTD.flatten(0, 1)[place_P])
    return (total_ND / count_N.clamp_min(1)[:, None]).view(*count_BW.shape, width)


class TaggingNetwork(Network):
    """A network that reads sentences: one vector a word, from which scores of labels are made for a CRF."""

    config: TaggingKeys

    def __init__(self, config: TaggingKeys, vocabulary: Vocabulary, *, width: int, context: int | None) -> None:
        """Make the layers that say labels, from vectors of ``width`` numbers; values come from `fill_output` or a file.

        One whose labels are not known yet is as large as one of two.
        """
        super().__init__(vocabulary, width=width, context=context)
        follow, start, end = config.masks() or (None, None, None)
        self.config = config
        self.output = Linear(width, config.label_count)
        self.crf = LinearChainCRF(config.label_count, keep_mask=follow, start_keep_mask=start, end_keep_mask=end)

    @abstractmethod
    def hidden(self, batch: WordTensors) -> Tensor:
        """Return (B, W, D) vectors of words, which in padding mean nothing."""

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, L): a score of each label, from (…, D) vectors of words; labels are all that it tells."""
        return self.output(hidden)  # type: ignore[no-any-return]

    def emissions(self, batch: WordTensors) -> Tensor:
        """Return (B, W, L): what the CRF is given."""
        return self.logits(self.hidden(batch))

    def fill_output(self, seed: int) -> None:
        """Draw the first weights of the output from U(−1/√D, 1/√D), as torch does; biases and the CRF begin at 0."""
        fill_uniform(self.output.weight, bound=self.width**-0.5, seed=seed, name="output")
        torch.nn.init.zeros_(self.output.bias)


class NeuralTagger:
    """Any `TaggingNetwork` as a `ziggurat.core.protocols.Tagger`: NumPy in, NumPy out, dropout off, no gradients.

    *Cost.* Rows of like length are read together, at most `WORDS_AT_ONCE` words at a time, so memory beyond the result
    does not grow with the text.
    """

    def __init__(self, network: TaggingNetwork) -> None:
        """Show ``network``, in evaluation mode until someone trains it: it stays the same object."""
        self.network = network.eval()

    @property
    def vocabulary(self) -> Vocabulary:
        """The ids it knows."""
        return self.network.vocabulary

    @property
    def context(self) -> int | None:
        """Longest sentence that it can read, in ids; None where there is no limit."""
        return self.network.context

    @property
    def labels(self) -> tuple[str, ...]:
        """The L labels, as they were learnt."""
        return self.network.config.labels

    @property
    def reads_marks(self) -> bool:
        """Whether its labels are about words that are marked (`ziggurat.core.protocols.ReadsMarks`)."""
        config = self.network.config
        return isinstance(config, ReadsMarks) and config.reads_marks

    def tag(self, batch: WordBatch) -> tuple[IdArray, FloatArray]:
        """Return (B, W) the best labels of each row together, and (B, W) how probable each is where it stands.

        Behind a row's words they are −1 and 0; so is everything where no labels are known.
        """
        labels = np.full(batch.firsts.shape, -1, np.int32)
        confidence = np.zeros(batch.firsts.shape, np.float32)

        if not self.labels:
            return labels, confidence

        def fits(rows: int, longest: int) -> bool:
            return rows * longest <= WORDS_AT_ONCE

        with reading(self.network):
            for alike in rows_of_like_length(batch.words, fits):
                rows = alike[batch.words[alike] > 0]
                if len(rows):
                    best_BW, sure_BW = self._tag(of_rows(batch, rows))
                    labels[rows, : best_BW.shape[1]] = best_BW.cpu().numpy()
                    confidence[rows, : best_BW.shape[1]] = sure_BW.cpu().numpy()
        return labels, confidence

    def _tag(self, batch: WordBatch) -> tuple[Tensor, Tensor]:
        words = word_tensors(batch, self.network.device)
        emissions_BWL = self.network.emissions(words)
        best_BW, _ = self.network.crf.decode(emissions_BWL, words.words)
        marginals_BWL = self.network.crf.marginals(emissions_BWL, words.words)
        sure_BW = marginals_BWL.gather(2, best_BW.clamp_min(0)[..., None])[..., 0]
        return best_BW, sure_BW.masked_fill(~words.inside, 0).clamp_max(1)
