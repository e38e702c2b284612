"""Schedules, objectives, optimiser groups, precision and memory sizes, by hand."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.fakes.jobs import NEXT_TOKEN_FAMILIES, VOCABULARY
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Sizable
from ziggurat.models.blocks.network import CausalNetwork, NeuralLanguageModel
from ziggurat.models.registry import FAMILIES
from ziggurat.training.gradient import Config
from ziggurat.training.objectives import objective
from ziggurat.training.objectives.next_token import next_token
from ziggurat.training.optimisers import adamw
from ziggurat.training.precision import uses_bfloat16
from ziggurat.training.schedules import Plan, Shape, factor, fix_total
from ziggurat.training.scratch import parse_bytes


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        # warm-up of 4: 1/4, 2/4, 3/4, 4/4; then 1 until the last 2 of 8 steps: (8 − 6)/3, (8 − 7)/3
        (Plan("wsd", 4, 8, 2), [1 / 4, 2 / 4, 3 / 4, 1, 1, 1, 2 / 3, 1 / 3]),
        (Plan("wsd", 0, 4, 0), [1, 1, 1, 1]),
        (Plan("wsd", 2, None, None), [1 / 2, 1, 1, 1]),
        (Plan("constant", 2, 4, None), [1 / 2, 1, 1, 1]),
        # warm-up of 4, then √(4/5), √(4/6) …: of a peak that is d^-0.5 · 4^-0.5 (Vaswani et al. 2017, eq. 3)
        (Plan("noam", 4, 7, None), [1 / 4, 2 / 4, 3 / 4, 1, math.sqrt(4 / 5), math.sqrt(4 / 6), math.sqrt(4 / 7)]),
        (Plan("noam", 0, None, None), [1, math.sqrt(1 / 2), math.sqrt(1 / 3)]),
        # linear from 1 to 0.01 over steps 1 … 4: 1 − 0.99 · (0, 1/3, 2/3, 1)
        (Plan("linear", 1, 5, None), [1, 1, 0.67, 0.34, 0.01]),
        # cosine: 0.01 + 0.99 · (1 + cos(0, π/2, π)) / 2
        (Plan("cosine", 0, 3, None), [1, 0.505, 0.01]),
    ],
)
def test_factors_by_hand(plan: Plan, expected: list[float]) -> None:
    assert [factor(plan, step) for step in range(len(expected))] == pytest.approx(expected)


SHAPES: list[Shape] = ["wsd", "cosine", "linear", "constant", "noam"]


@given(shape=st.sampled_from(SHAPES), warmup=st.integers(0, 50), total=st.integers(1, 400), decay=st.integers(0, 400))
def test_a_rate_rises_to_its_peak_once_and_falls_never_to_nothing(
    shape: Shape, warmup: int, total: int, decay: int
) -> None:
    plan = Plan(shape, min(warmup, total // 5), total, min(decay, total))
    factors = [factor(plan, step) for step in range(total)]
    assert all(0 < value <= 1 for value in factors)
    peak = factors.index(max(factors))
    assert all(earlier >= later for earlier, later in itertools.pairwise(factors[peak:]))
    assert factors[:peak] == sorted(factors[:peak])
    assert peak <= plan.warmup_steps


def test_what_is_left_of_the_time_becomes_steps() -> None:
    # 70 steps in 35 seconds are 2 a second; of 50 seconds 15 are left: 30 steps
    plan = fix_total(Plan("wsd", 5, None, None), step=70, elapsed_seconds=35, budget_seconds=50)
    assert (plan.total_steps, plan.decay_steps) == (100, 30)
    late = fix_total(plan, step=70, elapsed_seconds=60, budget_seconds=50)
    assert (late.total_steps, late.decay_steps) == (71, 1)


def network(family: str) -> CausalNetwork:
    chosen = FAMILIES.get(family)
    assert isinstance(chosen, Sizable)
    model = chosen.build(chosen.sized(1000), VOCABULARY, seed=3)
    assert isinstance(model, NeuralLanguageModel)
    return model.network.train()


@pytest.mark.parametrize("family", NEXT_TOKEN_FAMILIES)
def test_the_objective_is_torch_s_cross_entropy(family: str) -> None:
    net = network(family)
    ids = torch.randint(0, 13, (3, 8), generator=torch.Generator().manual_seed(1))
    torch.manual_seed(5)
    loss, _ = next_token(net, ids, None)
    torch.manual_seed(5)
    logits, _ = net(ids[:, :-1])
    expected = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("family", NEXT_TOKEN_FAMILIES)
@pytest.mark.parametrize("logits_at_once", [13, 40, 13 * 7])
def test_pieces_of_logits_give_the_same_loss_and_gradient(
    family: str, logits_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = torch.randint(0, 13, (3, 8), generator=torch.Generator().manual_seed(1))
    found = []
    for limit in (1 << 23, logits_at_once):
        monkeypatch.setattr(objective, "LOGIT_COUNT", limit)
        net = network(family)
        torch.manual_seed(5)
        loss, _ = next_token(net, ids, None)
        loss.backward()
        found.append((loss.item(), [parameter.grad for parameter in net.parameters()]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    for one, two in zip(found[0][1], found[1][1], strict=True):
        assert one is not None
        assert two is not None
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_only_matrices_decay() -> None:
    layer = nn.Linear(3, 5)
    norm = nn.LayerNorm(5)
    frozen = nn.Parameter(torch.ones(2, 2), requires_grad=False)
    parameters = [*layer.parameters(), *norm.parameters(), frozen]
    optimiser = adamw(parameters, learning_rate=0.1, weight_decay=0.5, betas=(0.9, 0.95))
    decays = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    assert decays == {id(layer.weight): 0.5, id(layer.bias): 0.0, id(norm.weight): 0.0, id(norm.bias): 0.0}


def test_a_first_step_of_adamw_by_hand() -> None:
    # m̂ = g and v̂ = g² after one step, so each weight moves by −lr · sign(g) after it shrank by lr · decay:
    # 2 · (1 − 0.1 · 0.5) − 0.1 = 1.8 and −1 · 0.95 + 0.1 = −0.85
    weight = nn.Parameter(torch.tensor([[2.0, -1.0]]))
    optimiser = adamw([weight], learning_rate=0.1, weight_decay=0.5, betas=(0.9, 0.95))
    weight.grad = torch.tensor([[3.0, -0.7]])
    optimiser.step()
    assert weight.tolist()[0] == pytest.approx([1.8, -0.85], abs=1e-6)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("800M", 800 << 20), ("1.5G", 3 << 29), ("2k", 2048), ("4GB", 4 << 30), (" 1T ", 1 << 40)],
)
def test_sizes_of_memory(text: str, size: int) -> None:
    assert parse_bytes(text, where="memory") == size


@pytest.mark.parametrize("text", ["", "many", "-1G", "0", "1X", "G"])
def test_what_is_no_size_is_said(text: str) -> None:
    with pytest.raises(UsageError, match=r"training\.memory: expected a size like 800M or 1\.5G"):
        parse_bytes(text, where="training.memory")


def test_precision_is_a_rule_that_the_user_can_overrule() -> None:
    net = network(NEXT_TOKEN_FAMILIES[0])
    assert uses_bfloat16("bf16", net)
    assert not uses_bfloat16("f32", net)
    assert not uses_bfloat16("auto", net)  # a thousand parameters: it would not pay


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"steps": 3, "minutes": 1.0}, "minutes and steps: give one budget, not 2"),
        ({"minutes": 1.0, "schedule": "cosine"}, "schedule cosine needs to know its steps"),
        ({"steps": 0}, "training: steps: must be at least 1"),
        ({"stepz": 3}, "did you mean 'steps'?"),
        ({"learning_rate": "fast"}, "training: learning_rate: expected a number"),
        ({"schedule": "cosin"}, "did you mean 'cosine'?"),
    ],
)
def test_settings_that_can_t_be_are_named(keys: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_mapping(Config, keys, where="training")
    assert said in str(caught.value)


def test_the_cosine_passes_its_middle_at_half_way() -> None:
    plan = Plan("cosine", 10, 111, None)
    assert factor(plan, 60) == pytest.approx(0.01 + 0.99 * (1 + math.cos(math.pi / 2)) / 2)


def test_a_run_that_ends_within_its_warm_up_decays_too() -> None:
    # 28 steps were done when of 40 the last 12 are to decay; of 50 the rate has risen to 28 / 50 by then
    plan = fix_total(Plan("wsd", 50, None, None), step=28, elapsed_seconds=28.0, budget_seconds=40.0)
    rates = [factor(plan, step) for step in range(40)]
    assert rates[27] == 28 / 50
    # 32 / 50 is still below 9 / 13, and 33 / 50 above 8 / 13: from there it falls to 1 / 13
    assert max(rates) == rates[31] == 32 / 50
    assert rates[32] == pytest.approx(8 / 13)
    assert rates[-1] == pytest.approx(1 / 13)
    assert rates[31:] == sorted(rates[31:], reverse=True)
