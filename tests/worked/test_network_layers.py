"""Positions, normalisation, feed-forward and LSTM layers by hand."""

import math

import pytest
import torch

from ziggurat.models.blocks.dropout import drop_locked, drop_words
from ziggurat.models.blocks.feedforward import SwiGLU, gated_width
from ziggurat.models.blocks.initialisation import Linear, fill_normal, fill_uniform
from ziggurat.models.blocks.lstm import LSTMLayer, reference_lstm
from ziggurat.models.blocks.normalisation import RMSNorm, reference_rms_norm
from ziggurat.models.blocks.positions import RotaryPositions, rotate


def test_rms_norm_by_hand() -> None:
    # (1, 7): mean square (1 + 49) / 2 = 25, root 5; (1/5, 7/5) times the gains (5, 10) is (1, 14).
    norm = RMSNorm(2, epsilon=0.0)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([5.0, 10.0]))
    torch.testing.assert_close(norm(torch.tensor([1.0, 7.0])), torch.tensor([1.0, 14.0]))
    torch.testing.assert_close(
        reference_rms_norm(torch.tensor([1.0, 7.0]), norm.weight, epsilon=0.0), torch.tensor([1.0, 14.0])
    )


def test_rms_norm_of_nothing_is_nothing() -> None:
    assert not RMSNorm(3, epsilon=1e-6)(torch.zeros(2, 3)).any()


def test_rotary_turns_pair_j_by_its_own_angle() -> None:
    # K = 4, base 100: θ = (1, 100^(−1/2)) = (1, 1/10). Pairs are (0, 2) and (1, 3). At position 3 the first pair
    # turns by 3, the second by 0.3: (1, 0) ↦ (cos, sin).
    cos, sin = RotaryPositions(4, base=100.0, context=5)(slice(3, 4))
    turned = rotate(torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 1, 4), cos, sin)
    expected = [math.cos(3), math.cos(0.3), math.sin(3), math.sin(0.3)]
    torch.testing.assert_close(turned.flatten(), torch.tensor(expected))


def test_rotated_products_depend_on_distance_only() -> None:
    positions = RotaryPositions(6, base=1000.0, context=30)
    q, k = torch.randn(2, 1, 1, 1, 6, generator=torch.Generator().manual_seed(3))

    def product(m: int, n: int) -> torch.Tensor:
        return (rotate(q, *positions(slice(m, m + 1))) * rotate(k, *positions(slice(n, n + 1)))).sum()

    torch.testing.assert_close(product(7, 2), product(28, 23))
    assert not torch.allclose(product(7, 2), product(7, 3), atol=1e-3)


def test_rows_may_stand_at_positions_of_their_own() -> None:
    positions = RotaryPositions(4, base=100.0, context=11)
    x = torch.randn(2, 3, 2, 4, generator=torch.Generator().manual_seed(3))
    turned = rotate(x, *positions(torch.tensor([[2, 3], [7, 8]])))
    torch.testing.assert_close(turned[0], rotate(x[:1], *positions(slice(2, 4)))[0])
    torch.testing.assert_close(turned[1], rotate(x[1:], *positions(slice(7, 9)))[0])


def test_swiglu_by_hand() -> None:
    # Swish(ln 3) = ln 3 · σ(ln 3) = ln 3 · 3/4; times x·V = 2; times W₂ = 4: 6 ln 3.
    layer = SwiGLU(1, 1)
    with torch.no_grad():
        for projection, value in ((layer.gate_proj, math.log(3)), (layer.up_proj, 2.0), (layer.down_proj, 4.0)):
            projection.weight.fill_(value)
    torch.testing.assert_close(layer(torch.ones(1, 1)), torch.full((1, 1), 6 * math.log(3)))


def test_three_gated_matrices_cost_what_two_plain_ones_do() -> None:
    # 3 · 96 · 256 = 73,728 = 2 · 96 · 384.
    assert 3 * 96 * gated_width(96) == 2 * 96 * 4 * 96


def hand_made_lstm() -> LSTMLayer:
    # One input, one cell; rows i, f, g, o.
    layer = LSTMLayer(1, 1)
    with torch.no_grad():
        layer.weight_ih.copy_(torch.tensor([[0.0], [math.log(3)], [math.atanh(0.5)], [0.0]]))
        layer.weight_hh.copy_(torch.tensor([[0.0], [0.0], [0.0], [math.log(3)]]))
        layer.bias_ih.zero_()
        layer.bias_hh.zero_()
    return layer


def test_lstm_by_hand() -> None:
    # x₁ = 1, h₀ = 1, c₀ = 2:  i = σ(0) = 1/2, f = σ(ln 3) = 3/4, g = tanh(artanh 1/2) = 1/2, o = σ(ln 3 · 1) = 3/4.
    #   c₁ = 3/4 · 2 + 1/2 · 1/2 = 7/4;  h₁ = 3/4 · tanh(7/4).
    # x₂ = 0:  i = f = 1/2, g = 0, o = σ(ln 3 · h₁).
    #   c₂ = 1/2 · 7/4 = 7/8;  h₂ = o · tanh(7/8).
    h1 = 0.75 * math.tanh(1.75)
    h2 = math.tanh(0.875) / (1 + math.exp(-math.log(3) * h1))
    layer = hand_made_lstm()
    x, start = torch.tensor([[[1.0], [0.0]]]), (torch.ones(1, 1), torch.full((1, 1), 2.0))
    weights = (layer.weight_ih, layer.weight_hh, layer.bias_ih, layer.bias_hh)
    for shown, (h, c) in (layer(x, start), reference_lstm(x, start, weights)):
        torch.testing.assert_close(shown.flatten(), torch.tensor([h1, h2]))
        torch.testing.assert_close(h.flatten(), torch.tensor([h2]))
        torch.testing.assert_close(c.flatten(), torch.tensor([0.875]))


@pytest.mark.parametrize("in_hardware", [True, False])
def test_an_lstm_reads_under_autocast_on_any_processor(in_hardware: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not in_hardware:  # as on one without 16-bit products, whose fused kernel refuses them
        monkeypatch.setattr("ziggurat.models.blocks.lstm._multiplies_bfloat16", lambda: False)
    layer = LSTMLayer(5, 7)
    layer.fill(seed=0, name="layer")
    x, state = torch.randn(3, 11, 5), (torch.zeros(3, 7), torch.zeros(3, 7))
    plain, (h, c) = layer(x, state)
    with torch.autocast("cpu", torch.bfloat16):
        found, (shown, held) = layer(x, state)
    assert shown.dtype == held.dtype == torch.float32
    tolerance = 0.02 if in_hardware else 0.0
    for one, other in ((found.float(), plain), (shown, h), (held, c)):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
    found.float().sum().backward()
    assert layer.weight_hh.grad is not None


def test_padded_rows_stop_at_their_own_ends() -> None:
    layer = LSTMLayer(5, 7)
    layer.fill(seed=3, name="layer")
    x = torch.randn(4, 11, 5, generator=torch.Generator().manual_seed(3))
    start = (torch.full((4, 7), 0.3), torch.full((4, 7), -0.2))
    shown, (h, c) = layer.read_padded(x, start, torch.tensor([7, 0, 11, 7]))
    for row, length in enumerate([7, 0, 11, 7]):
        own = start[0][row : row + 1], start[1][row : row + 1]
        if length:
            expected, own = layer(x[row : row + 1, :length], own)
            torch.testing.assert_close(shown[row, :length], expected[0])
        torch.testing.assert_close((h[row], c[row]), (own[0][0], own[1][0]))


def test_weight_drop_drops_weights_once_a_window_and_only_in_training() -> None:
    layer = LSTMLayer(1, 3)
    layer.fill(seed=3, name="layer")
    x, start = torch.ones(1, 5, 1), (torch.zeros(1, 3), torch.zeros(1, 3))
    plain, _ = layer(x, start)
    layer.eval()
    torch.testing.assert_close(layer(x, start, weight_drop=0.5)[0], plain)
    layer.train()
    torch.manual_seed(3)
    dropped, _ = layer(x, start, weight_drop=0.5)
    # h₀ = 0, so the first step does not see the hidden-to-hidden weights; later steps do.
    torch.testing.assert_close(dropped[:, 0], plain[:, 0])
    assert not torch.allclose(dropped[:, 1:], plain[:, 1:])
    torch.manual_seed(3)
    torch.testing.assert_close(layer(x, start, weight_drop=0.5)[0], dropped)


def test_a_locked_mask_is_the_same_at_all_times_of_a_row() -> None:
    torch.manual_seed(3)
    dropped = drop_locked(torch.ones(5, 7, 101), 0.25, training=True)
    # What stays is 1 / (1 − 1/4) = 4/3.
    assert torch.equal(torch.unique(dropped), torch.tensor([0.0, 4 / 3]))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert not torch.equal(dropped[0], dropped[1])
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.1)


def test_a_dropped_word_is_dropped_wherever_it_stands() -> None:
    torch.manual_seed(3)
    ids = torch.arange(101).repeat(2, 2)
    dropped = drop_words(torch.ones(2, 202, 3), ids, 0.5, vocabulary_size=101, training=True)
    assert torch.equal(torch.unique(dropped), torch.tensor([0.0, 2.0]))
    assert torch.equal(dropped[0, :101], dropped[1, 101:])
    assert torch.equal(dropped[..., 0], dropped[..., 2])


def test_nothing_is_dropped_when_it_counts() -> None:
    x = torch.ones(2, 3, 5)
    ids = torch.zeros(2, 3, dtype=torch.long)
    assert drop_locked(x, 0.5, training=False) is x
    assert drop_words(x, ids, 0.5, vocabulary_size=7, training=False) is x


def test_first_weights_come_from_seed_and_name_alone() -> None:
    drawn = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        layer = Linear(7, 11)
        fill_normal(layer.weight, std=0.5, seed=3, name="a")
        assert torch.equal(torch.get_rng_state(), before)
        drawn.append(layer.weight.detach().clone())
    assert torch.equal(*drawn)
    fill_normal(layer.weight, std=0.5, seed=3, name="b")
    assert not torch.equal(layer.weight, drawn[0])


def test_first_weights_have_the_spread_that_was_asked_for() -> None:
    weight = torch.empty(101, 103)
    fill_normal(weight, std=0.5, seed=3, name="a")
    assert weight.std().item() == pytest.approx(0.5, rel=0.03)
    fill_uniform(weight, bound=0.5, seed=3, name="a")
    assert weight.abs().max().item() == pytest.approx(0.5, rel=0.01)
    # The standard deviation of U(−b, b) is b / √3.
    assert weight.std().item() == pytest.approx(0.5 / math.sqrt(3), rel=0.03)


def test_forget_gates_begin_by_keeping() -> None:
    layer = LSTMLayer(5, 7)
    layer.fill(seed=3, name="layer")
    assert torch.equal((layer.bias_ih + layer.bias_hh)[7:14], torch.ones(7))
    assert layer.weight_hh.abs().max().item() <= 1 / math.sqrt(7)


def test_a_tied_lstm_hears_its_first_embeddings() -> None:
    # U(−0.4, 0.4) has the standard deviation 0.8 / √12 = 0.2309; AWD-LSTM's 0.1 has a quarter of it
    from ziggurat.core.types import Vocabulary
    from ziggurat.models.recurrent import RecurrentConfig, RecurrentNetwork

    network = RecurrentNetwork(RecurrentConfig(layers=1, embedding=97, hidden=7), Vocabulary(size=1009, bos=0, eos=0))
    network.fill(3)
    weight = network.embedding.weight
    assert weight.abs().max().item() == pytest.approx(0.4, abs=1e-4)
    assert weight.std().item() == pytest.approx(0.2309, abs=0.001)
    assert network.output is None
