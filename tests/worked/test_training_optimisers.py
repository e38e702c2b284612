"""Rules that change weights, against their definitions written as slow loops; and clipping, against torch's."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.fakes.jobs import VOCABULARY, fit, job
from ziggurat.core.errors import DamagedError, InterruptedRunError, UsageError
from ziggurat.models.blocks.network import Network
from ziggurat.models.registry import FAMILIES
from ziggurat.training import optimisers
from ziggurat.training.clipping import clip_norm
from ziggurat.training.optimisers import POLYNOMIALS, Muon, matrices, optimiser, orthogonal, parted
from ziggurat.training.table_rows import TableRows

LEAST = 0.004
"""The smallest singular value, as a part of the matrix's norm, that comes near 1."""
MARGIN = 1.04


def drawn(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(family: str, **keys: Any) -> Network:
    chosen: Any = FAMILIES.get(family)
    config = type(chosen.sized(1000))(**keys)
    found: Network = chosen.build(config, VOCABULARY, seed=3).network
    return found.train()


TABLED: dict[str, Any] = {"ngram_orders": (2, 3), "ngram_rows": 53}
DECODER: dict[str, Any] = {"layers": 2, "width": 12, "heads": 2, "feedforward": 19, "context": 29}
LSTM: dict[str, Any] = {"layers": 2, "embedding": 5, "hidden": 7}


# -- orthogonal steps --------------------------------------------------------------------------------------------------


def nearest_to_one(low: float, high: float) -> tuple[list[float], float]:
    """The a, b, c for which a·x + b·x³ + c·x⁵ stays nearest to 1 between two numbers, and how far it goes from it.

    Such a polynomial leaves 1 by the same distance E in turn at four points, the ends and its two turns (Chebyshev):
    solve for a, b, c, E; move the points to where it turns; and again.
    """
    first, second = (3 * low + high) / 4, (low + 3 * high) / 4
    for _ in range(100):
        x = np.array([low, first, second, high])
        a, b, c, error = np.linalg.solve(np.stack([x, x**3, x**5, np.array([1, -1, 1, -1])], 1), np.ones(4))
        first, second = sorted(np.sqrt(np.roots([5 * c, 3 * b, a])))  # where a + 3b·x² + 5c·x⁴ = 0
    return [a, b, c], float(error)


def test_each_polynomial_is_the_best_for_what_the_one_before_left() -> None:
    low, high = LEAST, 1.0
    for polynomial in POLYNOMIALS:
        best, error = nearest_to_one(low, MARGIN * high)
        assert polynomial == pytest.approx(best, abs=6e-6)
        low, high = 1 - error, 1 + error
    assert error == pytest.approx(0.165, abs=0.001)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("shape", [(2, 13, 13), (3, 7, 29), (2, 31, 11), (1, 1, 5), (1, 5, 1)], ids=str)
def test_singular_values_come_near_one_and_directions_stay(
    shape: tuple[int, ...], half: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimisers, "multiplies_bfloat16", lambda _: half)
    given = drawn(*shape)
    found = orthogonal(given)
    assert (found.shape, found.dtype) == (given.shape, torch.float32)
    u_NRX, s_NX, vt_NXC = torch.linalg.svd(given, full_matrices=False)
    # uᵀ·found·v is diagonal where the directions stayed
    turned = u_NRX.transpose(1, 2) @ found @ vt_NXC.transpose(1, 2)
    reached = turned.diagonal(dim1=1, dim2=2)
    large = s_NX / given.norm(dim=(1, 2))[:, None] > LEAST
    assert large.float().mean() > 0.8
    assert (reached[large] > (0.68 if half else 0.834)).all()
    assert (reached < (1.2 if half else 1.166)).all()
    off = turned - torch.diag_embed(reached)
    assert off.abs().max() < (0.04 if half else 1e-4)


@pytest.mark.parametrize("rank", [1, 2, 3, 5, 17])
@pytest.mark.parametrize("half", [True, False])
def test_matrices_of_few_directions_are_no_trouble(rank: int, half: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # with one direction the singular value is the norm, 1, where the polynomials are steep and rounding could make more
    monkeypatch.setattr(optimisers, "multiplies_bfloat16", lambda _: half)
    found = orthogonal(drawn(7, 61, rank) @ drawn(7, rank, 43, seed=5))
    largest = torch.linalg.matrix_norm(found, 2)
    assert largest.max() < 1.25
    assert largest.min() > 0.75


def test_no_gradient_is_no_step() -> None:
    assert orthogonal(torch.zeros(2, 3, 5)).abs().max() == 0


def test_one_matrix_is_changed_as_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimisers, "multiplies_bfloat16", lambda _: False)
    given = drawn(3, 7, 13)
    for one, alone in zip(orthogonal(given), given, strict=True):
        torch.testing.assert_close(one, orthogonal(alone[None])[0], atol=1e-5, rtol=0)


def test_steps_of_muon_by_its_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        optimisers, "multiplies_bfloat16", lambda _: False
    )  # whose rounding differs from shape to shape
    rate, decay, momentum = 0.1, 0.5, 0.95
    wide, tall, gates = (nn.Parameter(drawn(*shape)) for shape in ((5, 11), (13, 3), (4 * 7, 3)))
    rule = Muon([(wide, 1), (tall, 1), (gates, 4)], learning_rate=rate, weight_decay=decay)
    expected = [weight.detach().clone() for weight in (wide, tall, gates)]
    remembered = [torch.zeros_like(weight) for weight in expected]
    for step in range(3):
        for number, (weight, parts) in enumerate(((wide, 1), (tall, 1), (gates, 4))):
            weight.grad = drawn(*weight.shape, seed=100 * step + number)
            remembered[number] = momentum * remembered[number] + weight.grad
            direction = weight.grad + momentum * remembered[number]
            for part in range(parts):
                rows = slice(part * len(weight) // parts, (part + 1) * len(weight) // parts)
                turned = orthogonal(direction[rows][None])[0]
                scale = 0.2 * max(turned.shape) ** 0.5
                kept = (1 - rate * decay) * expected[number][rows]
                expected[number][rows] = kept - rate * scale * turned
        rule.step()
    for weight, wanted in zip((wide, tall, gates), expected, strict=True):
        torch.testing.assert_close(weight.detach(), wanted, atol=1e-4, rtol=1e-3)


def test_a_step_of_muon_is_as_large_as_adamw_s() -> None:
    weight = nn.Parameter(torch.zeros(31, 17))
    rule = Muon([(weight, 1)], learning_rate=1.0, weight_decay=0.0)
    weight.grad = drawn(31, 17)
    rule.step()
    # 0.2·√31 times an orthogonal matrix, whose 17 singular values 1 make a root mean square of √(17 / (31·17))
    assert weight.detach().square().mean().sqrt() == pytest.approx(0.2, rel=0.15)


# -- tables ------------------------------------------------------------------------------------------------------------


def slow_rows(table: np.ndarray[Any, Any], squares: np.ndarray[Any, Any], reads: Any, rate: float) -> None:
    """Row-wise Adagrad, row by row and number by number; ``reads`` are (row, gradient), rows maybe twice."""
    sums: dict[int, np.ndarray[Any, Any]] = {}
    for row, gradient in reads:
        sums[row] = sums.get(row, np.zeros(table.shape[1])) + gradient
    for row, gradient in sums.items():
        squares[row] += sum(number * number for number in gradient) / table.shape[1]
        for column, number in enumerate(gradient):
            table[row, column] -= rate * number / (np.sqrt(squares[row]) + 1e-8)


@pytest.mark.parametrize("sparse", [True, False])
def test_rows_that_were_read_are_changed_by_the_definition(sparse: bool) -> None:
    rows, width, rate = 23, 5, 0.07
    table = nn.Parameter(drawn(rows, width))
    expected, squares = table.detach().double().numpy().copy(), np.zeros(rows)
    rule = TableRows([table], learning_rate=rate / 7, times=7)
    dice = np.random.default_rng(11)
    for step in range(5):
        indices = torch.from_numpy(dice.integers(0, rows, 13))
        indices[7] = indices[2]  # one row twice at least
        values = drawn(13, width, seed=step)
        values[0] = 0  # read, but nothing is to be learnt
        reads = torch.sparse_coo_tensor(indices[None], values, (rows, width), check_invariants=True)
        table.grad = reads if sparse else reads.to_dense()
        before = table.detach().clone()
        rule.step()
        slow_rows(expected, squares, zip(indices.tolist(), values.double().numpy(), strict=True), rate)
        untouched = sorted(set(range(rows)) - set(indices.tolist()))
        assert untouched
        assert torch.equal(table[untouched], before[untouched])
    np.testing.assert_allclose(table.detach().numpy(), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(rule.state[table]["squares"][:, 0].numpy(), squares, rtol=1e-4)


def test_nothing_of_the_table_s_size_is_made_for_a_step() -> None:
    table = nn.Parameter(torch.zeros(500_000, 64))  # 128 MB
    rule = TableRows([table], learning_rate=0.1)
    for _ in range(2):
        table.grad = torch.sparse_coo_tensor(
            torch.tensor([[3, 499_999]]), torch.ones(2, 64), table.shape, check_invariants=False
        )
        with torch.profiler.profile(profile_memory=True, acc_events=True) as profile:
            clip_norm([table], 1.0)
            rule.step()
    assert sum(max(0, event.cpu_memory_usage) for event in profile.events()) < 1_000_000
    assert int(table.detach().any(1).sum()) == 2


# -- clipping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0.5, 1e6, float("inf")])
def test_clipping_is_torch_s(limit: float) -> None:
    ours, theirs = ([nn.Parameter(drawn(7, 3)), nn.Parameter(drawn(11)), nn.Parameter(drawn(2))] for _ in range(2))
    for one in (ours, theirs):
        one[0].grad, one[1].grad = drawn(7, 3, seed=1), drawn(11, seed=2)
    assert clip_norm(ours, limit) == torch.nn.utils.clip_grad_norm_(theirs, limit)
    for mine, other in zip(ours[:2], theirs[:2], strict=True):
        assert mine.grad is not None
        assert other.grad is not None
        assert torch.equal(mine.grad, other.grad)


def test_sparse_gradients_are_clipped_as_the_dense_ones_they_stand_for() -> None:
    table, other = nn.Parameter(torch.zeros(13, 3)), nn.Parameter(torch.zeros(5))
    rows, values = torch.tensor([[2, 7, 2]]), drawn(3, 3)
    table.grad = torch.sparse_coo_tensor(rows, values, table.shape, check_invariants=True)
    other.grad = drawn(5, seed=9)
    dense = [nn.Parameter(torch.zeros(13, 3)), nn.Parameter(torch.zeros(5))]
    dense[0].grad, dense[1].grad = table.grad.to_dense(), other.grad.clone()
    assert clip_norm([table, other], 0.3) == pytest.approx(float(torch.nn.utils.clip_grad_norm_(dense, 0.3)))
    torch.testing.assert_close(table.grad.to_dense(), dense[0].grad)
    torch.testing.assert_close(other.grad, dense[1].grad)


def test_without_gradients_nothing_has_a_length() -> None:
    assert clip_norm([nn.Parameter(torch.ones(3))], 1.0) == 0


# -- which weight is changed by what -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "keys"), [("decoder", DECODER), ("recurrent", LSTM), ("decoder", DECODER | TABLED)], ids=str
)
@pytest.mark.parametrize("rule", ["adamw", "muon"])
def test_every_trained_weight_has_one_rule(family: str, keys: dict[str, Any], rule: Any) -> None:
    net = network(family, **keys)
    next(iter(net.parameters())).requires_grad = False
    parts = parted(net, rule)
    found = [*parts.rest, *(matrix for matrix, _ in parts.blocks), *parts.tables]
    assert len({id(one) for one in found}) == len(found)
    assert {id(one) for one in found} == {id(one) for one in net.parameters() if one.requires_grad}
    assert bool(parts.blocks) == (rule == "muon")
    assert bool(parts.tables) == ("ngram_orders" in keys)


def test_muon_is_for_matrices_between_layers() -> None:
    net = network("decoder", **DECODER, tied=False)
    names = {id(weight): name for name, weight in net.named_parameters()}
    ends = {names[id(matrix)].rpartition("layers.")[2][2:] for matrix, held in matrices(net) if held == 1}
    assert ends == {f"self_attn.{one}_proj.weight" for one in "qkvo"} | {
        f"mlp.{one}_proj.weight" for one in ("gate", "up", "down")
    }
    gates = {held for _, held in matrices(network("recurrent", **LSTM))}
    assert gates == {4}


def test_rates_of_all_rules_follow_the_schedule() -> None:
    rates = {"learning_rate": 0.5, "weight_decay": 0.0, "betas": (0.9, 0.95)}
    made = optimiser(network("decoder", **DECODER, **TABLED), "muon", **rates, table_rate=3.0)  # type: ignore[arg-type]
    made.set_learning_rate(0.25)
    assert [group["lr"] for rule in made.rules for group in rule.param_groups] == [0.25] * 4
    assert made.rules[-1].param_groups[0]["times"] == 3.0


def test_a_rate_of_tables_that_are_not_there_is_refused() -> None:
    rates = {"learning_rate": 0.5, "weight_decay": 0.0, "betas": (0.9, 0.95)}
    with pytest.raises(UsageError, match=r"table_rate: there are no tables; set model\.ngram_orders too"):
        optimiser(network("decoder", **DECODER), "muon", **rates, table_rate=3.0)  # type: ignore[arg-type]


# -- checkpoints -------------------------------------------------------------------------------------------------------


def interrupted(event: Any) -> None:
    if event["event"] == "checkpoint":
        raise InterruptedRunError("here")


@pytest.mark.parametrize(("first", "then"), [("adamw", "muon"), ("muon", "adamw")])
def test_a_run_does_not_go_on_with_another_optimiser(first: str, then: str, tmp_path: Any) -> None:
    keys: dict[str, Any] = {"steps": 7, "checkpoint_steps": 2}
    with pytest.raises(InterruptedRunError):
        fit(job("decoder", tmp_path, listener=interrupted, optimiser=first, **keys))
    with pytest.raises(DamagedError, match="a checkpoint of another model or recipe"):
        fit(job("decoder", tmp_path, optimiser=then, **keys))


def test_without_a_limit_no_gradient_is_changed_however_long() -> None:
    weight = nn.Parameter(torch.zeros(3))
    weight.grad = torch.tensor([1e30, 1e30, 1.0])
    clip_norm([weight], float("inf"))
    assert torch.equal(weight.grad, torch.tensor([1e30, 1e30, 1.0]))
