"""Low-rank changes beside a network's projections: the formula, merging, and what can be chosen."""

import numpy as np
import pytest
import torch
from torch import nn

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.lora import (
    AdaptedLinear,
    LowRankOptions,
    adapt,
    adapter_of,
    merge,
    projections,
    strip,
    unmerge,
)
from ziggurat.models.blocks.network import CausalNetwork
from ziggurat.models.decoder import FAMILY, DecoderConfig
from ziggurat.models.recurrent import FAMILY as RECURRENT

CONFIG = DecoderConfig(layers=2, width=20, heads=5, key_heads=1, head_width=6, feedforward=23, context=31)
OPTIONS = LowRankOptions(rank=3, alpha=7.0)


def network(seed: int = 0, config: DecoderConfig = CONFIG) -> CausalNetwork:
    made = FAMILY.build(config, Vocabulary(size=37, bos=0, eos=0), seed=seed).network
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn(weight.shape, generator=torch.Generator().manual_seed(weight.numel())), alpha=0.1)
    return made


def adapted(on: tuple[str, ...] = ("q_proj", "v_proj"), *, learnt: bool = True) -> CausalNetwork:
    """A network with changes; ``learnt`` ones, whose B is no longer 0."""
    made = network()
    adapt(made, on, OPTIONS, seed=11)
    if learnt:
        with torch.no_grad():
            for name, weight in made.named_parameters():
                if name.endswith("lora_B"):
                    weight.normal_(generator=torch.Generator().manual_seed(len(name)))
    return made


def logits(made: CausalNetwork) -> torch.Tensor:
    ids = torch.arange(29).reshape(1, 29) % 37
    with torch.no_grad():
        found: torch.Tensor = made(ids)[0]
    return found


# -- the formula ------------------------------------------------------------------------------------------------------


def test_the_change_is_what_the_formula_says() -> None:
    base = nn.Linear(2, 2, bias=True)
    with torch.no_grad():
        base.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        base.bias.copy_(torch.tensor([0.0, 10.0]))
    layer = AdaptedLinear(base, LowRankOptions(rank=1, alpha=3.0))
    with torch.no_grad():
        layer.lora_A.copy_(torch.tensor([[1.0, 2.0]]))
        layer.lora_B.copy_(torch.tensor([[1.0], [-1.0]]))
    # x = (5, 7): A·x = 5 + 14 = 19; 3/1 · B · 19 = (57, -57); W·x + b = (5, 17)
    assert layer(torch.tensor([5.0, 7.0])).tolist() == [62.0, -40.0]
    layer.merge()
    # W + 3·B·A = [[1 + 3, 6], [-3, 1 - 6]]
    assert layer.weight.tolist() == [[4.0, 6.0], [-3.0, -5.0]]
    assert layer(torch.tensor([5.0, 7.0])).tolist() == [62.0, -40.0]


def test_dropout_acts_on_the_change_and_in_training_only() -> None:
    layer = AdaptedLinear(nn.Linear(53, 47, bias=False), LowRankOptions(rank=2, alpha=2.0, dropout=0.5))
    with torch.no_grad():
        layer.lora_A.normal_()
        layer.lora_B.normal_()
    x = torch.randn(53)
    layer.eval()
    assert torch.equal(layer(x), layer(x))
    layer.train()
    assert not torch.equal(layer(x), layer(x))
    with torch.no_grad():
        layer.lora_B.zero_()
    assert torch.equal(layer(x), nn.functional.linear(x, layer.weight))


def test_a_change_begins_with_the_model_as_it_was() -> None:
    torch.testing.assert_close(logits(adapted(learnt=False)), logits(network()), rtol=0, atol=0)
    first = dict(adapted(learnt=False).named_parameters())["stack.layers.1.self_attn.q_proj.lora_A"]
    again = dict(adapted(learnt=False).named_parameters())["stack.layers.1.self_attn.q_proj.lora_A"]
    assert torch.equal(first, again)
    # N(0, 1/20): 60 numbers lie around 0.22
    assert 0.15 < float(first.detach().std()) < 0.3


# -- merging ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on", [("q_proj", "v_proj"), ("all",), ("mlp.down_proj",)], ids="-".join)
def test_merged_gives_the_same_logits(on: tuple[str, ...]) -> None:
    made = adapted(on)
    before = logits(made)
    assert float((before - logits(network())).abs().max()) > 0.01
    merge(made)
    assert float((logits(made) - before).abs().max()) <= 1e-5


def test_unmerged_gives_back_every_bit() -> None:
    made, plain = adapted(("all",)), network()
    merge(made)
    merge(made)  # no second time
    q = made.get_parameter("stack.layers.0.self_attn.q_proj.weight")
    assert not torch.equal(q, plain.get_parameter("stack.layers.0.self_attn.q_proj.weight"))
    unmerge(made)
    unmerge(made)
    for name, weight in plain.named_parameters():
        assert torch.equal(weight, made.get_parameter(name)), name


def test_merged_for_good_it_can_t_be_taken_out() -> None:
    made, copied = adapted(("all",)), adapted(("all",))
    merge(made, keep=False)
    merge(copied)
    assert torch.equal(logits(made), logits(copied))
    with pytest.raises(UsageError, match="merged for good"):
        unmerge(made)
    merge(made)  # no second time
    assert torch.equal(logits(made), logits(copied))


def test_stripped_after_merging_it_is_a_plain_network_with_the_change() -> None:
    made = adapted(("all",))
    before = logits(made)
    merge(made)
    strip(made)
    assert made.state_dict().keys() == network().state_dict().keys()
    assert float((logits(made) - before).abs().max()) <= 1e-5
    assert adapter_of(made) is None


def test_what_was_learnt_is_told_as_arrays() -> None:
    made = adapted()
    adapter = adapter_of(made)
    assert adapter is not None
    assert (adapter.rank, adapter.alpha, adapter.scale) == (3, 7.0, 7 / 3)
    assert set(adapter.pairs) == {f"stack.layers.{n}.self_attn.{part}_proj" for n in (0, 1) for part in "qv"}
    pair = adapter.pairs["stack.layers.1.self_attn.q_proj"]
    # 20 numbers go in, 5 heads of 6 come out
    assert (pair.down.shape, pair.up.shape) == ((3, 20), (30, 3))
    before = made.get_parameter("stack.layers.1.self_attn.q_proj.weight").detach().numpy().copy()
    merge(made)
    after = made.get_parameter("stack.layers.1.self_attn.q_proj.weight").detach().numpy()
    np.testing.assert_allclose(after, before + 7 / 3 * pair.up @ pair.down, atol=1e-6)


# -- what is trained, and what can be chosen --------------------------------------------------------------------------


def test_only_the_change_is_trained() -> None:
    made = adapted()
    trained = [name for name, weight in made.named_parameters() if weight.requires_grad]
    assert len(trained) == 2 * 2 * 2  # A and B, of two projections, in two blocks
    assert all(".lora_" in name for name in trained)
    logits_BTV, _ = made(torch.tensor([[3, 5, 7]]))
    logits_BTV.sum().backward()
    assert all((weight.grad is not None) == weight.requires_grad for weight in made.parameters())


def test_all_are_the_projections_of_the_blocks() -> None:
    parts = [f"self_attn.{part}_proj" for part in "qkvo"] + [f"mlp.{part}_proj" for part in ("gate", "up", "down")]
    untied = network(config=DecoderConfig(layers=2, width=20, heads=5, head_width=6, feedforward=23, tied=False))
    # the matrix that predicts is none of them
    assert set(projections(untied)) == {f"stack.layers.{number}.{part}" for number in (0, 1) for part in parts}


def test_one_block_can_be_named() -> None:
    made = adapted(("stack.layers.1.self_attn.o_proj",))
    adapter = adapter_of(made)
    assert adapter is not None
    assert list(adapter.pairs) == ["stack.layers.1.self_attn.o_proj"]


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"lora_on: unknown projection 'q_prj'; did you mean 'q_proj'\?"):
        adapt(network(), ["v_proj", "q_prj"], OPTIONS, seed=0)
    with pytest.raises(UsageError, match="lora_on: name at least one"):
        adapt(network(), [], OPTIONS, seed=0)


def test_a_network_without_blocks_is_refused() -> None:
    recurrent = RECURRENT.tiny(seed=0).network
    with pytest.raises(UsageError, match="no Transformer blocks to adapt"):
        adapt(recurrent, ["q_proj"], OPTIONS, seed=0)
    assert all(weight.requires_grad for weight in recurrent.parameters())
