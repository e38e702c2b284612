"""The arithmetic of the benchmarks of loss: one judge for all, the peer's network, what is learnt and what is not."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import time_to_loss
from benchmarks.entries import Entry, trained_seconds
from benchmarks.held_out import carried_logprobs, carried_loss
from benchmarks.plain_gpt import PlainGPT, Shape, Training, decay_groups, load, reader, save, train
from benchmarks.time_to_loss import GOALS, Goal, Outcome, loop_seconds, verdict
from benchmarks.time_to_loss_steps import cut, put_aside
from ziggurat.core.errors import UnknownNameError

SMALL = Shape(layers=2, heads=3, width=15, block=7)
VOCABULARY = 11


@pytest.fixture
def network() -> PlainGPT:
    """A small network with weights so wide that its distributions are far from uniform."""
    torch.manual_seed(5)
    network = PlainGPT(SMALL, VOCABULARY)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(1 if weight.dim() == 1 else 20)
    return network.eval()


@pytest.fixture
def ids() -> Any:
    return np.random.default_rng(3).integers(VOCABULARY, size=61).astype(np.int32)


def test_the_window_moves_by_half_of_itself(network: PlainGPT, ids: Any) -> None:
    # a window of 7 moves by 7 // 2 = 3: ids 1 to 7 are predicted from the beginning, then three at a time
    expected = []
    for place in range(1, len(ids)):
        end = 7 if place <= 7 else min(len(ids) - 1, 7 + 3 * math.ceil((place - 7) / 3))
        begin = max(0, end - 7)
        assert place <= 7 or place - begin >= 7 // 2  # half a window before each
        told = torch.from_numpy(ids[begin:place]).long()[None]
        expected.append(network(told)[0, -1].log_softmax(-1)[ids[place]].item())
    found = carried_logprobs(reader(network), [ids], context=7)[0]
    assert np.allclose(found, expected, atol=1e-5)
    assert carried_loss(reader(network), ids, context=7) == pytest.approx(-np.mean(expected), abs=1e-5)


def test_without_a_limit_a_text_is_read_in_one_piece(ids: Any) -> None:
    seen = []

    def read(rows: Any, lengths: Any) -> Any:
        seen.append((rows.shape, lengths.tolist()))
        return -np.arange(1, rows.shape[1], dtype=np.float32)[None, None]

    assert carried_loss(read, ids, context=None) == pytest.approx(sum(range(1, 61)) / 60)
    assert seen == [((1, 61), [61])]


def test_several_texts_are_judged_apart(network: PlainGPT, ids: Any) -> None:
    both = carried_logprobs(reader(network), [ids[:29], ids[29:]], context=7)
    alone = [carried_logprobs(reader(network), [part], context=7)[0] for part in (ids[:29], ids[29:])]
    assert [len(one) for one in both] == [28, 31]
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(both, alone, strict=True))


def test_the_peer_has_the_parameters_of_its_description() -> None:
    # 4 layers of width 128: 4·D² for attention, 8·D² for feed-forward, two gains; 65 characters, 64 positions
    blocks = 4 * (12 * 128**2 + 2 * 128)
    assert PlainGPT(Shape(), 65).parameter_count == blocks + 128 + 65 * 128 + 64 * 128 == 804_096


def test_the_peer_reads_from_left_to_right(network: PlainGPT, ids: Any) -> None:
    told = torch.from_numpy(ids[:7]).long()[None]
    changed = told.clone()
    changed[0, 5] = (changed[0, 5] + 1) % VOCABULARY
    same = (network(told) - network(changed)).abs().amax(dim=(0, 2))
    assert same[:5].max() == 0
    assert same[5:].min() > 1e-3


def test_first_weights(ids: Any) -> None:
    torch.manual_seed(0)
    network = PlainGPT(Shape(layers=8, heads=2, width=64, block=16), 97)
    spread = {name: weight.std().item() for name, weight in network.named_parameters() if weight.dim() > 1}
    ends = {name for name in spread if name.endswith("_out.weight")}
    assert len(ends) == 16
    for name, std in spread.items():
        assert std == pytest.approx(0.02 / 4 if name in ends else 0.02, rel=0.1)  # √(2·8) = 4
    assert all((weight == 1).all() for weight in network.parameters() if weight.dim() == 1)


def test_gains_are_not_pulled_towards_zero() -> None:
    matrices, gains = decay_groups(PlainGPT(SMALL, VOCABULARY), 0.1)
    assert (matrices["weight_decay"], gains["weight_decay"]) == (0.1, 0.0)
    assert len(matrices["params"]) == 2 + 2 * 4
    assert len(gains["params"]) == 1 + 2 * 2


def test_learning_rates_of_the_recipe() -> None:
    recipe = Training()
    assert recipe.rate(0, 0) == pytest.approx(1e-3 / 101)
    assert recipe.rate(99, 0) == pytest.approx(1e-3 * 100 / 101)
    assert recipe.rate(100, 0) == pytest.approx(1e-3)
    assert recipe.rate(1050, 0.5) == pytest.approx((1e-3 + 1e-4) / 2)
    assert recipe.rate(2000, 1) == recipe.rate(2001, 1.1) == pytest.approx(1e-4)


def test_the_peer_learns_and_is_the_same_again(tmp_path: Path) -> None:
    text = np.tile(np.arange(5), 40)
    told = []
    for _ in range(2):
        torch.manual_seed(1)
        network = PlainGPT(SMALL, VOCABULARY)
        training = Training(steps=53, batch=3, warmup=7, learning_rate=1e-2)
        told.append(train(network, text, training, seed=2))
    assert told[0]["train_loss"] == told[1]["train_loss"] < 1.0 < math.log(VOCABULARY)
    assert told[0]["steps"] == 53
    assert told[0]["tokens"] == 53 * 3 * 7
    save(network, tmp_path / "peer.safetensors")
    again = load(tmp_path / "peer.safetensors")
    assert again.shape == SMALL
    assert torch.equal(again(torch.arange(5)[None]), network(torch.arange(5)[None]))


def test_a_budget_of_seconds_ends_with_the_cosine(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[tuple[int, float]] = []
    own = Training.rate

    def rate(self: Training, step: int, part: float) -> float:
        rates.append((step, part))
        return own(self, step, part)

    monkeypatch.setattr(Training, "rate", rate)
    ticks = iter(range(1000))
    network = PlainGPT(SMALL, VOCABULARY)
    training = Training(steps=None, seconds=13.0, batch=2, warmup=3)
    facts = train(network, np.arange(VOCABULARY), training, seed=0, clock=lambda: float(next(ticks)))
    assert facts["seconds"] == 13  # a step is a second on this clock
    assert facts["steps"] == 13
    # warmed up after 3 seconds, 10 seconds of cosine; the last step begins when 9 of them are over
    assert [part for step, part in rates if step >= 3] == pytest.approx([step / 10 for step in range(10)])


def test_too_little_to_train_on_is_said() -> None:
    with pytest.raises(SystemExit, match="7 ids to train on: too few for windows of 7"):
        train(PlainGPT(SMALL, VOCABULARY), np.arange(7), Training(steps=1), seed=0)


def test_nothing_that_is_held_out_is_learnt() -> None:
    letters = "".join(chr(index) for index in range(1000))
    learnt, held_out = cut(letters)
    assert (len(learnt), len(held_out)) == (900, 100)
    train_part, dev = put_aside(learnt)
    assert (len(train_part), len(dev)) == (850, 50)
    assert train_part + dev + held_out == letters


def test_evaluations_of_nanogpt_do_not_count() -> None:
    times = [900, 10, 12, 14, 800, 10, 12, 14, 700]  # it evaluates every 4 iterations; the ninth is beyond the steps
    log = "number of parameters: 0.80M\n" + "".join(
        f"iter {number}: loss 3.1, time {time:.2f}ms, mfu 0.1%\n" for number, time in enumerate(times)
    )
    assert loop_seconds(log, steps=8, every=4) == pytest.approx((6 * 12 + 2 * 12) / 1000)
    with pytest.raises(SystemExit, match="tells of 9 iterations, not of 10"):
        loop_seconds(log, steps=10, every=4)


def _outcomes(*losses: float, seconds: float, process_seconds: float) -> list[Outcome]:
    return [Outcome(loss, seconds, process_seconds, {"steps": 3}) for loss in losses]


def test_sooner_counts_only_where_every_seed_gets_there() -> None:
    goal = Goal(Entry("x", "gpt"), "", sooner=4, sooner_process=2)
    peer = _outcomes(1.9, 1.8, seconds=40, process_seconds=50)
    found = verdict(goal, _outcomes(1.9, 1.7, seconds=8, process_seconds=20), peer, counts=1.5)
    assert (found["training_ratio"], found["process_ratio"]) == (5, 2.5)
    assert found["seeds_that_reach_the_peer"] == 2
    assert found["shown"]
    found = verdict(goal, _outcomes(1.85, 1.85, seconds=8, process_seconds=20), peer, counts=1.5)
    assert found["seeds_that_reach_the_peer"] == 1
    assert not found["shown"]
    slow = verdict(goal, _outcomes(1.7, 1.7, seconds=8, process_seconds=26), peer, counts=1.5)
    assert not slow["shown"]  # 50 / 26 < 2


@pytest.mark.parametrize(
    ("loss", "process_seconds", "counts", "shown"),
    [(1.45, 180, 1.5, True), (1.451, 180, 1.5, False), (1.45, 181, 1.5, False), (1.45, 180, 1.44, False)],
)
def test_a_loss_within_a_time(loss: float, process_seconds: float, counts: float, shown: bool) -> None:
    goal = Goal(Entry("x", "gpt"), "", loss=1.45, seconds=180)
    ours = _outcomes(loss, seconds=100, process_seconds=process_seconds)
    assert verdict(goal, ours, _outcomes(1.9, seconds=1, process_seconds=1), counts)["shown"] is shown


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.entry.name)
def test_every_entry_is_a_recipe(goal: Goal) -> None:
    entry = goal.entry
    assert Entry.from_json(entry.to_json()) == entry
    recipe = entry.resolved(7)
    assert recipe.seed == 7
    assert all(part.seed == 7 for part in recipe.parts)
    assert (goal.sooner or goal.sooner_process) or (goal.loss and goal.seconds)  # each has something to show


def test_entries_take_parts_of_the_minutes_or_a_few_steps() -> None:
    entry = Entry("m", "mixture", {"ngram.model.order": 3}, {"gpt.training.minutes": 0.8})
    parts = {part.name: part for part in entry.within(5).resolved(0).parts}
    assert parts["gpt"].training.minutes == pytest.approx(4)
    assert parts["ngram"].model.order == 3
    few = Entry("m", "mixture", steps=9).resolved(0)
    assert next(part for part in few.parts if part.name == "gpt").training.steps == 9
    assert Entry("n", "ngram", steps=9).resolved(0).model.order == 5  # counting has no steps
    with pytest.raises(UnknownNameError, match="layers"):
        Entry("m", "gpt", {"model.leyers": 3}).resolved(0)


def test_seconds_of_all_parts_are_added_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"run": 1.0, "ngram": 2.0, "gpt": 4.0}

    class Read:
        def __init__(self, folder: Path) -> None:
            self.training = {"seconds": seconds[folder.name]}

    monkeypatch.setattr("benchmarks.entries.read_manifest", Read)
    monkeypatch.setattr("benchmarks.entries.bundle_folder", lambda folder: folder)
    assert trained_seconds(Entry("m", "mixture").resolved(0), tmp_path / "run") == 7


def _text(folder: Path) -> Path:
    folder.mkdir()
    (folder / "input.txt").write_text("the tower stands where the water was\n" * 200, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "a,z"], "--only: z: not one of"),
        (["--nanogpt", "."], "--nanogpt: no train.py in"),
    ],
)
def test_what_can_not_be_run_is_said(arguments: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=message):
        time_to_loss.main([*arguments, "--quick", "--data", str(_text(tmp_path / "data"))])


def test_a_character_that_only_the_held_out_part_has(tmp_path: Path) -> None:
    data = _text(tmp_path / "data")
    with (data / "input.txt").open("a", encoding="utf-8") as file:
        file.write("塔")
    with pytest.raises(SystemExit, match="only the held-out part has: '塔'"):
        time_to_loss.main(["--quick", "--data", str(data)])
    with pytest.raises(SystemExit, match=r"no input.txt in"):
        time_to_loss.main(["--quick", "--data", str(tmp_path)])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_quick_run_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    time_to_loss.main(["--quick", "--threads", "1", "--only", "a,b", "--data", str(_text(tmp_path / "data"))])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["benchmark"] == "time_to_loss"
    assert last["ratio"] == last["ours"]["a"]["training_ratio"]
    assert set(last["ours"]) == {"a", "b"}
    assert last["peer"]["source"] == "plain_gpt"
    assert last["peer"]["steps"] == last["ours"]["a"]["steps"] == time_to_loss.QUICK_STEPS
    for told in (*last["ours"].values(), last["peer"], last["counts"]):
        assert 0 < told["loss"] < math.log(97)
        assert 0 < told["seconds"] < told["process_seconds"]
    assert last["counts"]["loss"] < last["peer"]["loss"]  # a few steps learn less than counting does
