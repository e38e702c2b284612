"""The linear-chain CRF at its edges: padding, batches, masks, precision, and what it refuses."""

import math

import pytest
import torch

from tests.fakes.crf import END, FOLLOW, LENGTHS, START, B, L, T, layer, random
from ziggurat.core.errors import UsageError
from ziggurat.core.schemes import keep_masks, may_follow, misfit
from ziggurat.models.blocks.crf import LinearChainCRF


@pytest.mark.parametrize("masked", [False, True])
def test_padding_changes_nothing(masked: bool) -> None:
    crf, clean = layer(masked=masked), random(B, T, L)
    gold = crf.decode(clean, LENGTHS)[0]
    results = []
    for rubbish, label in ((0.0, -1), (math.nan, 99), (math.inf, -100), (-1e30, 1)):
        inside = torch.arange(T) < LENGTHS[:, None]
        emissions = clean.masked_fill(~inside[..., None], rubbish).requires_grad_()
        labels = gold.masked_fill(~inside, label)
        logprobs = crf.log_likelihood(emissions, labels, LENGTHS)
        gradients = torch.autograd.grad(logprobs.sum(), (emissions, crf.transitions, crf.start, crf.end))
        assert (gradients[0][~inside] == 0).all()
        results.append((logprobs, *gradients, crf.marginals(emissions, LENGTHS), *crf.decode(emissions, LENGTHS)))
    for result in results[1:]:
        for first, other in zip(results[0], result, strict=True):
            assert torch.equal(first, other)


@pytest.mark.parametrize("masked", [False, True])
def test_a_row_is_the_same_alone_as_in_a_batch(masked: bool) -> None:
    crf, emissions = layer(masked=masked), random(B, T, L)
    labels, best = crf.decode(emissions, LENGTHS)
    together = crf.log_likelihood(emissions, labels, LENGTHS)
    marginals = crf.marginals(emissions, LENGTHS)
    for row in range(B):
        length = int(LENGTHS[row])
        own, own_length = emissions[row : row + 1, :length], LENGTHS[row : row + 1]
        torch.testing.assert_close(
            crf.log_likelihood(own, labels[row : row + 1, :length], own_length)[0], together[row]
        )
        torch.testing.assert_close(crf.marginals(own, own_length)[0], marginals[row, :length])
        own_labels, own_best = crf.decode(own, own_length)
        assert own_labels[0].tolist() == labels[row, :length].tolist()
        torch.testing.assert_close(own_best[0], best[row])


def test_an_empty_row_has_one_labelling_the_empty_one() -> None:
    crf, emissions = layer(masked=True), random(2, 3, L).requires_grad_()
    lengths = torch.tensor([0, 3])
    labels, best = crf.decode(emissions, lengths)
    assert labels[0].tolist() == [-1, -1, -1]
    assert best[0].item() == 0
    logprobs = crf.log_likelihood(emissions, labels, lengths)
    assert logprobs[0].item() == 0
    logprobs.sum().backward()
    assert emissions.grad is not None
    assert (emissions.grad[0] == 0).all()
    assert (emissions.grad[1] != 0).any()
    assert (crf.marginals(emissions, lengths)[0] == 0).all()
    # And it takes no part in what start and end learn.
    alone = layer(masked=True)
    alone.log_likelihood(emissions[1:].detach(), labels[1:], lengths[1:]).sum().backward()
    torch.testing.assert_close(alone.start.grad, crf.start.grad)
    torch.testing.assert_close(alone.end.grad, crf.end.grad)


def test_what_may_not_be_learns_nothing() -> None:
    crf, emissions = layer(masked=True), random(B, T, L)
    labels = crf.decode(random(B, T, L, seed=17), LENGTHS)[0]
    crf.log_likelihood(emissions, labels, LENGTHS).sum().backward()
    for weight, mask in ((crf.transitions, FOLLOW), (crf.start, START), (crf.end, END)):
        assert weight.grad is not None
        assert (weight.grad[~mask] == 0).all()
        assert (weight.grad[mask] != 0).all()


def test_training_learns_transitions_that_emissions_do_not_say() -> None:
    # Labels alternate 0 1 0 1 …; emissions are zero, so only A, start and end can tell.
    crf, emissions, lengths = LinearChainCRF(2), torch.zeros(2, 4, 2), torch.tensor([4, 2])
    labels = torch.tensor([[0, 1, 0, 1], [0, 1, -1, -1]])
    optimiser = torch.optim.SGD(crf.parameters(), lr=0.5)
    for _ in range(50):
        optimiser.zero_grad()
        (-crf.log_likelihood(emissions, labels, lengths).mean()).backward()
        optimiser.step()
    found, logprobs = crf.decode(emissions, lengths)
    assert found.tolist() == labels.tolist()
    assert logprobs.exp().min().item() > 0.8


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_low_precision_and_autocast_change_emissions_only(dtype: torch.dtype) -> None:
    crf = layer().float()
    emissions = random(B, T, L).to(dtype)
    labels = crf.decode(emissions.float(), LENGTHS)[0]
    exact = crf.log_likelihood(emissions.float(), labels, LENGTHS)
    given = emissions.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = crf.log_likelihood(given, labels, LENGTHS)
        marginals = crf.marginals(given, LENGTHS)
    assert found.dtype == marginals.dtype == torch.float32
    assert torch.equal(found, exact)
    assert torch.equal(marginals, crf.marginals(emissions.float(), LENGTHS))
    found.sum().backward()
    assert given.grad is not None
    assert given.grad.dtype == dtype


def test_gold_labels_that_may_not_be_are_named() -> None:
    crf, emissions, lengths = layer(masked=True), random(2, 3, L), torch.tensor([2, 3])
    good = [[0, 2, 0], [2, 1, 1]]
    with pytest.raises(UsageError, match="row 0, position 1: label 2 may not end a sequence"):
        crf.log_likelihood(emissions, torch.tensor(good), lengths)
    good[0][1] = 0
    assert crf.log_likelihood(emissions, torch.tensor(good), lengths).isfinite().all()
    for row, labels, message in (
        (1, [0, 1, 1], "row 1, position 1: label 1 may not follow label 0"),
        (1, [1, 1, 1], "row 1, position 0: label 1 may not start a sequence"),
        (1, [2, 3, 1], "row 1, position 1: label 3 is none of 0 to 2"),
        (1, [2, 1, -1], "row 1, position 2: label -1 is none of 0 to 2"),
    ):
        wrong = [*good[:row], labels]
        with pytest.raises(UsageError, match=message):
            crf.log_likelihood(emissions, torch.tensor(wrong), lengths)


def test_a_row_of_which_nothing_may_be_said_is_named() -> None:
    # Only label 2 may start (the mask of starts), and it may not end: no labelling of one position.
    crf = LinearChainCRF(L, start_keep_mask=torch.tensor([False, False, True]), end_keep_mask=END)
    emissions, lengths = random(2, 3, L), torch.tensor([3, 1])
    keep_mask = torch.ones(2, 3, L, dtype=torch.bool)
    for said in (crf.decode, crf.marginals, lambda scores, sizes: crf.logprob_within(scores, sizes, keep_mask)):
        with pytest.raises(UsageError, match="row 1: the masks allow no labelling of 1 positions"):
            said(emissions, lengths)
    nothing = LinearChainCRF(L, keep_mask=torch.zeros(L, L, dtype=torch.bool))
    with pytest.raises(UsageError, match="row 0: the masks allow no labelling of 3 positions"):
        nothing.decode(emissions, lengths)
    torch.testing.assert_close(nothing.marginals(emissions[1:], lengths[1:])[0, 0], emissions[1, 0].softmax(0))
    emissions[1, 0, 0] = math.nan
    with pytest.raises(UsageError, match="row 1: its emissions are not finite"):
        LinearChainCRF(L).marginals(emissions, lengths)


def test_shapes_that_do_not_fit_are_named() -> None:
    crf, emissions, lengths = layer(), random(2, 3, L), torch.tensor([3, 2])
    labels = torch.zeros(2, 3, dtype=torch.long)
    for call, message in (
        (lambda: crf.decode(emissions[0], lengths), "emissions have shape"),
        (lambda: crf.decode(random(2, 3, 2), lengths), r"expected \(B, T, 3\)"),
        (lambda: crf.decode(emissions[:, :0], lengths), "emissions have shape"),
        (lambda: crf.marginals(emissions, lengths[:1]), "lengths have shape"),
        (lambda: crf.marginals(emissions, torch.tensor([4, 1])), "expected 0 to 3"),
        (lambda: crf.marginals(emissions, torch.tensor([-1, 1])), "expected 0 to 3"),
        (lambda: crf.log_likelihood(emissions, labels[:, :2], lengths), "labels have shape"),
        (lambda: crf.logprob_within(emissions, lengths, labels.bool()), "keep_mask has shape"),
        (lambda: crf.span_logprob(emissions, lengths, 0, 0, 2, [1]), "1 labels for the 2 positions"),
        (lambda: crf.span_logprob(emissions, lengths, 1, 1, 3, [1, 1]), "row 1, position 1"),
        (lambda: crf.span_logprob(emissions, lengths, 2, 0, 1, [1]), "row 2"),
        (lambda: crf.span_logprob(emissions, lengths, 0, 0, 0, []), "no such span"),
        (lambda: crf.span_logprob(emissions, lengths, 0, 0, 1, [3]), r"labels \[3\]"),
        (lambda: LinearChainCRF(0), "at least one label"),
        (lambda: LinearChainCRF(3, keep_mask=START), r"keep_mask has shape \(3,\), expected \(3, 3\)"),
    ):
        with pytest.raises(UsageError, match=message):
            call()
    assert crf.span_logprobs(emissions, lengths, []).tolist() == []


def test_masks_are_no_weights_but_move_with_them() -> None:
    crf = layer(masked=True)
    assert set(crf.state_dict()) == {"transitions", "start", "end"}
    assert crf.to("meta").keep_mask.device.type == "meta"


@pytest.mark.parametrize("scheme", ["IOB1", "BIO", "BIOES", "BMES"])
def test_what_it_says_keeps_to_a_scheme_whatever_the_emissions(scheme) -> None:
    letters = {"IOB1": "BI", "BIO": "BI", "BIOES": "BIES", "BMES": "BMES"}[scheme]
    names = ["O", *(f"{letter}-{kind}" for kind in ("PER", "LOC") for letter in letters)]
    follow, start, end = keep_masks(names, scheme)
    crf = LinearChainCRF(len(names), keep_mask=follow, start_keep_mask=start, end_keep_mask=end)
    emissions, lengths = random(11, 7, len(names), scale=5), torch.tensor([7, 1, 2, 5, 3, 6, 4, 7, 7, 1, 1])
    labels, _ = crf.decode(emissions, lengths)
    marginals = crf.marginals(emissions, lengths)
    for row, length in zip(labels.tolist(), lengths.tolist(), strict=True):
        assert misfit([names[label] for label in row[:length]], scheme) is None
    barred = torch.tensor([not may_follow(None, name, scheme) for name in names])
    assert (marginals[:, 0][:, barred] == 0).all()
