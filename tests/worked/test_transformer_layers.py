"""The parts of a Transformer block by hand, and whole blocks against a plain recomputation."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ziggurat.core.config import from_mapping, options
from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.attention import MultiHeadAttention, Sight, Source, reference_attention
from ziggurat.models.blocks.feedforward import ACTIVATIONS, Activation, FeedForward, SwiGLU, squared_relu
from ziggurat.models.blocks.initialisation import fill_normal
from ziggurat.models.blocks.normalisation import LayerNorm, reference_layer_norm
from ziggurat.models.blocks.positions import (
    LearnedPositions,
    RotaryPositions,
    SinusoidalPositions,
    rotary_frequencies,
    rotate,
    sinusoids,
)
from ziggurat.models.blocks.transformer import (
    TransformerBlock,
    TransformerConfig,
    TransformerStack,
    fill_transformer,
    layers_and_width,
    normalisation,
)
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.encoder import EncoderConfig
from ziggurat.models.seq2seq import Seq2seqConfig

SMALL = TransformerConfig(layers=3, width=10, heads=2, head_width=6, feedforward=14, context=17)
CLASSIC = replace(
    SMALL, positions="sinusoidal", norm="layer", bias="all", activation="relu", query_norm=False, head_width=5
)


def draw(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def fill(module: torch.nn.Module, *, std: float = 0.4) -> None:
    """Random numbers in every weight, gains and biases too."""
    for name, parameter in module.named_parameters():
        fill_normal(parameter, std=std, seed=3, name=name)


# normalisation


def test_layer_norm_by_hand() -> None:
    # (1, 5, 3): mean 3, variance (4 + 4 + 0) / 3 = 8/3; (−2, 2, 0) / √(8/3) = (−√1.5, √1.5, 0).
    # Gains (2, 4, 6), shifts (1, 0, 7): (1 − 2√1.5, 4√1.5, 7).
    norm = LayerNorm(3, epsilon=0.0)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, 4.0, 6.0]))
        norm.bias.copy_(torch.tensor([1.0, 0.0, 7.0]))
    x, root = torch.tensor([1.0, 5.0, 3.0]), math.sqrt(1.5)
    expected = torch.tensor([1 - 2 * root, 4 * root, 7.0])
    torch.testing.assert_close(norm(x), expected)
    torch.testing.assert_close(reference_layer_norm(x, norm.weight, norm.bias, epsilon=0.0), expected)


def test_layer_norm_divides_by_the_root_of_variance_and_epsilon() -> None:
    # (−1, 1): variance 1; with ε = 3 the divisor is √4 = 2.
    norm = LayerNorm(2, epsilon=3.0)
    torch.testing.assert_close(norm(torch.tensor([-1.0, 1.0])), torch.tensor([-0.5, 0.5]))
    # A constant vector has variance 0 and gives the shift.
    torch.testing.assert_close(norm(torch.full((2,), 7.0)), torch.zeros(2))


def test_layer_norm_equals_its_formula_and_keeps_the_type() -> None:
    norm = LayerNorm(13, epsilon=1e-5)
    fill(norm)
    x = 3 + 0.1 * draw(2, 5, 13)
    torch.testing.assert_close(norm(x), reference_layer_norm(x, norm.weight, norm.bias, epsilon=1e-5))
    assert norm(x.bfloat16()).dtype == torch.bfloat16


def test_both_norms_are_made_as_the_configuration_says() -> None:
    assert isinstance(normalisation(replace(SMALL, norm="layer")), LayerNorm)
    assert normalisation(replace(SMALL, norm_epsilon=0.5)).epsilon == 0.5


# positions


def test_sinusoids_by_hand() -> None:
    # D = 4: wavelengths 2π·10000^0 and 2π·10000^(2/4) = 2π·100. Position 3: angles 3 and 3/100; sines, then cosines.
    expected = [math.sin(3), math.sin(0.03), math.cos(3), math.cos(0.03)]
    torch.testing.assert_close(sinusoids(5, 4)[3], torch.tensor(expected))
    torch.testing.assert_close(sinusoids(5, 4)[0], torch.tensor([0.0, 0, 1, 1]))


def test_a_step_is_the_same_rotation_everywhere() -> None:
    # (sin, cos) of angle a·(p + 2) is that of a·p turned by 2a, whatever p is.
    table = sinusoids(23, 6)
    sines, cosines = table[:, :3], table[:, 3:]
    angle = 2 * 10000.0 ** (-torch.arange(0, 6, 2) / 6)
    turned = sines[:-2] * angle.cos() + cosines[:-2] * angle.sin()
    torch.testing.assert_close(turned, sines[2:])


def test_added_positions_are_rows_of_their_table() -> None:
    learned = LearnedPositions(6, context=11)
    fill(learned)
    for positions in (learned, SinusoidalPositions(6, context=11)):
        table = positions.table.weight if isinstance(positions, LearnedPositions) else positions.table
        torch.testing.assert_close(positions(slice(2, 5)), table[2:5])
        rows = torch.tensor([[2, 3], [7, 0]])
        assert positions(rows).shape == (2, 2, 6)
        torch.testing.assert_close(positions(rows)[1, 0], table[7])
    assert not dict(SinusoidalPositions(6, context=11).state_dict())


def test_frequencies_stretched_linearly_are_divided() -> None:
    # K = 4, base 100: θ = (1, 1/10); factor 4: (1/4, 1/40).
    found, size = rotary_frequencies(4, base=100.0, stretch="linear", numbers=(4.0,))
    torch.testing.assert_close(found, torch.tensor([0.25, 0.025], dtype=torch.float64))
    assert size == 1.0


def test_frequencies_stretched_as_in_llama3_by_hand() -> None:
    # K = 6, base 1000: θ = (1, 1/10, 1/100), wavelengths 2π, 20π, 200π. First context C = 40π, low 1, high 4:
    #   2π < C/4 = 10π: stays 1.
    #   20π between 10π and C/1 = 40π: γ = (40π/20π − 1) / (4 − 1) = 1/3; (2/3 · 1/8 + 1/3) / 10 = 5/12 / 10 = 1/24.
    #   200π > 40π: 1/100 / 8 = 1/800.
    numbers = (8.0, 1.0, 4.0, 40 * math.pi)
    found, size = rotary_frequencies(6, base=1000.0, stretch="llama3", numbers=numbers)
    torch.testing.assert_close(found, torch.tensor([1.0, 1 / 24, 1 / 800], dtype=torch.float64))
    assert size == 1.0


def test_frequencies_stretched_as_in_yarn_by_hand() -> None:
    # K = 8, base 10⁴: θ = (1, 1/10, 1/100, 1/1000). The pair that turns r times in C positions is
    # 8·ln(C / 2πr) / (2·ln 10⁴) = log₁₀(C / 2πr). With C = 2π·1000: r = 32 gives 3 − log₁₀ 32 = 1.49…, rounded down 1;
    # r = 1 gives 3. So γ is 1, 1, 1/2, 0 at pairs 0 to 3, and with factor 4: (1/100)·(1/2 · 1/4 + 1/2) = 1/160.
    numbers = (4.0, 2 * math.pi * 1000, 32.0, 1.0, 1.25)
    found, size = rotary_frequencies(8, base=1e4, stretch="yarn", numbers=numbers)
    torch.testing.assert_close(found, torch.tensor([1.0, 0.1, 1 / 160, 1 / 4000], dtype=torch.float64))
    assert size == 1.25
    cos, sin = RotaryPositions(8, base=1e4, context=3, stretch="yarn", numbers=numbers)(slice(0, 3))
    torch.testing.assert_close((cos.square() + sin.square()).sqrt(), torch.full((3, 4), 1.25))


@pytest.mark.parametrize(
    ("stretch", "numbers", "said"),
    [
        ("none", (2.0,), "rotary_numbers must be 0 positive numbers"),
        ("linear", (), "rotary_numbers must be 1 positive numbers where rotary_stretch is linear: factor"),
        ("linear", (-2.0,), "1 positive"),
        ("llama3", (8.0, 4.0, 1.0, 64.0), "low_freq_factor must be smaller than high_freq_factor"),
        ("yarn", (8.0, 64.0), "factor, original_max_position_embeddings, beta_fast, beta_slow, attention_factor"),
    ],
)
def test_numbers_that_do_not_go_with_the_stretch(stretch: str, numbers: tuple[float, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(SMALL, rotary_stretch=stretch, rotary_numbers=numbers)  # type: ignore[arg-type]


# feed-forward layers


def test_squared_relu_by_hand() -> None:
    assert squared_relu(torch.tensor([-3.0, 0.0, 5.0])).tolist() == [0, 0, 25]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        # W₁x + b₁ = (2·1 + 1, −1·1 − 1) = (3, −2); W₂ = (5, 7), b₂ = 11.
        ("relu", 5 * 3 + 7 * 0 + 11),
        ("relu2", 5 * 9 + 7 * 0 + 11),
        # x·Φ(x) with Φ(x) = (1 + erf(x / √2)) / 2
        ("gelu", 5 * 3 * (1 + math.erf(3 / math.sqrt(2))) / 2 - 7 * 2 * (1 + math.erf(-2 / math.sqrt(2))) / 2 + 11),
        # x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))
        (
            "gelu_tanh",
            5 * 1.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (3 + 0.044715 * 27)))
            - 7 * 1.0 * (1 + math.tanh(math.sqrt(2 / math.pi) * (-2 - 0.044715 * 8)))
            + 11,
        ),
        # x·σ(x) with σ(x) = 1 / (1 + e^−x)
        ("silu", 5 * 3 / (1 + math.exp(-3)) - 7 * 2 / (1 + math.exp(2)) + 11),
    ],
)
def test_feed_forward_by_hand(activation: Activation, expected: float) -> None:
    layer = FeedForward(1, 2, activation=activation, bias=True)
    with torch.no_grad():
        layer.up_proj.weight.copy_(torch.tensor([[2.0], [-1.0]]))
        layer.up_proj.bias.copy_(torch.tensor([1.0, -1.0]))
        layer.down_proj.weight.copy_(torch.tensor([[5.0, 7.0]]))
        layer.down_proj.bias.copy_(torch.tensor([11.0]))
    torch.testing.assert_close(layer(torch.ones(1)), torch.tensor([float(expected)]))


def test_every_activation_is_known_by_one_name() -> None:
    assert set(ACTIVATIONS) == {"relu", "gelu", "gelu_tanh", "relu2", "silu"}
    x = torch.linspace(-3, 3, 13)
    assert (ACTIVATIONS["gelu"](x) - ACTIVATIONS["gelu_tanh"](x)).abs().max() < 1e-3


def test_parameters_of_feed_forward_layers_are_as_stated() -> None:
    def count(layer: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in layer.parameters())

    # 2·D·F + D + F = 2·5·7 + 5 + 7; 3·D·F = 3·5·7.
    assert count(FeedForward(5, 7, activation="relu", bias=True)) == 82
    assert count(FeedForward(5, 7, activation="relu", bias=False)) == 70
    assert count(SwiGLU(5, 7)) == 105
    assert count(SwiGLU(5, 7, bias=True)) == 105 + 5 + 7 + 7


# attention


def heads_of(x_BTX: Tensor, heads: int) -> Tensor:
    batch, time, width = x_BTX.shape
    return x_BTX.view(batch, time, heads, width // heads).transpose(1, 2)


def plain_attention(
    layer: MultiHeadAttention,
    x_BTD: Tensor,
    memory_BSD: Tensor,
    *,
    keep_mask: Tensor | None = None,
    causal: bool = False,
) -> Tensor:
    """Concat(head₁, …)·W^O as section 3.2.2 writes it, with the reference formula and no turn."""
    q, k, v = layer.q_proj(x_BTD), layer.k_proj(memory_BSD), layer.v_proj(memory_BSD)
    q_BHTK, k_BGSK, v_BGSK = (heads_of(each, each.shape[-1] // layer.head_width) for each in (q, k, v))
    mixed = reference_attention(q_BHTK, k_BGSK, v_BGSK, keep_mask=keep_mask, causal=causal)
    joined: Tensor = layer.o_proj(mixed.transpose(1, 2).reshape(*x_BTD.shape[:2], -1))
    return joined


@pytest.mark.parametrize("bias", ["none", "qkv", "all"])
@pytest.mark.parametrize("key_heads", [6, 2, 1])
def test_attention_to_itself_is_the_formula(bias: str, key_heads: int) -> None:
    layer = MultiHeadAttention(10, heads=6, key_heads=key_heads, head_width=4, epsilon=None, bias=bias)  # type: ignore[arg-type]
    fill(layer)
    x = draw(2, 7, 10)
    torch.testing.assert_close(layer(x, Sight()), plain_attention(layer, x, x, causal=True))
    keep = torch.ones(2, 1, 1, 7, dtype=torch.bool)
    keep[1, ..., 4:] = False
    sight = Sight(keep_mask=keep, causal=False)
    torch.testing.assert_close(layer(x, sight), plain_attention(layer, x, x, keep_mask=keep))


@pytest.mark.parametrize("padded", [False, True])
def test_attention_across_is_the_formula(padded: bool) -> None:
    config = replace(CLASSIC, key_heads=1)
    stack = TransformerStack(config, crosses=True)
    fill(stack)
    x, memory = draw(2, 5, 10), draw(2, 11, 10, seed=5)
    keep = torch.arange(11) < torch.tensor([[11], [3]]) if padded else None
    mask = None if keep is None else keep[:, None, None]
    source = stack.source(memory, mask)
    assert len(source.keys_and_values) == config.layers
    for number, block in enumerate(stack.layers):
        assert isinstance(block, TransformerBlock)
        layer = block.cross_attn
        assert layer is not None
        found = layer.across(x, source, layer=number)
        torch.testing.assert_close(found, plain_attention(layer, x, memory, keep_mask=mask))
        if padded:  # what stands behind the source's end is not looked at
            short = stack.source(memory[1:, :3], None)
            torch.testing.assert_close(layer.across(x[1:], short, layer=number), found[1:])


def test_one_query_across_by_hand() -> None:
    # One head of width 1, projections 1 (keys 2): query 1, keys 2·(0, ln 2) = (0, ln 4), so weights 1/5 and 4/5;
    # values are the memory itself: 1/5 · 0 + 4/5 · ln 2.
    layer = MultiHeadAttention(1, heads=1, key_heads=1, head_width=1, epsilon=None)
    with torch.no_grad():
        for projection, value in ((layer.q_proj, 1.0), (layer.k_proj, 2.0), (layer.v_proj, 1.0), (layer.o_proj, 1.0)):
            projection.weight.fill_(value)
    memory = torch.tensor([[[0.0], [math.log(2)]]])
    source = Source((layer.keys_and_values(memory),), None)
    found = layer.across(torch.ones(1, 1, 1), source, layer=0)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.8 * math.log(2)]))


# blocks


def test_a_block_that_normalises_before_is_two_sums() -> None:
    block = TransformerBlock(CLASSIC)
    fill(block)
    x = draw(2, 7, 10)
    inner = block.input_layernorm(x)
    middle = x + plain_attention(block.self_attn, inner, inner, causal=True)
    expected = middle + block.mlp(block.post_attention_layernorm(middle))
    torch.testing.assert_close(block(x, Sight(), layer=0), expected)


def test_a_block_that_normalises_after_normalises_the_sums() -> None:
    block = TransformerBlock(replace(CLASSIC, norm_place="post"))
    fill(block)
    x = draw(2, 7, 10)
    middle = block.input_layernorm(x + plain_attention(block.self_attn, x, x, causal=True))
    expected = block.post_attention_layernorm(middle + block.mlp(middle))
    torch.testing.assert_close(block(x, Sight(), layer=0), expected)


@pytest.mark.parametrize("place", ["pre", "post"])
def test_a_block_that_translates_looks_at_its_source_between_the_two(place: str) -> None:
    config = replace(CLASSIC, norm_place=place)  # type: ignore[arg-type]
    stack = TransformerStack(config, layers=1, crosses=True)
    fill(stack)
    block = stack.layers[0]
    assert isinstance(block, TransformerBlock)
    x, memory = draw(2, 5, 10), draw(2, 7, 10, seed=5)
    first, second, third = block.input_layernorm, block.cross_attn_layernorm, block.post_attention_layernorm
    assert block.cross_attn is not None
    assert second is not None
    if place == "pre":
        inner = first(x)
        one = x + plain_attention(block.self_attn, inner, inner, causal=True)
        two = one + plain_attention(block.cross_attn, second(one), memory)
        expected = two + block.mlp(third(two))
    else:
        one = first(x + plain_attention(block.self_attn, x, x, causal=True))
        two = second(one + plain_attention(block.cross_attn, one, memory))
        expected = third(two + block.mlp(two))
    sight = Sight(source=stack.source(memory, None))
    torch.testing.assert_close(block(x, sight, layer=0), expected)


def test_only_a_stack_that_normalises_before_has_a_norm_behind_it() -> None:
    before, after = TransformerStack(CLASSIC), TransformerStack(replace(CLASSIC, norm_place="post"))
    assert before.norm is not None
    assert after.norm is None
    fill(before)
    x = draw(2, 7, 10)
    hidden = x
    for number, block in enumerate(before.layers):
        hidden = block(hidden, Sight(), layer=number)
    torch.testing.assert_close(before(x, Sight()), before.norm(hidden))


def test_positions_are_turns_or_vectors() -> None:
    x = draw(1, 3, 10)
    rotary = TransformerStack(replace(SMALL, head_width=6))
    assert torch.equal(rotary.placed(x, slice(0, 3)), x)
    turns = rotary.turns(slice(2, 5))
    assert turns is not None
    q = draw(1, 2, 3, 6)
    expected = RotaryPositions(6, base=10000.0, context=17)(slice(2, 5))
    torch.testing.assert_close(rotate(q, *turns), rotate(q, *expected))
    added = TransformerStack(replace(SMALL, positions="sinusoidal"))
    assert added.turns(slice(0, 3)) is None
    torch.testing.assert_close(added.placed(x, slice(2, 5)), x + sinusoids(17, 10)[2:5])


def test_dropout_acts_on_branches_in_training_only() -> None:
    block = TransformerBlock(replace(CLASSIC, dropout=0.5))
    fill(block)
    x = draw(2, 7, 10)
    still = TransformerBlock(CLASSIC)
    still.load_state_dict(block.state_dict())
    torch.testing.assert_close(block.eval()(x, Sight(), layer=0), still(x, Sight(), layer=0))
    torch.manual_seed(3)
    assert not torch.allclose(block.train()(x, Sight(), layer=0), still(x, Sight(), layer=0))


def test_what_is_added_to_the_residual_path_begins_smaller() -> None:
    # Standard deviations 0.02 and, with three layers, 0.02 / √6 = 0.00816; biases 0, gains 1.
    config = replace(CLASSIC, width=100, feedforward=400)
    stack = TransformerStack(config)
    fill_transformer(stack, seed=7)
    block = stack.layers[1]
    assert isinstance(block, TransformerBlock)
    assert block.self_attn.q_proj.weight.std().item() == pytest.approx(0.02, rel=0.03)
    for branch in (block.self_attn.o_proj, block.mlp.down_proj):
        assert isinstance(branch, torch.nn.Linear)
        assert branch.weight.std().item() == pytest.approx(0.02 / math.sqrt(6), rel=0.03)
        assert not branch.bias.any()
    assert torch.equal(block.input_layernorm.weight, torch.ones(100))


@pytest.mark.parametrize("place", ["pre", "post"])
def test_a_decoder_that_translates_adds_three_times_a_block(place: str) -> None:
    # Encoder: 2 blocks, 4 additions, 0.02 / √4 = 0.01. Decoder: 3 blocks, 9 additions, 0.02 / √9 = 0.00667.
    config = replace(CLASSIC, width=100, feedforward=400, norm_place=place)  # type: ignore[arg-type]
    both = torch.nn.ModuleDict(
        {"encoder": TransformerStack(config, layers=2), "decoder": TransformerStack(config, layers=3, crosses=True)}
    )
    fill_transformer(both, seed=7)
    for name, expected in (("encoder", 0.01), ("decoder", 0.02 / 3)):
        stack = both[name]
        assert isinstance(stack, TransformerStack)
        for block in stack.layers:
            assert isinstance(block, TransformerBlock)
            added = [block.self_attn.o_proj, block.mlp.down_proj]
            added += [] if block.cross_attn is None else [block.cross_attn.o_proj]
            for branch in added:
                assert isinstance(branch, torch.nn.Linear)
                assert branch.weight.std().item() == pytest.approx(expected, rel=0.05)
            assert block.self_attn.q_proj.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_a_decoder_that_translates_needs_a_source() -> None:
    stack = TransformerStack(CLASSIC, layers=1, crosses=True)
    fill(stack)
    with pytest.raises(UsageError, match="a decoder that translates was given no source to look at"):
        stack(draw(2, 5, 10), Sight())


@pytest.mark.parametrize(
    ("parameters", "per_layer", "slope", "expected"),
    [
        # (28·6·384²)/(28·64²) = 6·36 = 216, whose third root is 6; √(6·384²/6) = 384
        (28 * 6 * 384**2, 28, 64, (6, 384)),
        # 12·48²·27 = 12·3·(3·48)²: 3 layers, 144 is 4.5 times 32, and half goes to the even number
        (12 * 48**2 * 27, 12, 48, (3, 128)),
        (1, 12, 48, (2, 32)),
    ],
)
def test_sizes_from_a_number_of_parameters(
    parameters: int, per_layer: int, slope: int, expected: tuple[int, int]
) -> None:
    assert layers_and_width(parameters, per_layer=per_layer, slope=slope) == expected


@pytest.mark.parametrize("kind", [EncoderConfig, Seq2seqConfig, DecoderConfig])
def test_keys_that_all_transformers_share_allow_the_same(kind: type[TransformerConfig]) -> None:
    own, shared = options(kind), options(TransformerConfig)
    apart = {"layers", "context"} if kind is Seq2seqConfig else set()  # which two stacks have
    for key, (hint, _, metadata) in shared.items():
        assert own[key][0] == hint, key
        if key not in apart:
            assert own[key][2] == metadata, key


@pytest.mark.parametrize("kind", [EncoderConfig, Seq2seqConfig, DecoderConfig])
@pytest.mark.parametrize("activation", [*ACTIVATIONS, "swiglu"])
def test_every_activation_is_a_key_of_every_family(kind: type[TransformerConfig], activation: str) -> None:
    assert from_mapping(kind, {"activation": activation}, where="recipe.toml [model]").activation == activation
