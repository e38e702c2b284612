"""The linear-chain CRF by hand, and against the list of all labellings: 3^7 = 2187 of the longest row."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.fakes.crf import LENGTHS, B, L, T, layer, random
from ziggurat.models.blocks import path_sums
from ziggurat.models.blocks.crf import LinearChainCRF


def allowed(crf: LinearChainCRF, path: tuple[int, ...]) -> bool:
    steps = all(crf.keep_mask[a, b] for a, b in itertools.pairwise(path))
    return bool(crf.start_keep_mask[path[0]] and crf.end_keep_mask[path[-1]]) and steps


def listed(crf: LinearChainCRF, emissions_TL: Tensor, length: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield every labelling that may be, with its score: the definition."""
    for path in itertools.product(range(len(crf.start)), repeat=length):
        if allowed(crf, path):
            score = crf.start[path[0]] + crf.end[path[-1]] + sum(emissions_TL[t, y] for t, y in enumerate(path))
            yield path, float(score + sum(crf.transitions[a, b] for a, b in itertools.pairwise(path)))


def probabilities(crf: LinearChainCRF, emissions_TL: Tensor, length: int) -> dict[tuple[int, ...], float]:
    with torch.no_grad():
        scores = dict(listed(crf, emissions_TL, length))
    best = max(scores.values())
    total = math.fsum(math.exp(score - best) for score in scores.values())
    return {path: math.exp(score - best) / total for path, score in scores.items()}


@pytest.fixture(scope="module", params=[False, True], ids=["free", "masked"])
def case(request: pytest.FixtureRequest) -> tuple[LinearChainCRF, Tensor, list[dict[tuple[int, ...], float]]]:
    crf, emissions = layer(masked=request.param), random(B, T, L)
    every = [probabilities(crf, row, int(length)) for row, length in zip(emissions, LENGTHS, strict=True)]
    return crf, emissions, every


def test_two_positions_by_hand() -> None:
    # Scores e: (ln 2, 0), (0, ln 3); A: 0 → 1 is ln 5, else 0. Products: 00: 2·1 = 2, 01: 2·5·3 = 30, 10: 1, 11: 3.
    # Sum 36: p(01) = 30/36; the marginal of label 0 at position 0 is 32/36, of label 1 at position 1 33/36.
    crf = LinearChainCRF(2)
    with torch.no_grad():
        crf.transitions[0, 1] = math.log(5)
    emissions, lengths = torch.tensor([[[math.log(2), 0.0], [0.0, math.log(3)]]]), torch.tensor([2])
    found = crf.log_likelihood(emissions, torch.tensor([[0, 1]]), lengths)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(math.log(30 / 36))
    torch.testing.assert_close(
        crf.marginals(emissions, lengths), torch.tensor([[[32 / 36, 4 / 36], [3 / 36, 33 / 36]]])
    )
    labels, logprob = crf.decode(emissions, lengths)
    assert labels.tolist() == [[0, 1]]
    assert logprob.item() == pytest.approx(math.log(30 / 36))
    # The start forbids label 0: 10 and 11 remain, 1 and 3 of 4.
    crf = LinearChainCRF(2, start_keep_mask=np.array([False, True]))
    torch.testing.assert_close(crf.marginals(emissions, lengths), torch.tensor([[[0, 1.0], [1 / 4, 3 / 4]]]))


def test_every_labelling_has_its_probability(case) -> None:
    crf, emissions, every = case
    for row, known in enumerate(every):
        length = int(LENGTHS[row])
        paths = torch.tensor(list(known))
        got = crf.log_likelihood(
            emissions[row, :length].expand(len(paths), -1, -1), paths, LENGTHS[row].expand(len(paths))
        )
        torch.testing.assert_close(got.exp(), torch.tensor(list(known.values()), dtype=torch.float64))


@pytest.mark.parametrize("beta", [0.33, 1.0, 1.25])
def test_scores_that_are_sharper_raise_all_probabilities_to_that_power(case, beta: float) -> None:
    crf, emissions, every = case
    for row, known in enumerate(every):
        length = int(LENGTHS[row])
        paths = torch.tensor(list(known))
        rows = emissions[row, :length].expand(len(paths), -1, -1)
        got = crf.log_likelihood(rows, paths, LENGTHS[row].expand(len(paths)), sharpness=beta)
        raised = torch.tensor(list(known.values()), dtype=torch.float64) ** beta
        torch.testing.assert_close(got.exp(), raised / raised.sum())


def test_decoding_finds_the_most_probable_labelling(case) -> None:
    crf, emissions, every = case
    labels, logprobs = crf.decode(emissions, LENGTHS)
    for row, known in enumerate(every):
        length = int(LENGTHS[row])
        best = max(known, key=known.__getitem__)
        assert labels[row].tolist() == [*best, *[-1] * (T - length)]
        assert logprobs[row].item() == pytest.approx(math.log(known[best]))
    # The same as the likelihood of what it says.
    torch.testing.assert_close(crf.log_likelihood(emissions, labels, LENGTHS), logprobs)


def test_marginals_are_sums_over_labellings(case) -> None:
    crf, emissions, every = case
    found = crf.marginals(emissions, LENGTHS)
    expected = torch.zeros(B, T, L, dtype=torch.float64)
    for row, known in enumerate(every):
        for path, probability in known.items():
            for t, label in enumerate(path):
                expected[row, t, label] += probability
    torch.testing.assert_close(found, expected)
    inside = torch.arange(T) < LENGTHS[:, None]
    torch.testing.assert_close(found.sum(-1), inside.double())
    assert (found[expected == 0] == 0).all()  # hard zeros


def test_a_span_has_the_sum_of_the_labellings_that_have_it(case) -> None:
    crf, emissions, every = case
    spans = [(0, 2, [2, 1, 0]), (0, 0, [2]), (1, 0, [0]), (3, 3, [1, 1]), (4, 0, [2, 0, 0]), (2, 1, [1])]
    found = crf.span_logprobs(emissions, LENGTHS, spans)
    for (row, start, labels), logprob in zip(spans, found.tolist(), strict=True):
        stop = start + len(labels)
        mass = math.fsum(p for path, p in every[row].items() if path[start:stop] == tuple(labels))
        assert logprob == pytest.approx(math.log(mass))
        assert crf.span_logprob(emissions, LENGTHS, row, start, stop, labels) == pytest.approx(logprob)


def test_labels_known_in_part_have_the_sum_of_what_they_leave_open(case) -> None:
    crf, emissions, every = case
    keep_mask = torch.rand(B, T, L, generator=torch.Generator().manual_seed(13)) < 0.7
    keep_mask[..., 0] = True
    found = crf.logprob_within(emissions, LENGTHS, keep_mask)
    for row, known in enumerate(every):
        mass = math.fsum(p for path, p in known.items() if all(keep_mask[row, t, y] for t, y in enumerate(path)))
        assert found[row].item() == pytest.approx(math.log(mass))


def test_a_forbidden_span_has_probability_zero_and_no_broken_gradient() -> None:
    crf, emissions = layer(masked=True), random(B, T, L).requires_grad_()
    assert crf.span_logprob(emissions, LENGTHS, 0, 1, 3, [0, 1]) == -math.inf
    keep_mask = torch.ones(B, T, L, dtype=torch.bool)
    keep_mask[0, 1:3] = False
    keep_mask[0, 1, 0] = keep_mask[0, 2, 1] = True
    found = crf.logprob_within(emissions, LENGTHS, keep_mask)
    assert found.isneginf().tolist() == [True, False, False, False, False]
    found[1:].sum().backward()
    assert emissions.grad is not None
    assert emissions.grad.isfinite().all()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reach", [600.0, -1.0], ids=["scaled", "plain"])
def test_gradients_are_the_differences_of_values(masked: bool, reach: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # A range that every sum leaves makes the scan by log-sum-exp run.
    monkeypatch.setattr(path_sums, "RANGE", reach)
    crf = layer(masked=masked)
    labels = crf.decode(random(B, T, L, seed=17), LENGTHS)[0]
    keep_mask = torch.rand(B, T, L, generator=torch.Generator().manual_seed(13)) < 0.7
    keep_mask[..., 0] = True

    def value(emissions: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        named = dict(zip(("transitions", "start", "end"), weights, strict=True))
        return tuple(
            torch.func.functional_call(Called(crf, name), {f"crf.{k}": v for k, v in named.items()}, (emissions, given))
            for name, given in (("log_likelihood", labels), ("logprob_within", keep_mask))
        )

    weights = [weight.detach().clone().requires_grad_() for weight in (crf.transitions, crf.start, crf.end)]
    assert torch.autograd.gradcheck(value, (random(B, T, L).requires_grad_(), *weights))


class Called(torch.nn.Module):
    """One verb of a layer as a module's call, so that other weights can be put in."""

    def __init__(self, crf: LinearChainCRF, name: str) -> None:
        super().__init__()
        self.crf, self.name = crf, name

    def forward(self, emissions: Tensor, given: Tensor) -> Tensor:
        if self.name == "log_likelihood":
            return self.crf.log_likelihood(emissions, given, LENGTHS)
        return self.crf.logprob_within(emissions, LENGTHS, given)


def test_the_gradient_of_the_log_sum_is_the_marginals(case) -> None:
    crf, emissions, _ = case
    emissions = emissions.clone().requires_grad_()
    total = path_sums.log_total(emissions, LENGTHS, *crf._scores())
    (gradient,) = torch.autograd.grad(total.sum(), emissions)
    torch.testing.assert_close(gradient, crf.marginals(emissions, LENGTHS))
    # By automatic differentiation of the formula as well, which knows nothing of backward sums.
    plain = emissions.detach().clone().requires_grad_()
    transitions, start, end = (scores.detach() for scores in crf._scores())
    forward = start + plain[:, 0]
    ends = [forward]
    for t in range(1, T):
        forward = (forward[:, :, None] + transitions).clamp_min(-1e9).logsumexp(1) + plain[:, t]
        ends.append(forward)
    last = torch.stack(ends, 1)[torch.arange(B), LENGTHS - 1]
    (last + end).logsumexp(-1).sum().backward()
    torch.testing.assert_close(plain.grad, gradient)


def test_both_scans_agree_in_values_and_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    crf = layer(masked=True)
    found = []
    for reach in (600.0, -1.0):
        monkeypatch.setattr(path_sums, "RANGE", reach)
        emissions = random(B, T, L).requires_grad_()
        chain = path_sums.Chain.of(emissions.detach(), LENGTHS, *(scores.detach() for scores in crf._scores()))
        sums = path_sums.path_sums(chain, both=True)
        assert sums.scaled == (reach > 0)
        total = path_sums.log_total(emissions, LENGTHS, *crf._scores())
        found.append([total, *torch.autograd.grad(total.sum(), (emissions, crf.transitions, crf.start, crf.end))])
    for scaled, plain in zip(*found, strict=True):
        torch.testing.assert_close(scaled, plain)


def test_a_label_that_only_hopeless_ones_lead_to_is_summed_all_the_same() -> None:
    # Labels 0 and 1 must alternate and the last be 1: 0 1 is the only labelling, though its first label lies 1500 nats
    # behind the other. e^−1500 is no 64-bit number: products of scaled numbers would say that there is none.
    alternating, last = torch.tensor([[False, True], [True, False]]), torch.tensor([False, True])
    crf = LinearChainCRF(2, keep_mask=alternating, end_keep_mask=last)
    emissions = torch.tensor([[[-1500.0, 0.0], [0.0, 3.0]]], requires_grad=True)
    lengths = torch.tensor([2])
    chain = path_sums.Chain.of(emissions.detach(), lengths, *(scores.detach() for scores in crf._scores()))
    assert not path_sums.path_sums(chain, both=False).scaled
    found = crf.log_likelihood(emissions, torch.tensor([[0, 1]]), lengths)
    assert found.item() == 0.0
    found.sum().backward()
    torch.testing.assert_close(emissions.grad, torch.zeros(1, 2, 2))
    torch.testing.assert_close(crf.transitions.grad, torch.zeros(2, 2))
    assert crf.decode(emissions, lengths)[0].tolist() == [[0, 1]]


def test_a_hopeless_label_that_nothing_needs_leaves_the_scan_fast() -> None:
    # Labels 0 and 2 are out by −10⁴, as a mask in other people's code is. 1 → 1 → 1 is all there is: log p = 0.
    crf, lengths = LinearChainCRF(3), torch.tensor([3])
    emissions = torch.tensor([-1e4, 0.0, -1e4]).expand(1, 3, 3)
    chain = path_sums.Chain.of(emissions, lengths, *(scores.detach() for scores in crf._scores()))
    assert path_sums.path_sums(chain, both=True).scaled
    assert crf.log_likelihood(emissions, torch.ones(1, 3, dtype=torch.long), lengths).item() == 0.0
    # And the likelihood of what is out is as far as it is: one label 10⁴ nats behind, then two.
    assert crf.log_likelihood(emissions, torch.tensor([[1, 0, 1]]), lengths).item() == -1e4
    assert crf.log_likelihood(emissions, torch.tensor([[1, 0, 2]]), lengths).item() == -2e4


def test_long_sequences_keep_their_precision() -> None:
    # Emissions (20, 0) at each of 1009 positions, no transitions: p = Π 1/(1 + e^−20); scores reach 20180 in 32-bit.
    crf, steps = LinearChainCRF(2), 1009
    emissions = torch.tensor([20.0, 0.0]).expand(1, steps, 2)
    found = crf.log_likelihood(emissions, torch.zeros(1, steps, dtype=torch.long), torch.tensor([steps]))
    assert found.item() == pytest.approx(-steps * math.log1p(math.exp(-20)), rel=1e-4)
    assert crf.decode(emissions, torch.tensor([steps]))[1].item() == pytest.approx(found.item(), rel=1e-4)
