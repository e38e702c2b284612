"""The recurrent encoder–decoder: an LSTM reads a source from both ends, another writes what follows, and may copy.

*Idea.* Of some thousand pairs an LSTM with attention learns more than a Transformer does, and a decoder that may copy
what it looks at needs not have seen every name and number (`ziggurat.models.blocks.copying`). The decoder has two
layers: the lower one says where to look in the source, the upper one reads what was found there; so it knows what it
has looked at, and the whole of a target is still read layer by layer (as in Wu et al. 2016, section 3, where the
bottom layer of the decoder asks too). The upper layer looks once more, and what it finds is what is written from.

*Departs.* Bahdanau, Cho & Bengio (2015) score by a small network and See, Liu & Manning (2017) too; here scores are
products, as Luong, Pham & Manning (2015, eq. 8, "general") have it, which is one matrix product for a whole target.

Shape suffixes: **B** batch, **T** target time, **S** source time, **V** vocabulary, **D** width of an embedding, **C**
cells, **M** width of what is read of a source.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ziggurat.core.anatomy import Anatomy
from ziggurat.core.config import option
from ziggurat.core.types import TensorMap, Vocabulary
from ziggurat.models.blocks.conditioned import NeuralConditionalModel, TranslatingNetwork
from ziggurat.models.blocks.copying import copied, mixed_logprobs
from ziggurat.models.blocks.dropout import drop_locked
from ziggurat.models.blocks.initialisation import Embedding, Linear, fill_normal, fill_uniform
from ziggurat.models.blocks.lstm import BidirectionalLSTM, CellState, LSTMLayer
from ziggurat.models.blocks.recurrent_towers import recurrent_translating_anatomy
from ziggurat.models.layouts.at_rest import at_rest, configured, restored

__all__ = [
    "FAMILY",
    "Cells",
    "Look",
    "Memory",
    "RecurrentSeq2seqConfig",
    "RecurrentSeq2seqFamily",
    "RecurrentSeq2seqNetwork",
]

EMBEDDING_BOUND = 0.4
"""Embeddings, which also predict, are drawn from between minus and plus this."""


@dataclass(frozen=True)
class RecurrentSeq2seqConfig:
    """The ``[model]`` keys of a recurrent encoder–decoder."""

    layers: int = option(1, "LSTM layers of the encoder, one upon another, each in both directions", low=1)
    embedding: int = option(128, "numbers in the vector of a token", low=1)
    hidden: int = option(256, "cells of a layer of the decoder, and of one of the encoder in both directions", low=2)
    copies: bool = option(True, "what is looked at in the source may be copied")
    dropout_input: float = option(0.0, "part of the embedded input that is dropped", low=0, high=0.95)
    dropout_hidden: float = option(0.0, "part of what passes between layers that is dropped", low=0, high=0.95)
    dropout_output: float = option(0.0, "part of what is written from that is dropped", low=0, high=0.95)


@dataclass(frozen=True, slots=True)
class Memory:
    """What an encoder read of sources."""

    vectors: Tensor
    """(B, S, M)"""
    ids: Tensor
    """(B, S)"""
    keep_mask: Tensor
    """(B, S), True at ids that are no padding."""
    first: tuple[Tensor, ...]
    """(B, C) what each layer of a decoder shows before it reads."""

    @property
    def rows(self) -> int:
        """How many sources were read."""
        return len(self.ids)

    def picked(self, rows: Tensor) -> "Memory":
        """Return the sources of ``rows``, which may repeat or drop."""
        first = tuple(h_BC[rows] for h_BC in self.first)
        return Memory(self.vectors[rows], self.ids[rows], self.keep_mask[rows], first)

    def spread(self, batch: int) -> "Memory":
        """Return the only source there is for each of ``batch`` rows, without a copy."""
        return Memory(
            self.vectors.expand(batch, -1, -1),
            self.ids.expand(batch, -1),
            self.keep_mask.expand(batch, -1),
            tuple(h_BC.expand(batch, -1) for h_BC in self.first),
        )


class Cells:
    """The cells of a decoder's layers; of targets of which nothing has been read there are none yet."""

    def __init__(self, layers: list[CellState] | None = None) -> None:
        """Remember the cells of each layer."""
        self.layers = layers

    def reorder(self, rows: Tensor) -> "Cells":
        """Return cells of their own whose row b is a copy of row ``rows[b]``."""
        return Cells(None if self.layers is None else [(h_BC[rows], c_BC[rows]) for h_BC, c_BC in self.layers])


class Look(nn.Module):
    """Attention to a source by products of a query with what was read.

    *Maths.* a = softmax(h·W·m_s / √M) over the places s of the source (Luong, Pham & Manning 2015, eq. 7 and 8; the
    root is Vaswani et al. 2017, eq. 1).
    """

    def __init__(self, cells: int, width: int) -> None:
        """Let queries of ``cells`` numbers look at vectors of ``width``."""
        super().__init__()
        self.query = Linear(cells, width, bias=False)

    def forward(self, h_BTC: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return (B, T, M) what was found, and (B, T, S) how much of each place is in it."""
        vectors_BSM = memory.vectors
        scores_BTS = self.query(h_BTC) @ vectors_BSM.transpose(1, 2) / math.sqrt(vectors_BSM.shape[-1])
        scores_BTS = scores_BTS.float().masked_fill(~memory.keep_mask[:, None], -math.inf)
        weights_BTS = scores_BTS.softmax(dim=-1)
        return weights_BTS.to(vectors_BSM.dtype) @ vectors_BSM, weights_BTS


class RecurrentSeq2seqNetwork(TranslatingNetwork):
    """The layers of both sides, over one matrix of embeddings.

    *Maths.* Written is softmax(tanh(W·[h; c])·Eᵀ + b), with h what the upper layer shows and c what it found (Luong,
    Pham & Manning 2015, eq. 5 and 6), mixed with copies as `mixed_logprobs` says.

    *Shapes and units.* Where it copies, a vector of `hidden` is [what is written from (D); the gate (1); the copies
    (V)], and `logits` are log-probabilities already.

    *Cost.* B·T·V numbers for the copies stand in memory at once: vocabularies are to be small.
    """

    config: RecurrentSeq2seqConfig

    def __init__(self, config: RecurrentSeq2seqConfig, vocabulary: Vocabulary) -> None:
        """Make all layers; their values come from `fill` or from a file."""
        width = config.embedding + (1 + vocabulary.size if config.copies else 0)
        super().__init__(vocabulary, width=width, context=None)
        self.config = config
        half = config.hidden // 2
        cells, read = config.hidden, 2 * half
        self.embedding = Embedding(vocabulary.size, config.embedding)
        widths = [config.embedding, *[read] * (config.layers - 1)]
        self.encoder_layers = nn.ModuleList(BidirectionalLSTM(width, half) for width in widths)
        self.begins = nn.ModuleList(Linear(read, cells) for _ in range(2))
        self.decoder_layers = nn.ModuleList(LSTMLayer(width, cells) for width in (config.embedding, cells + read))
        self.asks = Look(cells, read)
        self.looks = Look(cells, read)
        self.writes = Linear(cells + read, config.embedding)
        self.bias = nn.Parameter(torch.zeros(vocabulary.size))
        self.gate = Linear(cells + read + config.embedding, 1) if config.copies else None

    def fill(self, seed: int) -> None:
        """Draw first weights: embeddings from U(−0.4, 0.4), LSTMs as `LSTMLayer.fill`, matrices from N(0, 1/n_in).

        Biases begin at 0, so that at first half of what is said is copied.
        """
        fill_uniform(self.embedding.weight, bound=EMBEDDING_BOUND, seed=seed, name="embedding")
        for name, module in self.named_modules():
            if isinstance(module, LSTMLayer):
                module.fill(seed=seed, name=name)
            elif isinstance(module, nn.Linear):
                fill_normal(module.weight, std=module.in_features**-0.5, seed=seed, name=f"{name}.weight")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def source(self, ids: Tensor, lengths: Tensor) -> Memory:
        """Return what is read of (B, S) source ids, of which (B,) ``lengths`` a row are no padding.

        *Maths.* Each layer of the decoder begins to show tanh(W·[→h_last; ←h_first] + b) (as Bahdanau, Cho & Bengio
        2015, appendix A.2.2, from ←h_first alone) and holds nothing.
        """
        x_BSD = drop_locked(self.embedding(ids), self.config.dropout_input, training=self.training)
        for number, layer in enumerate(self.encoder_layers):
            if number:
                x_BSD = drop_locked(x_BSD, self.config.dropout_hidden, training=self.training)
            x_BSD = layer(x_BSD, lengths)
        half = x_BSD.shape[-1] // 2
        last_BC = x_BSD[torch.arange(len(ids), device=ids.device), lengths - 1, :half]
        whole_BM = torch.cat([last_BC, x_BSD[:, 0, half:]], dim=-1)
        first = tuple(torch.tanh(begin(whole_BM)).float() for begin in self.begins)
        keep_mask_BS = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
        x_BSD = x_BSD.masked_fill(~keep_mask_BS[..., None], 0.0)
        return Memory(drop_locked(x_BSD, self.config.dropout_hidden, training=self.training), ids, keep_mask_BS, first)

    def hidden(
        self, ids: Tensor, source: Memory, state: Cells | None = None, *, lengths: Tensor | None = None
    ) -> Tensor:
        """Read (B, T) target ids beside a source of B rows; return (B, T, D') vectors, and write on in ``state``."""
        config, training = self.config, self.training
        held = None if state is None else state.layers
        lower, upper = held or [(h_BC, torch.zeros_like(h_BC)) for h_BC in source.first]
        x_BTD = drop_locked(self.embedding(ids), config.dropout_input, training=training)
        asked_BTC, lower = _read(self.decoder_layers[0], x_BTD, lower, lengths)
        asked_BTC = drop_locked(asked_BTC, config.dropout_hidden, training=training)
        found_BTM, _ = self.asks(asked_BTC, source)
        shown_BTC, upper = _read(self.decoder_layers[1], torch.cat([asked_BTC, found_BTM], dim=-1), upper, lengths)
        shown_BTC = drop_locked(shown_BTC, config.dropout_hidden, training=training)
        found_BTM, weights_BTS = self.looks(shown_BTC, source)
        both_BTX = torch.cat([shown_BTC, found_BTM], dim=-1)
        written_BTD = drop_locked(torch.tanh(self.writes(both_BTX)), config.dropout_output, training=training)
        if state is not None:
            state.layers = [lower, upper]
        if self.gate is None:
            return written_BTD
        gate_BT1 = self.gate(torch.cat([both_BTX, x_BTD], dim=-1))
        copies_BTV = copied(weights_BTS, source.ids, self.vocabulary.size)
        return torch.cat([written_BTD.float(), gate_BT1.float(), copies_BTV], dim=-1)

    def empty_cache(self, batch: int) -> Cells:
        """Return the state of targets of which nothing has been read."""
        del batch  # a decoder begins with what it is told of its source
        return Cells()

    def logits(self, hidden: Tensor) -> Tensor:
        """Return (…, V) logits; where it copies, log-probabilities."""
        width = self.config.embedding
        logits = nn.functional.linear(hidden[..., :width], self.embedding.weight, self.bias)
        if self.gate is None:
            return logits
        return mixed_logprobs(logits, hidden[..., width : width + 1], hidden[..., width + 1 :])

    @property
    def token_embedding(self) -> Tensor:
        """(V, D): the vector with which each id enters; also the one that predicts it."""
        return self.embedding.weight


class RecurrentSeq2seqFamily:
    """Builds, saves and opens recurrent encoder–decoders."""

    name: ClassVar[str] = "recurrent_seq2seq"
    trainers: ClassVar[tuple[str, ...]] = ("conditional",)
    embedding_key: ClassVar[str] = "embedding"
    reads_pairs: ClassVar[Literal[True]] = True
    config: ClassVar[type[Any]] = RecurrentSeq2seqConfig

    def build(self, config: RecurrentSeq2seqConfig, vocabulary: Vocabulary, *, seed: int) -> NeuralConditionalModel:
        """Return an untrained encoder–decoder."""
        network = RecurrentSeq2seqNetwork(config, vocabulary)
        network.fill(seed)
        return NeuralConditionalModel(network)

    def state(self, model: Any) -> tuple[dict[str, Any], TensorMap]:
        """Return ``config.json`` and the weights."""
        network: RecurrentSeq2seqNetwork = model.network
        return at_rest(self.name, network.config, network.vocabulary, network)

    def restore(self, config: dict[str, Any], tensors: TensorMap) -> NeuralConditionalModel:
        """Return the encoder–decoder that `state` described.

        *Raises.* `ArtefactError` where a key or tensor is missing or does not fit.
        """
        return NeuralConditionalModel(
            restored(self.name, RecurrentSeq2seqConfig, RecurrentSeq2seqNetwork, config, tensors)
        )

    def configured(self, config: dict[str, Any], tensors: TensorMap) -> tuple[RecurrentSeq2seqConfig, Vocabulary]:
        """Return the configuration and the vocabulary of what `restore` would make of the same.

        *Raises.* `ArtefactError` where a key is missing or does not fit.
        """
        return configured(self.name, RecurrentSeq2seqConfig, config, tensors)

    def anatomy(self, config: RecurrentSeq2seqConfig, vocabulary: Vocabulary) -> Anatomy:
        """Return the two towers of a recurrent encoder–decoder."""
        return recurrent_translating_anatomy(
            vocabulary.size,
            embedding=config.embedding,
            cells=config.hidden,
            layers=config.layers,
            copies=config.copies,
        )

    def sized(self, parameters: int) -> RecurrentSeq2seqConfig:
        """Return an encoder–decoder with about so many parameters beside the embeddings.

        *Maths.* With C = 2·D cells the encoder has 4·C², the decoder 6·C² and 12·C², attention and the rest 5·C².
        """
        embedding = 4 * max(1, round(math.sqrt(parameters / 27) / 8))
        return RecurrentSeq2seqConfig(embedding=embedding, hidden=2 * embedding)

    def tiny(self, *, seed: int) -> NeuralConditionalModel:
        """Return a small random encoder–decoder with wide weights, so that its distributions are far from uniform."""
        config = RecurrentSeq2seqConfig(layers=2, embedding=5, hidden=14)
        model = self.build(config, Vocabulary(size=11, bos=0, eos=0), seed=seed)
        for name, parameter in model.network.named_parameters():
            fill_normal(parameter, std=1.0, seed=seed, name=name)
        return model


def _read(layer: nn.Module, x_BTD: Tensor, state: CellState, lengths: Tensor | None) -> tuple[Tensor, CellState]:
    assert isinstance(layer, LSTMLayer)  # noqa: S101 - there are no others
    return layer(x_BTD, state) if lengths is None else layer.read_padded(x_BTD, state, lengths)


FAMILY = RecurrentSeq2seqFamily()
