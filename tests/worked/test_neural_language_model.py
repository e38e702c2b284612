"""The NumPy side of networks, tested with a network whose answers are known."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks import network as module
from ziggurat.models.blocks.network import CausalNetwork, NeuralLanguageModel
from ziggurat.models.decoder import FAMILY as DECODER
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.recurrent import FAMILY as RECURRENT
from ziggurat.models.recurrent import RecurrentConfig

VOCABULARY = Vocabulary(size=5, bos=0, eos=0)


class Counter(CausalNetwork):
    """Predicts from the sum of all ids read: id v has logit v · sum. Remembers how it was asked."""

    carries_state = True

    def __init__(self) -> None:
        super().__init__(VOCABULARY, width=1, context=None)
        self.unit = nn.Parameter(torch.ones(1))
        self.windows: list[tuple[int, int]] = []
        self.projected: list[int] = []
        self.trained = False

    def hidden(
        self, ids: Tensor, state: Any = None, *, lengths: Tensor | None = None, beside: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        assert beside is None
        self.windows.append((ids.shape[0], ids.shape[1]))
        self.trained = self.training
        assert not torch.is_grad_enabled()
        held = self.initial_state(ids.shape[0]) if state is None else state
        sums = held[:, None] + ids.cumsum(dim=1)
        if lengths is None:
            return sums[..., None] * self.unit, sums[:, -1]
        last = sums.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
        return sums[..., None] * self.unit, torch.where(lengths > 0, last, held)

    def logits(self, hidden: Tensor) -> Tensor:
        self.projected.append(hidden.shape[0])
        return hidden * torch.arange(5.0)

    @property
    def token_embedding(self) -> Tensor:
        return torch.arange(5.0)[:, None]

    def initial_state(self, batch: int) -> Tensor:
        return torch.zeros(batch, dtype=torch.long)

    def reorder_state(self, state: Tensor, rows: Tensor) -> Tensor:
        return state[rows]


def expected_logprobs(ids: np.ndarray) -> np.ndarray:
    sums = ids.cumsum(axis=1)[:, :-1, None] * np.arange(5)
    logprobs = sums - np.log(np.exp(sums).sum(axis=2, keepdims=True))
    return np.take_along_axis(logprobs, ids[:, 1:, None], axis=2)[:, :, 0]


def row_of_ids(rows: int, length: int) -> np.ndarray:
    ids = np.random.default_rng(3).integers(0, 2, size=(rows, length), dtype=np.int32)
    ids[:, 0] = 0
    return ids


def test_logprobs_are_the_networks_own() -> None:
    # Sum 3: logits 0, 3, 6, 9, 12.
    model = NeuralLanguageModel(Counter())
    logprobs, _ = model.begin(np.array([[0, 1, 2]], dtype=np.int32), np.array([3], dtype=np.int32))
    expected = 3.0 * np.arange(5) - np.log(np.exp(3.0 * np.arange(5)).sum())
    np.testing.assert_allclose(logprobs[0], expected, rtol=1e-6)


def test_long_rows_are_read_in_windows_that_bound_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_TOKENS", 14)
    monkeypatch.setattr(module, "LOGIT_COUNT", 15)
    network = Counter()
    model = NeuralLanguageModel(network)
    ids = row_of_ids(2, 30)
    lengths = np.array([30, 24], dtype=np.int32)
    logprobs = model.token_logprobs(ids, lengths)
    np.testing.assert_allclose(logprobs[0], expected_logprobs(ids)[0], rtol=1e-5)
    np.testing.assert_allclose(logprobs[1, :23], expected_logprobs(ids)[1, :23], rtol=1e-5)
    # 29 predictions in windows of 14 / 2 = 7: four and one of a single id. 15 logits are three rows of 5.
    assert network.windows == [(2, 7)] * 4 + [(2, 1)]
    assert max(network.projected) == 3
    assert sum(network.projected) == 29 + 23


def test_prompts_are_read_in_windows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, lengths = row_of_ids(3, 23), np.array([23, 4, 11], dtype=np.int32)
    whole, _ = NeuralLanguageModel(Counter()).begin(ids, lengths)
    monkeypatch.setattr(module, "WINDOW_TOKENS", 12)
    model = NeuralLanguageModel(Counter())
    logprobs, state = model.begin(ids, lengths)
    np.testing.assert_array_equal(logprobs, whole)
    sums = [int(ids[row, :length].sum()) for row, length in enumerate(lengths)]
    assert state.tolist() == sums


def test_rows_of_very_different_lengths_are_not_padded_to_the_longest() -> None:
    network = Counter()
    ids = row_of_ids(3, 1001)
    NeuralLanguageModel(network).token_logprobs(ids, np.array([5, 1001, 7], dtype=np.int32))
    assert network.windows == [(2, 6), (1, 1000)]


def test_dropout_is_off_while_it_speaks_and_back_on_afterwards() -> None:
    network = Counter()
    model = NeuralLanguageModel(network)
    assert not network.training
    network.train()
    _, state = model.begin(np.zeros((1, 1), dtype=np.int32), np.ones(1, dtype=np.int32))
    model.step(state, np.zeros(1, dtype=np.int32))
    assert not network.trained
    assert network.training
    network.eval()
    model.score(np.zeros((1, 2), dtype=np.int32), np.full(1, 2, dtype=np.int32))
    assert not network.training


@pytest.mark.parametrize("carried", [True, False])
def test_a_recurrent_network_goes_on_from_the_state_that_it_returned(carried: bool) -> None:
    network = RECURRENT.tiny(seed=3).network.eval()
    ids = torch.randint(0, 11, (2, 14), generator=torch.Generator().manual_seed(3))
    whole, _ = network.hidden(ids)
    first, state = network.hidden(ids[:, :5])
    second, _ = network.hidden(ids[:, 5:], state if carried else None)
    torch.testing.assert_close(first, whole[:, :5])
    assert torch.allclose(second, whole[:, 5:], atol=1e-5) == carried


def test_backpropagation_stops_at_the_windows_edge() -> None:
    network = RECURRENT.tiny(seed=3).network
    ids = torch.zeros(2, 3, dtype=torch.long)
    _, state = network.hidden(ids)
    assert state is not None
    assert not any(part.requires_grad for cells in state for part in cells)
    hidden, _ = network.hidden(ids, state)
    assert hidden.requires_grad


def test_a_decoder_keeps_nothing_unless_it_was_given_a_cache() -> None:
    network = DECODER.tiny(seed=3).network.eval()
    ids = torch.randint(0, 11, (2, 13), generator=torch.Generator().manual_seed(3))
    whole, state = network.hidden(ids)
    assert state is None
    pieces = []
    state = network.initial_state(2)
    with torch.no_grad():
        for start, stop in ((0, 5), (5, 6), (6, 13)):
            hidden, state = network.hidden(ids[:, start:stop], state)
            pieces.append(hidden)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole)


@pytest.mark.parametrize("family", [DECODER, RECURRENT])
def test_forward_is_hidden_then_logits(family: Any) -> None:
    network = family.tiny(seed=3).network.eval()
    ids = torch.zeros(2, 3, dtype=torch.long)
    torch.testing.assert_close(network(ids)[0], network.logits(network.hidden(ids)[0]))


@pytest.mark.parametrize("family", [DECODER, RECURRENT])
@pytest.mark.parametrize("training", [True, False])
def test_everything_runs_in_16_bit_autocast(family: Any, training: bool) -> None:
    network = family.tiny(seed=3).network.train(training)
    ids = torch.randint(0, 11, (2, 13), generator=torch.Generator().manual_seed(3))
    plain = network(ids)[0]
    with torch.autocast("cpu", torch.bfloat16):
        hidden, state = network.hidden(ids[:, :7])
        logits = network.logits(hidden)
        if network.carries_state:
            network.hidden(ids[:, 7:], state)
    torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:8].flatten()).backward()
    assert logits.dtype == torch.bfloat16
    assert all(parameter.grad is None or parameter.grad.dtype == torch.float32 for parameter in network.parameters())
    # 8 bits of precision, through layers of sums: a few hundredths of the logits' size.
    assert (logits.float() - plain[:, :7]).abs().max() < 0.06 * plain.abs().max()


def test_decoder_parameters_by_hand() -> None:
    # D = 6, H = 3 heads and one key head of width 4, F = 10, V = 7, two layers, tied:
    # embedding 7·6 = 42; a layer: q 6·12 = 72, k and v 2·6·4 = 48, o 72, gains of q and k 8, feed-forward 3·6·10 = 180,
    # gains of norms 12: 392; last gain 6. 42 + 2·392 + 6 = 832; untied 42 more.
    for tied, expected in ((True, 832), (False, 874)):
        config = DecoderConfig(layers=2, width=6, heads=3, key_heads=1, head_width=4, feedforward=10, tied=tied)
        model = DECODER.build(config, Vocabulary(size=7, bos=0, eos=0), seed=0)
        assert model.network.parameter_count == expected


def test_lstm_parameters_by_hand() -> None:
    # V = 7, embedding 3, hidden 5, two layers. A layer from D to C: 4·C·(D + C + 2).
    # Free: 7·3 + 4·5·(3+5+2) + 4·5·(5+5+2) + output 7·5 + bias 7 = 21 + 200 + 240 + 42 = 503.
    # Tied, the last layer has 3 cells: 21 + 200 + 4·3·(5+3+2) + 7 = 348.
    for tied, expected in ((False, 503), (True, 348)):
        config = RecurrentConfig(layers=2, embedding=3, hidden=5, tied=tied)
        model = RECURRENT.build(config, Vocabulary(size=7, bos=0, eos=0), seed=0)
        assert model.network.parameter_count == expected


@pytest.mark.parametrize("tied", [True, False])
def test_one_layer_more_leaves_the_others_first_weights_as_they_were(tied: bool) -> None:
    two, three = (
        DECODER.build(DecoderConfig(layers=n, width=6, heads=1, tied=tied), VOCABULARY, seed=3).network for n in (2, 3)
    )
    assert torch.equal(
        two.get_parameter("stack.layers.1.mlp.up_proj.weight"), three.get_parameter("stack.layers.1.mlp.up_proj.weight")
    )
    # What is added to the residual path is smaller: by √(2·2) and √(2·3).
    ratio = two.get_parameter("stack.layers.1.mlp.down_proj.weight") / three.get_parameter(
        "stack.layers.1.mlp.down_proj.weight"
    )
    torch.testing.assert_close(ratio, torch.full_like(ratio, (6 / 4) ** 0.5))


@pytest.mark.parametrize("family", [DECODER, RECURRENT])
def test_building_draws_nothing_from_the_global_generator(family: Any) -> None:
    before = torch.get_rng_state()
    family.tiny(seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_acts_in_training_and_repeats_with_the_global_generator() -> None:
    config = RecurrentConfig(
        layers=2,
        embedding=5,
        hidden=7,
        dropout_words=0.2,
        dropout_input=0.2,
        dropout_hidden=0.2,
        dropout_output=0.2,
        dropout_weights=0.2,
    )
    models = [
        RECURRENT.build(config, VOCABULARY, seed=3),
        DECODER.build(DecoderConfig(layers=2, width=6, heads=1, dropout=0.2), VOCABULARY, seed=3),
    ]
    ids = torch.zeros(2, 7, dtype=torch.long)
    for model in models:
        network = model.network.train()
        torch.manual_seed(3)
        first, second = network(ids)[0], network(ids)[0]
        torch.manual_seed(3)
        assert torch.equal(network(ids)[0], first)
        assert not torch.equal(first, second)
        assert torch.equal(network.eval()(ids)[0], network(ids)[0])
