"""GloVe against its formulas: one pair by hand, an epoch in 64 bits, and what its options promise."""

import itertools
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.glove_jobs import VOCABULARY, job, stream, vectors
from tests.fakes.jobs import Recorder
from tests.fakes.slow_glove import SlowGlove
from ziggurat.core.errors import InterruptedRunError
from ziggurat.core.types import Event
from ziggurat.training import glove
from ziggurat.training.checkpoints import read_newest
from ziggurat.training.cooccurrences import Window, count_cooccurrences
from ziggurat.training.glove_matrices import Matrices
from ziggurat.training.kernels.glove import Objective, measure_rows, train_blocks
from ziggurat.training.ngram_counting import Budget
from ziggurat.training.pair_blocks import lay_out


def objective(rate: float = 0.5, x_max: float = 100.0, alpha: float = 0.75, limit: float = 10.0) -> Objective:
    numbers = (np.float32(number) for number in (rate, math.log(x_max), alpha, limit))
    return Objective(*numbers)


def one_pair(matrices: Matrices, x: float, *, word: int = 2, context: int = 3, **settings: float) -> float:
    """Train one pair; return its loss."""
    losses, counter = np.zeros(1), np.zeros(1, np.int64)
    tasks = np.array([[0, 1, word, context, 0]], np.int64)
    pairs, logs = np.zeros(1, np.uint32), np.array([math.log(x)], np.float32)
    train_blocks(matrices.pair, pairs, logs, tasks, objective(**settings), counter, losses)
    return float(losses[0])


def by_hand() -> Matrices:
    """w = (0.5, −1), b = 0.1 of word 2; w̃ = (2, 0.25), b̃ = −0.2 of context 3."""
    matrices = Matrices(VOCABULARY, 2, seed=0)
    matrices.words[2, :4] = 0.5, -1, 0.1, 1  # vector, bias, one
    matrices.contexts[3, :4] = 2, 0.25, 1, -0.2  # vector, one, bias
    return matrices


def test_one_pair_by_hand() -> None:
    # d = (0.5·2 − 1·0.25) + 0.1 − 0.2 − log 4 = 0.65 − 1.386294 = −0.736294
    # f(4) = (4 / 100)^0.75 = 0.0894427; f d² = 0.0484891; f d = −0.0658562; with rate 0.5: −0.0329281
    matrices = by_hand()
    assert one_pair(matrices, 4.0) == pytest.approx(0.0484891, rel=1e-5)
    # w: s = −0.0329281 · (2, 0.25) = (−0.0658562, −0.00823203); G = 1 + s² = (1.00433704, 1.00006777)
    # w − s / √G = (0.5 + 0.0657138, −1 + 0.00823175)
    assert matrices.words[2, :2].tolist() == pytest.approx([0.5657138, -0.9917682], rel=1e-6)
    # w̃: s = −0.0329281 · (0.5, −1) = (−0.01646405, 0.0329281); G = (1.00027107, 1.00108426)
    assert matrices.contexts[3, :2].tolist() == pytest.approx([2 + 0.0164618, 0.25 - 0.0329103], rel=1e-6)
    # b and b̃: s = −0.0329281, G = 1.00108426, so both grow by 0.0329103
    assert matrices.words[2, 2] == pytest.approx(0.1 + 0.0329103, rel=1e-6)
    assert matrices.contexts[3, 3] == pytest.approx(-0.2 + 0.0329103, rel=1e-6)
    # the ones that biases are multiplied with are still ones
    assert (matrices.words[2, 3], matrices.contexts[3, 2]) == (1, 1)


def test_adagrad_sums_grow_by_the_squares_of_steps() -> None:
    matrices = by_hand()
    half = matrices.words.shape[1] // 2
    one_pair(matrices, 4.0)
    assert matrices.words[2, half : half + 3].tolist() == pytest.approx([1.00433704, 1.00006777, 1.00108426], rel=1e-6)
    assert matrices.contexts[3, half : half + 2].tolist() == pytest.approx([1.00027107, 1.00108426], rel=1e-6)


def test_pairs_beyond_x_max_weigh_one() -> None:
    # d = 0.65 − log 200 = −4.648317; f = 1, so the loss is d² = 21.606854
    assert one_pair(by_hand(), 200.0) == pytest.approx(21.606854, rel=1e-6)
    assert one_pair(by_hand(), 200.0, x_max=400.0, alpha=0.0) == pytest.approx(21.606854, rel=1e-6)
    # (200 / 400)^1 = 0.5
    assert one_pair(by_hand(), 200.0, x_max=400.0, alpha=1.0) == pytest.approx(10.803427, rel=1e-6)


def test_a_step_is_clipped_as_a_whole() -> None:
    # f d = −4.648317; with rate 100 the factor would be −464.8 and is −10: s = −10 · 2 = −20, w = 0.5 + 20 / √401
    matrices = by_hand()
    one_pair(matrices, 200.0, rate=100.0)
    assert matrices.words[2, 0] == pytest.approx(0.5 + 20 / math.sqrt(401), rel=1e-6)


@pytest.mark.parametrize("decay", ["none", "linear"])
def test_an_epoch_is_what_the_formulas_say(decay: str) -> None:
    made = job(epochs=1, decay=decay)
    blocks = lay_out(
        count_cooccurrences(made.train, Window(5), Budget(1 << 30, 1, None)), made.seed, Budget(1, 1, None)
    )
    start = Matrices(VOCABULARY, 11, seed=made.seed)
    words, contexts = (matrix.astype(np.float64) for matrix in start.pair)
    slow = SlowGlove(words[:, :11], contexts[:, :11], words[:, 11], contexts[:, 12])
    loss, count = 0.0, 0
    for number, tasks in enumerate(blocks.strata(0)):
        rate = 0.05 if decay == "none" else 0.05 * (1 - number / blocks.groups)
        for begin, end, word, context, swapped in tasks.tolist():
            for entry in range(begin, end):
                i, j = divmod(int(blocks.pairs[entry]), 1 << 16)
                i, j = (word + j, context + i) if swapped else (word + i, context + j)
                x = math.exp(blocks.logs[entry])
                loss += slow.step(i, j, x, rate=rate, x_max=10.0, alpha=0.75)
                count += 1
    fitted = glove.fit(made)
    assert fitted.facts["pairs"] == count
    assert fitted.facts["total_loss"] == pytest.approx(loss, rel=1e-4)
    assert fitted.facts["loss"] == pytest.approx(loss / count, rel=1e-4)
    expected = slow.words + slow.contexts
    expected[[0, 1]] = 0
    assert np.allclose(vectors(fitted).vectors, expected, atol=2e-4)


def test_held_out_loss_by_the_formula() -> None:
    made = job(epochs=2, combine="word", keep_outputs=True)
    fitted = glove.fit(made)
    assert made.dev is not None
    budget = Budget(1 << 30, 1, None)
    train, dev = (count_cooccurrences(text, Window(5), budget) for text in (made.train, made.dev))
    # the biases are not part of the model: their share is held against a model that has only biases
    matrices = Matrices(VOCABULARY, 3, seed=0)
    matrices.words[:, :3] = matrices.contexts[:, :3] = 0
    matrices.words[:, 3], matrices.contexts[:, 4] = 0.25, 0.5
    shift = math.log(train.units.sum() / dev.units.sum())
    x = np.repeat(dev.units / dev.unit, np.where(rows_of(dev) == dev.contexts, 1, 2)) * math.exp(shift)
    expected = np.minimum(1, (x / 10) ** 0.75) * (0.75 - np.log(x)) ** 2
    span, scale = (0, VOCABULARY.size), (float(dev.unit), shift, True)
    total, pairs = measure_rows(matrices.pair, dev.source, span, scale, objective(x_max=10.0))
    assert pairs == x.size == fitted.facts["dev_pairs"]
    assert total == pytest.approx(expected.sum(), rel=1e-5)
    assert 0 < fitted.facts["dev_loss"] < total / pairs  # vectors that learnt something know more


def rows_of(counts) -> np.ndarray:
    return np.repeat(np.arange(counts.edges.size - 1), np.diff(counts.edges))


def test_the_loss_falls_and_circles_part() -> None:
    fitted = glove.fit(job(epochs=15))
    losses = fitted.facts["losses"]
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    found = vectors(fitted).vectors
    unit = found[2:42] / np.linalg.norm(found[2:42], axis=1, keepdims=True)
    likeness = unit @ unit.T
    even = np.arange(40) % 2 == 0
    within = likeness[even][:, even].mean() + likeness[~even][:, ~even].mean()
    assert within / 2 > likeness[even][:, ~even].mean() + 0.2


def test_the_result_does_not_depend_on_threads_or_memory(tmp_path: Path) -> None:
    one = vectors(glove.fit(job()))
    three = vectors(glove.fit(job(tmp_path, threads=3, memory="1M")))
    assert np.array_equal(one.vectors, three.vectors)
    assert not np.array_equal(one.vectors, vectors(glove.fit(job(seed=8))).vectors)


def test_what_a_vector_is() -> None:
    added = vectors(glove.fit(job(keep_outputs=True)))
    alone = vectors(glove.fit(job(combine="word", keep_outputs=True)))
    assert added.outputs is not None
    assert alone.outputs is not None
    assert np.array_equal(added.outputs, alone.outputs)
    assert np.array_equal(added.vectors, alone.vectors + alone.outputs)
    assert vectors(glove.fit(job())).outputs is None
    for model in (added, alone):
        assert not model.vectors[[0, 1]].any()
        assert model.vectors[2:].any(axis=1).all()
        assert model.counts is not None
        assert model.counts[2] == np.count_nonzero(stream().tokens == 2)


@pytest.mark.parametrize("rate", [0.0, 1.0, 1e3, 1e9, 1e38, 1e300])
@pytest.mark.parametrize("decay", ["none", "linear"])
def test_no_learning_rate_leads_to_nan(rate: float, decay: str) -> None:
    fitted = glove.fit(job(learning_rate=rate, decay=decay, epochs=5))
    assert np.isfinite(fitted.facts["losses"]).all()
    assert np.isfinite(fitted.facts["dev_loss"])
    assert np.isfinite(vectors(fitted).vectors).all()
    if rate == 0:
        assert fitted.facts["losses"][0] == pytest.approx(fitted.facts["losses"][-1], rel=1e-12)


def test_events() -> None:
    heard = Recorder()
    fitted = glove.fit(job(listener=heard, epochs=2))
    stages = [event["stage"] for event in heard.of("stage")]
    assert stages == ["counting", "training"]
    assert heard.of("cooccurrences")[0]["pairs"] == fitted.facts["pairs"]
    steps = heard.of("step")
    ends = [event for event in steps if float(event["epoch"]).is_integer()]
    assert [event["loss"] for event in ends] == fitted.facts["losses"]
    assert ends[0]["pairs"] == fitted.facts["pairs"]
    assert ends[-1]["pairs"] == 2 * fitted.facts["pairs"]
    assert ends[-1]["seconds_left"] == 0
    assert {"total_loss", "pairs_per_second", "epochs"} <= set(steps[0])
    assert heard.events[-1]["event"] == "end"


class Stopper(Recorder):
    """Asks for a stop, as Ctrl-C does, when the run has come so far."""

    def __init__(self, step: int) -> None:
        super().__init__(self.hear)
        self.step = step

    def hear(self, event: Event) -> None:
        if event["event"] == "step" and event["step"] == self.step:
            os.kill(os.getpid(), signal.SIGINT)


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glove, "_REPORT_SECONDS", 0.0)
    folder = tmp_path / "run" / "checkpoints"
    whole = glove.fit(job(decay="linear"))
    groups = whole.facts["steps"] // 3
    assert groups > 1
    stop = groups + 1  # within the second epoch
    with pytest.raises(InterruptedRunError, match=rf"go on with: ziggurat train --resume {folder.parent}"):
        glove.fit(job(folder, listener=Stopper(stop), decay="linear"))
    checkpoint = read_newest(folder)
    assert checkpoint is not None
    assert checkpoint.facts["progress"]["stratum"] == stop
    half = checkpoint.tensors["words"].shape[1] // 2
    sums = np.asarray(checkpoint.tensors["words"][2:, half : half + 11], np.float32)
    assert (sums.max(axis=1) > 1).mean() > 0.9  # what AdaGrad has added up
    heard = Recorder()
    resumed = glove.fit(job(folder, listener=heard, decay="linear", threads=2))
    assert heard.of("resume")[0]["step"] == stop
    assert np.array_equal(vectors(whole).vectors, vectors(resumed).vectors)
    assert resumed.facts["losses"] == whole.facts["losses"]
    assert resumed.facts["dev_loss"] == whole.facts["dev_loss"]


def test_checkpoints_are_written_as_often_as_asked(tmp_path: Path) -> None:
    heard = Recorder()
    fitted = glove.fit(job(tmp_path, listener=heard, checkpoint_seconds=0.0))
    assert [event["step"] for event in heard.of("checkpoint")] == list(range(1, fitted.facts["steps"] + 1))
    again = glove.fit(job(tmp_path))  # a run that was done is done at once
    assert np.array_equal(vectors(fitted).vectors, vectors(again).vectors)


def test_a_stop_while_counting(tmp_path: Path) -> None:
    def stop(event) -> None:
        if event.get("stage") == "counting":
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(InterruptedRunError, match="stopped while counting; go on with: ziggurat train --resume"):
        glove.fit(job(tmp_path / "checkpoints", listener=stop))
    with pytest.raises(InterruptedRunError, match="stopped while counting; nothing was saved"):
        glove.fit(job(listener=stop))


def test_a_stop_without_a_folder_says_that_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glove, "_REPORT_SECONDS", 0.0)
    with pytest.raises(InterruptedRunError, match=r"stopped after 0\.\d\d of 3 epochs; nothing was saved"):
        glove.fit(job(listener=Stopper(1)))
