"""Attention by hand, and the fast paths against the formula."""

import math

import pytest
import torch

from ziggurat.models.blocks import attention as module
from ziggurat.models.blocks.attention import MultiHeadAttention, Sight, attend, reference_attention
from ziggurat.models.blocks.positions import RotaryPositions


def random_heads(*shape: int, seed: int = 3) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_weights_are_the_softmax_of_scaled_products() -> None:
    # K = 4, so √K = 2. Scores: (2·0)/2 = 0 and (2·ln 3)/2 = ln 3. Softmax: 1/(1+3) = 1/4 and 3/4.
    # Output: 1/4 · 4 + 3/4 · 8 = 7.
    q = torch.tensor([2.0, 0, 0, 0]).view(1, 1, 1, 4)
    k = torch.tensor([[0.0, 0, 0, 0], [math.log(3), 0, 0, 0]]).view(1, 1, 2, 4)
    v = torch.tensor([[4.0, 0, 0, 0], [8.0, 0, 0, 0]]).view(1, 1, 2, 4)
    for way in (reference_attention, attend):
        torch.testing.assert_close(way(q, k, v), torch.tensor([7.0, 0, 0, 0]).view(1, 1, 1, 4))


def test_a_causal_query_sees_itself_and_what_came_before() -> None:
    # All scores are 0, so each query takes the mean of what it sees: 1, (1+3)/2 = 2, (1+3+8)/3 = 4.
    zeros = torch.zeros(1, 1, 3, 2)
    v = torch.tensor([[1.0, 1], [3, 3], [8, 8]]).view(1, 1, 3, 2)
    expected = torch.tensor([[1.0, 1], [2, 2], [4, 4]]).view(1, 1, 3, 2)
    for way in (reference_attention, attend):
        torch.testing.assert_close(way(zeros, zeros, v, causal=True), expected)


def test_a_causal_query_sees_no_padding_either() -> None:
    # As above, and key 1 is padding: 1, then 1 alone, then (1 + 8)/2 = 4.5.
    zeros = torch.zeros(1, 1, 3, 2)
    v = torch.tensor([[1.0, 1], [3, 3], [8, 8]]).view(1, 1, 3, 2)
    expected = torch.tensor([[1.0, 1], [1, 1], [4.5, 4.5]]).view(1, 1, 3, 2)
    keep_mask = torch.tensor([True, False, True]).view(1, 1, 1, 3)
    for way in (reference_attention, attend):
        torch.testing.assert_close(way(zeros, zeros, v, keep_mask=keep_mask, causal=True), expected)
    half = attend(*(heads.bfloat16() for heads in (zeros, zeros, v)), keep_mask=keep_mask, causal=True)
    torch.testing.assert_close(half.float(), expected)


def test_grouped_queries_share_a_key_head_in_order() -> None:
    # Key head 0 answers 5, key head 1 answers 7; query heads 0 and 1 ask the first, 2 and 3 the second.
    q = random_heads(1, 4, 1, 2)
    k = random_heads(1, 2, 1, 2)
    v = torch.tensor([5.0, 7.0]).view(1, 2, 1, 1).expand(1, 2, 1, 2)
    for way in (reference_attention, attend):
        assert way(q, k, v)[0, :, 0, 0].tolist() == [5, 5, 7, 7]


@pytest.mark.parametrize("key_heads", [6, 3, 1])
@pytest.mark.parametrize("masked", ["none", "causal", "keep"])
def test_the_fused_kernel_equals_the_formula(key_heads: int, masked: str) -> None:
    q = random_heads(2, 6, 7, 10)
    k, v = random_heads(2, key_heads, 7, 10, seed=5), random_heads(2, key_heads, 7, 10, seed=7)
    keep = torch.rand(2, 1, 7, 7, generator=torch.Generator().manual_seed(11)) < 0.5
    keep[..., 0] = True
    keep_mask = keep if masked == "keep" else None
    expected = reference_attention(q, k, v, keep_mask=keep_mask, causal=masked == "causal")
    torch.testing.assert_close(attend(q, k, v, keep_mask=keep_mask, causal=masked == "causal"), expected)


@pytest.mark.parametrize("pairs", [0, 1 << 20])
def test_both_16_bit_paths_equal_the_formula_in_32_bit(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORMULA_PAIRS", pairs)
    q, k, v = (random_heads(2, heads, 13, 10, seed=heads) for heads in (6, 3, 3))
    fast = attend(q.bfloat16(), k.bfloat16(), v.bfloat16(), causal=True)
    assert fast.dtype == torch.bfloat16
    # bf16 keeps 8 bits: relative steps of 2⁻⁸ ≈ 0.004 at each of a few roundings.
    torch.testing.assert_close(fast.float(), reference_attention(q, k, v, causal=True), rtol=0.03, atol=0.03)


def test_fused_and_formula_have_equal_gradients() -> None:
    gradients = []
    for way in (reference_attention, attend):
        heads = [random_heads(2, h, 7, 10, seed=h).requires_grad_() for h in (4, 2, 2)]
        gradients.append(torch.autograd.grad(way(*heads, causal=True).square().sum(), heads))
    torch.testing.assert_close(gradients[0], gradients[1])


def test_a_head_keeps_to_its_own_part_of_the_projections() -> None:
    layer = MultiHeadAttention(10, heads=2, key_heads=2, head_width=6, epsilon=1e-6)
    generator = torch.Generator().manual_seed(3)
    for projection in (layer.q_proj, layer.k_proj, layer.v_proj, layer.o_proj):
        torch.nn.init.normal_(projection.weight, generator=generator)
    x = random_heads(1, 5, 10)
    turns = RotaryPositions(6, base=100.0, context=5)(slice(0, 5))
    whole = layer(x, Sight(turns))
    with torch.no_grad():
        layer.o_proj.weight[:, 6:] = 0  # the second head's answers are not used …
        first = layer(x, Sight(turns))
        layer.v_proj.weight[6:] = 0  # … so that its values don't matter.
    torch.testing.assert_close(layer(x, Sight(turns)), first)
    assert not torch.allclose(whole, first)


def test_scores_stay_bounded_however_large_the_input() -> None:
    # Normalised queries and keys have length √K, so a score is at most √K·√K/√K = √K; scaling x changes nothing.
    layer = MultiHeadAttention(6, heads=1, key_heads=1, head_width=6, epsilon=0.0)
    with torch.no_grad():
        for projection in (layer.q_proj, layer.k_proj, layer.v_proj, layer.o_proj):
            projection.weight.copy_(torch.eye(6))
    x = random_heads(1, 5, 6)
    turns = RotaryPositions(6, base=100.0, context=5)(slice(0, 5))
    torch.testing.assert_close(layer(1000 * x, Sight(turns)) / 1000, layer(x, Sight(turns)))
