"""Dropout number by number: how many go, what becomes of the rest, and that the seed decides."""

import pytest
import torch

from ziggurat.models.blocks.dropout import LEVELS, drop


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("part", [0.1, 0.3, 0.5])
def test_a_part_is_dropped_and_the_rest_made_up_for_it(part: float, dtype: torch.dtype) -> None:
    torch.manual_seed(3)
    x = torch.ones(101, 103, 7, dtype=dtype)
    found = drop(x, part, training=True)
    below = round(part * LEVELS)
    assert found.shape == x.shape
    assert found.dtype == dtype
    assert set(found.unique().tolist()) == {0.0, torch.tensor(LEVELS / (LEVELS - below), dtype=dtype).item()}
    # 72,821 numbers: the part that went is within four standard deviations
    gone = (found == 0).double().mean().item()
    assert abs(gone - below / LEVELS) < 4 * (below / LEVELS * (1 - below / LEVELS) / x.numel()) ** 0.5


def test_neighbours_go_independently() -> None:
    torch.manual_seed(5)
    gone = drop(torch.ones(200_003), 0.5, training=True) == 0
    for apart in (1, 2, 7, 8):
        both = (gone[apart:] & gone[:-apart]).double().mean().item()
        assert both == pytest.approx(0.25, abs=0.005)


def test_gradients_go_where_numbers_stayed() -> None:
    torch.manual_seed(7)
    x = torch.ones(31, 13, requires_grad=True)
    found = drop(x, 0.25, training=True)
    found.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, found.detach())


def test_the_seed_decides_and_nothing_is_dropped_where_nothing_is_learnt() -> None:
    x = torch.ones(17, 19)
    torch.manual_seed(11)
    one = drop(x, 0.3, training=True)
    torch.manual_seed(11)
    assert torch.equal(drop(x, 0.3, training=True), one)
    assert drop(x, 0.3, training=False) is x
    assert drop(x, 0.0, training=True) is x


@pytest.mark.parametrize("part", [0.001, 0.999])
def test_what_no_byte_can_say_is_dropped_all_the_same(part: float) -> None:
    torch.manual_seed(13)
    gone = (drop(torch.ones(100_003), part, training=True) == 0).double().mean().item()
    assert gone == pytest.approx(part, abs=0.001)
