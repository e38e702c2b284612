"""Steps, what checkpoints hold of a run, and which weights it keeps: each part of the loop alone, counted by hand."""

import dataclasses
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.fakes.jobs import VOCABULARY, Recorder, job
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.network import Network
from ziggurat.training import gradient
from ziggurat.training.checkpoints import BEST, NEWEST, Checkpoint, read_checkpoint, write_checkpoint
from ziggurat.training.loop.choice import Choice
from ziggurat.training.loop.config import Config
from ziggurat.training.loop.held import Held, _leaves, _nested, arrays, tensors
from ziggurat.training.loop.progress import Progress
from ziggurat.training.loop.spreading import Everywhere, InParts, Spread, like, local, spread, whole
from ziggurat.training.loop.step import Made, Stepper
from ziggurat.training.objectives.objective import Loss
from ziggurat.training.schedules import Plan
from ziggurat.training.torchrun import Processes


class Line(Network):
    """A network of two numbers, whose loss is whatever a test says of them."""

    def __init__(self, first: tuple[float, ...] = (1.0, 2.0)) -> None:
        super().__init__(Vocabulary(size=3, bos=0, eos=0), width=2, context=None)
        self.weight = nn.Parameter(torch.tensor(first))
        self.idle = nn.Parameter(torch.tensor([5.0]))

    @property
    def token_embedding(self) -> Tensor:
        return self.weight

    def logits(self, hidden: Tensor) -> Tensor:
        return hidden


class Slopes:
    """An objective that is a straight line in the weights: batch number n has gradient ``slopes[n]``."""

    tokens_per_batch = 10
    steps_per_epoch = 7.0

    def __init__(self, network: Line, batches: list[tuple[tuple[float, float], int]]) -> None:
        self.network, self.batches = network, batches
        self.carried: Any = None
        self.dev: list[float | None] = []
        self.half: list[bool] = []

    def loss(self, number: int) -> Loss:
        slope, predicted = self.batches[number]
        self.half.append(torch.is_autocast_enabled("cpu"))
        return Loss((self.network.weight * torch.tensor(slope)).sum(), predicted)

    def dev_loss(self, limit_tokens: int) -> float | None:
        del limit_tokens
        return self.dev.pop(0)


def stepper(batches: Any, **keys: Any) -> tuple[Stepper, Line, Slopes]:
    network = Line()
    objective = Slopes(network, batches)
    config = Config(**{"steps": 9, "weight_decay": 0.0, "precision": "f32", **keys})
    return Stepper(config, network, objective, Spread(network, Processes())), network, objective


# -- one step ----------------------------------------------------------------------------------------------------------


def test_batches_of_a_step_are_weighed_by_what_they_predict() -> None:
    made, network, _ = stepper([((3.0, 0.0), 10), ((0.0, 4.0), 30)], accumulate=2, clip_norm=0.0)
    told = made.make(0, 0.0)
    # (10·(3, 0) + 30·(0, 4)) / 40
    assert network.weight.grad is not None
    assert network.weight.grad.tolist() == pytest.approx([0.75, 3.0])
    # the losses are 3·1 and 4·2
    assert told.loss == pytest.approx((10 * 3 + 30 * 8) / 40)
    assert told.norm == pytest.approx(math.hypot(0.75, 3.0))
    assert network.idle.grad is None


def test_a_batch_that_predicts_nothing_weighs_nothing() -> None:
    made, network, _ = stepper([((7.0, 7.0), 0), ((3.0, 4.0), 5)], accumulate=2, clip_norm=0.0)
    assert made.make(0, 0.0).norm == pytest.approx(5.0)
    assert network.weight.grad is not None
    assert network.weight.grad.tolist() == pytest.approx([3.0, 4.0])
    nothing, network, _ = stepper([((7.0, 7.0), 0)])
    told = nothing.make(0, 0.1)
    assert (told.loss, told.norm) == (0.0, 0.0)
    assert network.weight.tolist() == [1.0, 2.0]


def test_steps_go_on_through_the_batches() -> None:
    batches = [((float(number), 0.0), 10) for number in range(6)]
    made, _, _ = stepper(batches, accumulate=2, clip_norm=0.0)
    assert [made.make(step, 0.0).norm for step in range(3)] == pytest.approx([0.5, 2.5, 4.5])


@pytest.mark.parametrize(("limit", "length"), [(1.0, 1.0), (2.5, 2.5), (13.0, 5.0), (0.0, 5.0)])
def test_a_long_gradient_is_shortened_and_its_length_told(limit: float, length: float) -> None:
    made, network, _ = stepper([((3.0, 4.0), 10)], clip_norm=limit)
    assert made.make(0, 0.0).norm == pytest.approx(5.0)
    assert network.weight.grad is not None
    assert float(network.weight.grad.norm()) == pytest.approx(length, rel=1e-5)


def test_the_first_step_of_adam_is_the_rate_against_the_slope() -> None:
    made, network, _ = stepper([((3.0, -4.0), 10), ((3.0, -4.0), 10)], learning_rate=99.0)
    made.make(0, 0.25)  # not the peak rate, but that of the step
    assert network.weight.tolist() == pytest.approx([0.75, 2.25], rel=1e-5)
    made.make(1, 0.5)  # the same slope again: mean and root of squares stay alike
    assert network.weight.tolist() == pytest.approx([0.25, 2.75], rel=1e-4)
    assert network.idle.tolist() == [5.0]


def test_gradients_of_the_step_before_are_forgotten() -> None:
    made, network, _ = stepper([((3.0, 4.0), 10), ((0.0, 1.0), 10)], clip_norm=0.0)
    made.make(0, 0.0)
    made.make(1, 0.0)
    assert network.weight.grad is not None
    assert network.weight.grad.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(("precision", "half"), [("f32", False), ("bf16", True)])
def test_batches_are_read_in_the_precision_that_was_asked_for(precision: str, half: bool) -> None:
    made, _, objective = stepper([((1.0, 1.0), 10)], precision=precision)
    made.make(0, 0.1)
    assert (made.half, objective.half) == (half, [half])


# -- what a checkpoint holds -------------------------------------------------------------------------------------------


def ran(family: str, steps: int, *, seed: int = 3, **keys: Any) -> tuple[Held, Any]:
    """The parts of a run behind its first steps, and what goes on with it."""
    asked = job(family, steps=20, precision="f32", **keys)
    model: Any = asked.family.build(asked.model_config, VOCABULARY, seed=seed)
    from ziggurat.training.objectives.next_token import NextToken

    objective = NextToken(asked, model, rows=asked.config.rows, window=asked.config.window)
    network = model.network.train()
    made = Stepper(asked.config, network, objective, Spread(network, Processes()))
    for step in range(steps):
        made.make(step, 1e-3)
    return Held(network, made), made


@pytest.mark.parametrize("rule", ["adamw", "muon"])
@pytest.mark.parametrize("family", ["decoder", "recurrent"])
def test_a_run_goes_on_from_what_it_gave_to_the_bit(family: str, rule: str) -> None:
    held, made = ran(family, 3, optimiser=rule)
    alike, rows = held.give()
    assert rows == {}  # one process has all of it
    kept = {name: value.clone() for name, value in alike.items()}
    expected = [made.make(step, 1e-3) for step in (3, 4)]
    other, again = ran(family, 0, seed=99, optimiser=rule)
    other.take(tensors(arrays(kept)))
    assert [again.make(step, 1e-3) for step in (3, 4)] == expected
    weights = dict(held.network.named_parameters())
    assert all(torch.equal(value, weights[name]) for name, value in other.network.named_parameters())


def test_what_a_file_held_goes_to_where_the_weights_are() -> None:
    held, made = ran("recurrent", 0, average="ema")
    made.objective.loss(0)  # leaves a state to the next batch
    held.average.follow(10, Plan("constant", 0, 20, None))
    kept = tensors(arrays(held.give()[0]))
    other, again = ran("recurrent", 0, average="ema")
    other.network.to("meta")
    other.take(kept)
    found = [*other.average.means.values(), *(value for _, value in _leaves(again.objective.carried))]
    assert len(found) > len(other.average.means) > 0
    assert {value.device.type for value in found} == {"meta"}


def test_random_numbers_go_on_too() -> None:
    held, _ = ran("decoder", 0)
    kept = {name: value.clone() for name, value in held.give()[0].items()}
    expected = torch.rand(3)
    torch.rand(5)
    held.take(kept)
    assert torch.equal(torch.rand(3), expected)


def test_a_gpu_s_random_numbers_go_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    held, _ = ran("decoder", 0)
    states = {torch.device("cuda", 1): torch.tensor([1, 2], dtype=torch.uint8)}
    assert "rng.cuda" not in held.give()[0]
    monkeypatch.setattr(Network, "device", torch.device("cuda", 1))
    monkeypatch.setattr(torch.cuda, "get_rng_state", states.__getitem__)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: states.update({device: state}))
    kept = {name: value.clone() for name, value in held.give()[0].items()}
    assert kept["rng.cuda"].tolist() == [1, 2]
    states[torch.device("cuda", 1)] = torch.tensor([9, 9], dtype=torch.uint8)
    held.take(kept)
    assert [state.tolist() for state in states.values()] == [[1, 2]]


@pytest.mark.parametrize(("device", "forked"), [("cpu", []), ("cuda:3", ["cuda:3"])])
def test_whoever_trains_leaves_the_caller_s_random_numbers(
    device: str, forked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    class ForkedError(Exception):
        pass

    def fork(devices: list[str]) -> None:
        asked.append(devices)
        raise ForkedError

    monkeypatch.setattr(gradient, "chosen_device", lambda *_: device)
    monkeypatch.setattr(torch.random, "fork_rng", fork)
    with pytest.raises(ForkedError):
        gradient.fit(job("decoder", steps=1))
    assert asked == [forked]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda kept: kept.pop("model.embed_tokens.weight"), KeyError, "weights of another model: embed_tokens.weight"),
        (lambda kept: kept.update({"model.more": torch.ones(2)}), KeyError, "weights of another model: more"),
        (
            lambda kept: kept.update({"model.embed_tokens.weight": torch.ones(2, 3)}),
            ValueError,
            "embed_tokens.weight is of another shape",
        ),
        (lambda kept: kept.update({"optimiser.3.0.exp_avg": torch.ones(2)}), KeyError, "3.0.exp_avg"),
    ],
)
def test_what_is_another_run_s_is_refused(change: Any, error: type[Exception], said: str) -> None:
    held, _ = ran("decoder", 1)
    kept = {name: value.clone() for name, value in held.give()[0].items()}
    change(kept)
    with pytest.raises(error, match=said):
        held.take(kept)


def test_frozen_weights_are_in_no_checkpoint() -> None:
    held, made = ran("decoder", 0)
    held.network.get_parameter("embed_tokens.weight").requires_grad = False
    fewer = Held(held.network, made)
    assert held.trained().keys() - fewer.trained().keys() == {"embed_tokens.weight"}


@pytest.mark.parametrize(
    "state",
    [
        None,
        torch.ones(2),
        (torch.ones(2), torch.zeros(3)),
        ((torch.ones(2), torch.zeros(3)), (torch.ones(5),)),
        (torch.ones(1), ((torch.ones(2), (torch.ones(3),)), torch.ones(4))),
        tuple(torch.full((1,), float(number)) for number in range(11)),  # "10" comes behind "9", not behind "1"
    ],
    ids=str,
)
def test_a_carried_state_is_taken_apart_and_put_together(state: Any) -> None:
    def same(one: Any, other: Any) -> bool:
        if isinstance(one, tuple):
            return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
        return bool(torch.equal(one, other)) if isinstance(one, Tensor) else one is other

    leaves = dict(_leaves(state))
    assert same(_nested(leaves), state)
    assert same(_nested(dict(reversed(leaves.items()))), state)


# -- which weights become the model ------------------------------------------------------------------------------------


def chosen(losses: list[float | None], folder: Path | None = None, **keys: Any) -> tuple[Choice, Progress, Line, Any]:
    """What is chosen of steps with these losses, the first weight being the number of the step."""
    made, network, objective = stepper([], **keys)
    objective.dev = list(losses)
    recorder = Recorder()
    asked = dataclasses.replace(job("decoder", steps=1), config=made.config, folder=folder, listener=recorder)
    choice, progress = Choice(asked, objective, Held(network, made)), Progress()
    for number in range(len(losses)):
        progress.step = number + 1
        with torch.no_grad():
            network.weight[0] = number + 1.0
        choice.evaluate(progress)
    return choice, progress, network, recorder


@pytest.mark.parametrize(
    ("losses", "best", "stale"),
    [([3.0, 2.0, 2.5, 2.2], 2, 2), ([3.0, 3.0], 1, 1), ([3.0, float("inf"), 1.0], 3, 0), ([2.0, float("nan")], 1, 1)],
)
def test_the_first_of_the_lowest_is_kept(losses: list[float | None], best: int, stale: int) -> None:
    choice, progress, network, recorder = chosen(losses)
    assert (progress.best_step, progress.stale) == (best, stale)
    assert progress.best_loss == losses[best - 1]
    assert len(recorder.of("eval")) == len(losses)
    choice.put_back()
    assert network.weight[0] == best


def test_the_last_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    choice, progress, network, _ = chosen([3.0, 2.0, 2.5], tmp_path, keep="last")
    choice.put_back()
    assert (progress.best_step, network.weight[0].item()) == (2, 3.0)
    assert not (tmp_path / BEST).exists()


@pytest.mark.parametrize(("patience", "early"), [(0, False), (1, True), (2, True), (3, False)])
def test_patience_counts_evaluations_without_a_better_one(patience: int, early: bool) -> None:
    assert chosen([3.0, 3.5, 3.2], patience=patience)[1].stopped_early is early


def test_what_measures_nothing_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    choice, progress, network, recorder = chosen([None, None, None])
    assert caplog.text.count("the last weights are kept, not the best") == 1
    assert (progress.best_step, progress.stale, recorder.events) == (0, 0, [])
    choice.put_back()
    assert network.weight[0] == 3


def test_the_best_are_in_the_folder_and_come_back(tmp_path: Path) -> None:
    _, progress, _, _ = chosen([3.0, 2.0, 2.5], tmp_path)
    facts = read_checkpoint(tmp_path / BEST).facts
    assert (facts["step"], facts["loss"]) == (2, 2.0)
    again, _, network, _ = chosen([], tmp_path)
    again.resume(progress)
    again.put_back()
    assert network.weight.tolist() == [2.0, 2.0]


def test_a_best_of_later_than_the_checkpoint_is_come_to_again(tmp_path: Path) -> None:
    chosen([3.0, 2.0], tmp_path)
    again, _, _, _ = chosen([], tmp_path)
    progress = Progress(step=1, best_loss=3.0, best_step=1)
    again.resume(progress)
    assert (progress.best_step, progress.best_loss) == (0, math.inf)
    write_checkpoint(tmp_path / BEST, Checkpoint({}, {"step": 99, "loss": 0.0}))
    fresh = Progress(step=1)  # nothing was the best yet: the file is not looked at
    again.resume(fresh)
    assert fresh == Progress(step=1)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_without_the_best_the_run_goes_on_and_chooses_anew(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chosen([3.0, 2.0], tmp_path)
    if damage == "missing":
        (tmp_path / BEST).unlink()
    else:
        (tmp_path / BEST).write_bytes((tmp_path / BEST).read_bytes()[:-3])
    again, *_ = chosen([], tmp_path)
    again.objective.dev = [2.5]  # type: ignore[attr-defined]
    progress = Progress(step=2, best_loss=2.0, best_step=2)
    again.resume(progress)
    assert (progress.best_step, progress.best_loss) == (0, math.inf)
    (line,) = caplog.messages
    assert line == f"{tmp_path / BEST}: missing or damaged: the best weights are chosen anew from here"
    progress.step = 3
    again.evaluate(progress)
    assert (progress.best_step, progress.best_loss) == (3, 2.5)
    assert read_checkpoint(tmp_path / BEST).facts["step"] == 3


# -- how it is shared, seen by one process -----------------------------------------------------------------------------


class Pair(Processes):
    """Two processes of which the other has the same numbers."""

    count = 2

    def __init__(self, rank: int = 0, first: float = 0.0) -> None:
        self.rank, self.first = rank, first
        self.sums = 0

    def summed(self, *numbers: float) -> list[float]:
        return [2 * number for number in numbers]

    def told(self, number: float) -> float:
        return number if self.rank == 0 else self.first

    def sum_all(self, tensors: list[Tensor]) -> None:
        self.sums += len(tensors)
        for tensor in tensors:
            tensor.mul_(2)


def test_one_process_shares_nothing_whatever_is_told() -> None:
    for how in ("auto", "ddp", "fsdp"):
        found = spread(how, Line(), Processes())
        assert (type(found), found.name) == (Spread, "none")
    assert isinstance(spread("auto", Line(), Pair()), Everywhere)
    assert not isinstance(spread("ddp", Line(), Pair()), InParts)


def test_two_alike_step_as_one_does() -> None:
    batches = [((3.0, 0.0), 10), ((0.0, 4.0), 30)]
    alone, _, _ = stepper(batches, accumulate=2, clip_norm=0.0)
    both, network, _ = stepper(batches, accumulate=2, clip_norm=0.0)
    pair = Pair()
    both.spread = Everywhere(network, pair)
    assert both.make(0, 0.1) == pytest.approx(alone.make(0, 0.1))
    assert pair.sums == 1  # the idle weight has no gradient, and nothing is sent of it
    np.testing.assert_allclose(network.weight.detach(), alone.network.get_parameter("weight").detach(), rtol=1e-6)


@pytest.mark.parametrize(("rank", "expected"), [(0, 1.5), (1, 4.25)])
def test_the_first_measures_for_all(rank: int, expected: float) -> None:
    calls: list[int] = []

    def measure() -> float:
        calls.append(rank)
        return 1.5

    assert Everywhere(Line(), Pair(rank, 4.25)).measured(measure) == expected
    assert calls == ([0] if rank == 0 else [])


def test_that_nothing_can_be_measured_reaches_all() -> None:
    assert Everywhere(Line(), Pair(0)).measured(lambda: None) is None
    assert Everywhere(Line(), Pair(1, 0.0)).measured(lambda: 1.0) is None  # the first says: nothing there


def test_a_loss_that_is_no_number_is_not_taken_for_nothing() -> None:
    for alone in (Spread(Line(), Processes()), Everywhere(Line(), Pair(0)), Everywhere(Line(), Pair(1, math.nan))):
        found = alone.measured(lambda: math.nan)
        assert found is not None
        assert math.isnan(found)


@pytest.mark.parametrize(
    ("loss", "norm", "ends"),
    [(math.nan, 1.0, True), (math.inf, 1.0, True), (2.0, math.nan, True), (2.0, math.inf, False), (2.0, 3.0, False)],
)
def test_a_run_that_diverges_ends_and_says_so(
    loss: float, norm: float, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([Made(2.0, 1.0), Made(loss, norm), Made(2.0, 1.0)])
    monkeypatch.setattr(Stepper, "make", lambda *_: next(told))
    asked = job("decoder", tmp_path, steps=3, learning_rate=0.25, checkpoint_steps=2)
    said = r"training\.learning_rate: the loss grew beyond all numbers at step 2; lower it \(now 0\.25\)"
    with pytest.raises(UsageError, match=said) if ends else nullcontext():
        gradient.fit(asked)
    assert (tmp_path / NEWEST).exists() is not ends  # what is lost is not kept


def test_a_tensor_in_one_place_is_whole_already() -> None:
    tensor = torch.ones(3)
    assert whole(tensor) is tensor
    assert local(tensor) is None
    assert like(tensor, torch.zeros(3)) is tensor


def test_every_family_s_optimiser_names_its_memory_once() -> None:
    for rule in ("adamw", "muon"):
        _, made = ran("recurrent", 1, optimiser=rule)
        names = [name for name, _ in made.optimiser.held()]
        assert len(set(names)) == len(names) > 3
        assert {name.split(".")[0] for name in names} == ({"0", "1"} if rule == "muon" else {"0"})
