"""What optimisers remember: it goes through files by name, and another optimiser's is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.fakes.jobs import VOCABULARY
from ziggurat.models.registry import FAMILIES
from ziggurat.training import torchrun as processes
from ziggurat.training.loop.held import arrays, tensors
from ziggurat.training.optimisers import Optimiser, adamw, matrices, optimiser

RATES: dict[str, Any] = {"learning_rate": 1e-2, "weight_decay": 0.1, "betas": (0.9, 0.95)}


def network(family: str, *, seed: int = 3) -> Any:
    chosen: Any = FAMILIES.get(family)
    return chosen.build(chosen.sized(1000), VOCABULARY, seed=seed).network.train()


def stepped(net: Any, made: Optimiser, steps: int, *, seed: int = 0) -> None:
    """Steps whose gradients are drawn."""
    dice = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for weight in net.parameters():
            weight.grad = torch.randn(weight.shape, generator=dice)
        made.step()


@pytest.mark.parametrize("rule", ["adamw", "muon"])
@pytest.mark.parametrize("family", ["decoder", "recurrent", "counted_decoder", "encoder"])
def test_what_is_held_goes_through_arrays_and_back(family: str, rule: Any) -> None:
    net, other = network(family), network(family)
    made, again = optimiser(net, rule, **RATES), optimiser(other, rule, **RATES)
    stepped(net, made, 3)
    other.load_state_dict(net.state_dict())
    kept = {name: value.copy() for name, value in arrays(dict(made.held())).items()}  # as a file holds them
    assert all(isinstance(value, np.ndarray) for value in kept.values())
    # files know no number without an axis
    again.take(tensors({name: value.reshape(1) if value.ndim == 0 else value for name, value in kept.items()}))
    for one, its in ((net, made), (other, again)):
        stepped(one, its, 2, seed=7)
    for (name, one), two in zip(net.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two), name


def test_it_is_put_where_its_parameter_is() -> None:
    net = network("decoder")
    made = optimiser(net, "muon", **RATES)
    stepped(net, made, 1)
    seen: list[tuple[torch.Size, torch.Size]] = []

    def placed(value: Tensor, parameter: Tensor) -> Tensor:
        seen.append((value.shape, parameter.shape))
        return value

    kept = {name: value.clone() for name, value in made.held()}
    made.take(kept, placed)
    assert len(seen) == len(kept)
    assert all(value in (parameter, torch.Size([])) for value, parameter in seen)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda kept: kept.update({"2.0.momentum": torch.ones(3)}), KeyError),
        (lambda kept: kept.update({"0.999.exp_avg": torch.ones(3)}), ValueError),
        (lambda kept: kept.update({"0.0.exp_avg": torch.ones(2, 3, 5)}), ValueError),
        (lambda kept: kept.update({"0.first.exp_avg": torch.ones(3)}), ValueError),
        (lambda kept: kept.update({"exp_avg": torch.ones(3)}), ValueError),
    ],
)
def test_another_optimiser_s_is_refused(change: Any, error: type[Exception]) -> None:
    net = network("decoder")
    made = optimiser(net, "muon", **RATES)
    stepped(net, made, 1)
    kept = {name: value.clone() for name, value in made.held()}
    change(kept)
    with pytest.raises(error):
        made.take(kept)


def test_of_a_network_on_counts_the_blocks_alone_are_muon_s() -> None:
    net = network("counted_decoder")
    chosen = {id(matrix) for matrix, _ in matrices(net)}
    names = {name for name, weight in net.named_parameters() if id(weight) in chosen}
    assert names
    assert all(name.startswith("network.stack.layers.") and name.endswith("_proj.weight") for name in names)
    left = {name for name, _ in net.named_parameters()} - names
    assert {"trust.weight", "trust.bias", "expected.weight", "network.embed_tokens.weight"} <= left


def test_gains_and_biases_do_not_decay() -> None:
    matrix, gain = nn.Parameter(torch.ones(3, 5)), nn.Parameter(torch.ones(7))
    rule = adamw([matrix, gain], learning_rate=0.5, weight_decay=0.25, betas=(0.9, 0.95))
    matrix.grad, gain.grad = torch.zeros(3, 5), torch.zeros(7)
    rule.step()
    # 1 − 0.5 · 0.25, there being nothing to learn
    assert matrix.detach().unique().tolist() == [0.875]
    assert gain.detach().unique().tolist() == [1.0]


def test_what_is_frozen_has_no_memory() -> None:
    net = network("decoder")
    for name, weight in net.named_parameters():
        weight.requires_grad = name == "embed_tokens.weight"
    made = optimiser(net, "muon", **RATES)
    assert len(made.rules) == 1  # there is no matrix that Muon would change
    stepped(net, made, 1)
    assert {name for name, _ in made.held()} == {"0.0.step", "0.0.exp_avg", "0.0.exp_avg_sq"}


# -- gradients that are sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [
        ([3, 3, 3], 24, [[3, 3], [3]]),  # 12 bytes each
        ([7, 1, 1], 24, [[7], [1, 1]]),  # one that is too large goes alone
        ([1, 7, 1], 24, [[1], [7], [1]]),
        ([6, 1], 24, [[6], [1]]),
        ([], 24, []),
    ],
)
def test_gradients_are_summed_in_blocks(
    sizes: list[int], limit: int, expected: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "BLOCK_BYTES", limit)
    blocks = list(processes._blocks([torch.zeros(size) for size in sizes]))
    assert [[len(tensor) for tensor in block] for block in blocks] == expected


def test_a_block_is_of_one_kind_of_numbers() -> None:
    kinds = [torch.float32, torch.float32, torch.float64, torch.float32]
    blocks = processes._blocks([torch.zeros(2, dtype=kind) for kind in kinds])
    assert [[tensor.dtype for tensor in block] for block in blocks] == [kinds[:2], kinds[2:3], kinds[3:]]
