"""Each layer against torch's own, from the same random weights."""

import pytest
import torch
from torch import nn

from ziggurat.models.blocks.attention import attend
from ziggurat.models.blocks.feedforward import SwiGLU
from ziggurat.models.blocks.lstm import LSTMLayer, reference_lstm
from ziggurat.models.blocks.normalisation import RMSNorm, reference_rms_norm


def draw(*shape: int, seed: int = 3) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("epsilon", [1e-6, 1e-2])
def test_rms_norm(epsilon: float) -> None:
    ours, theirs = RMSNorm(13, epsilon=epsilon), nn.RMSNorm(13, eps=epsilon)
    with torch.no_grad():
        for norm in (ours, theirs):
            norm.weight.copy_(draw(13, seed=5))
    x = 0.1 * draw(2, 7, 13)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(reference_rms_norm(x, ours.weight, epsilon=epsilon), theirs(x))


def same_weights(ours: LSTMLayer, theirs: nn.LSTM) -> None:
    with torch.no_grad():
        for name, parameter in ours.named_parameters():
            theirs.get_parameter(f"{name}_l0").copy_(parameter)


def test_lstm_layer() -> None:
    ours, theirs = LSTMLayer(5, 7), nn.LSTM(5, 7, batch_first=True)
    ours.fill(seed=3, name="layer")
    same_weights(ours, theirs)
    x, h, c = draw(3, 11, 5), draw(3, 7, seed=5), draw(3, 7, seed=7)
    expected, (last_h, last_c) = theirs(x, (h[None], c[None]))
    weights = (ours.weight_ih, ours.weight_hh, ours.bias_ih, ours.bias_hh)
    for shown, held in (ours(x, (h, c)), reference_lstm(x, (h, c), weights)):
        torch.testing.assert_close(shown, expected)
        torch.testing.assert_close(held, (last_h[0], last_c[0]))


def test_lstm_layer_of_padded_rows() -> None:
    ours, theirs = LSTMLayer(5, 7), nn.LSTM(5, 7, batch_first=True)
    ours.fill(seed=3, name="layer")
    same_weights(ours, theirs)
    x, lengths = draw(3, 11, 5), torch.tensor([4, 11, 2])
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    _, (last_h, last_c) = theirs(packed)
    _, held = ours.read_padded(x, (torch.zeros(3, 7), torch.zeros(3, 7)), lengths)
    torch.testing.assert_close(held, (last_h[0], last_c[0]))


def test_lstm_gradients() -> None:
    ours, theirs = LSTMLayer(5, 7), nn.LSTM(5, 7, batch_first=True)
    ours.fill(seed=3, name="layer")
    same_weights(ours, theirs)
    x = draw(3, 11, 5)
    zeros = torch.zeros(3, 7)
    own = torch.autograd.grad(ours(x, (zeros, zeros))[0].square().sum(), list(ours.parameters()))
    expected = torch.autograd.grad(theirs(x)[0].square().sum(), list(theirs.parameters()))
    torch.testing.assert_close(own, expected)


def test_attention_of_one_head_equals_torchs_multi_head_attention() -> None:
    # Torch's module with projections that are the identity leaves exactly softmax(QKᵀ/√K)V.
    theirs = nn.MultiheadAttention(6, 1, bias=False, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.eye(6).repeat(3, 1))
        theirs.out_proj.weight.copy_(torch.eye(6))
    q, k, v = draw(2, 5, 6), draw(2, 7, 6, seed=5), draw(2, 7, 6, seed=7)
    expected, _ = theirs(q, k, v)
    torch.testing.assert_close(attend(q[:, None], k[:, None], v[:, None])[:, 0], expected)


def test_swiglu() -> None:
    layer = SwiGLU(5, 7)
    for number, projection in enumerate((layer.gate_proj, layer.up_proj, layer.down_proj)):
        nn.init.normal_(projection.weight, generator=torch.Generator().manual_seed(number))
    x = draw(2, 3, 5)
    gate = x @ layer.gate_proj.weight.T
    expected = (gate * torch.sigmoid(gate) * (x @ layer.up_proj.weight.T)) @ layer.down_proj.weight.T
    torch.testing.assert_close(layer(x), expected)
