"""Copying from a source, by hand: where what is looked at goes, and how it is mixed with what is generated."""

import math

import pytest
import torch

from ziggurat.models.blocks.copying import copied, mixed_logprobs


def test_what_is_looked_at_goes_to_its_id_wherever_that_stands() -> None:
    # the source 4 2 4: 4 stands twice and gets 0.5 + 0.2, 2 gets 0.3; the second step looks at the middle alone
    weights = torch.tensor([[[0.5, 0.3, 0.2], [0.0, 1.0, 0.0]]])
    found = copied(weights, torch.tensor([[4, 2, 4]]), 5)
    torch.testing.assert_close(found, torch.tensor([[[0.0, 0.0, 0.3, 0.0, 0.7], [0.0, 0.0, 1.0, 0.0, 0.0]]]))


def test_rows_copy_from_their_own_source() -> None:
    weights = torch.full((2, 1, 2), 0.5)
    found = copied(weights, torch.tensor([[0, 1], [2, 2]]), 3)
    assert found[:, 0].tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_the_mixture_by_hand() -> None:
    # gate ln 3: p_gen = 3/4. Logits 0, ln 2, 0: generated 1/4, 1/2, 1/4. Copied 0, 2/5, 3/5.
    # 3/4·1/4 + 0 = 0.1875; 3/4·1/2 + 1/4·2/5 = 0.475; 3/4·1/4 + 1/4·3/5 = 0.3375
    logits, gate = torch.tensor([0.0, math.log(2), 0.0]), torch.tensor([math.log(3)])
    found = mixed_logprobs(logits, gate, torch.tensor([0.0, 0.4, 0.6])).exp()
    torch.testing.assert_close(found, torch.tensor([0.1875, 0.475, 0.3375]))


@pytest.mark.parametrize("gate", [-60.0, -3.0, 0.0, 3.0, 60.0])
def test_probabilities_sum_to_one_whatever_the_gate(gate: float) -> None:
    dice = torch.Generator().manual_seed(5)
    logits = 9 * torch.randn(7, 13, generator=dice)
    copies = copied(torch.randn(1, 7, 4, generator=dice).softmax(-1), torch.tensor([[11, 3, 3, 0]]), 13)[0]
    found = mixed_logprobs(logits, torch.full((7, 1), gate), copies)
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(7))
    assert torch.isfinite(found).all()


def test_a_shut_gate_writes_only_what_stands_in_the_source() -> None:
    copies = torch.tensor([0.0, 0.25, 0.75])
    found = mixed_logprobs(torch.tensor([50.0, 0.0, 0.0]), torch.tensor([-200.0]), copies).exp()
    torch.testing.assert_close(found, copies)


def test_gradients_are_finite_where_nothing_is_copied() -> None:
    logits = torch.tensor([[900.0, -900.0, 0.0]], requires_grad=True)
    gate = torch.zeros(1, 1, requires_grad=True)
    weights = torch.tensor([[[1.0, 0.0]]], requires_grad=True)
    mixed_logprobs(logits, gate, copied(weights, torch.tensor([[0, 2]]), 3)[0])[0, 1].backward()
    for tensor in (logits, gate, weights):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
