"""What is true of every family that the gradient loop trains; nobody lists families here."""

import dataclasses
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import (
    CUT_BY_LENGTH,
    EACH_KIND,
    NEXT_TOKEN_FAMILIES,
    VOCABULARY,
    Recorder,
    choices,
    enough,
    fit,
    job,
    same_weights,
    weights,
)
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import DamagedError, DiskFullError, InterruptedRunError, UsageError
from ziggurat.core.protocols import Embeds, ReadsPairs
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.batches import PairBatches
from ziggurat.training import checkpoints
from ziggurat.training.checkpoints import BEST, NEWEST, read_checkpoint
from ziggurat.training.job import FirstVectors, Fitted, silent

pytestmark = pytest.mark.parametrize("family", EACH_KIND)


class KilledError(Exception):
    """What ends a run as hard as a test can."""


def killed_at(step: int, kind: str = "checkpoint") -> Recorder:
    """A listener that ends the run at its first event of a kind from ``step`` on."""

    def act(event: Any) -> None:
        if event["event"] == kind and int(event["step"]) >= step:
            raise KilledError

    return Recorder(act)


def test_there_is_something_to_train(family: str) -> None:
    assert family


def test_training_learns(family: str) -> None:
    recorder = Recorder()
    fitted = fit(job(family, **enough(family), listener=recorder))
    losses = [float(event["loss"]) for event in recorder.of("eval")]
    assert losses[0] > min(losses[1:])
    assert fitted.facts["dev_loss"] < 0.85 * np.log(choices(family))


def test_one_seed_gives_one_model_and_another_gives_another(family: str) -> None:
    one, two, other = (fit(job(family, steps=7, seed=seed)) for seed in (7, 7, 8))
    assert same_weights(one, two)
    assert not same_weights(one, other)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("stop", "accumulate"), [pytest.param(1, 1, marks=SLOW), pytest.param(4, 2, marks=SLOW), (16, 1)]
)
def test_a_killed_run_ends_with_the_same_weights(family: str, stop: int, accumulate: int, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"steps": 17, "checkpoint_steps": 3, "evaluations": 4, "accumulate": accumulate}
    whole = fit(job(family, tmp_path / "whole", **keys))
    with pytest.raises(KilledError):
        fit(job(family, tmp_path / "killed", listener=killed_at(stop, "step" if stop == 16 else "checkpoint"), **keys))
    recorder = Recorder()
    again = fit(job(family, tmp_path / "killed", listener=recorder, **keys))
    (resumed,) = recorder.of("resume")
    assert int(resumed["step"]) % 3 == 0
    assert same_weights(whole, again)
    assert {key: whole.facts[key] for key in ("steps", "dev_loss", "best_step")} == {
        key: again.facts[key] for key in ("steps", "dev_loss", "best_step")
    }


def test_a_run_killed_many_times_too(family: str, tmp_path: Path) -> None:
    keys: dict[str, Any] = {"steps": 13, "checkpoint_steps": 2, "evaluate_steps": 3}
    whole = fit(job(family, tmp_path / "whole", **keys))
    for stop in (2, 4, 5, 8, 11):
        with pytest.raises(KilledError):
            fit(job(family, tmp_path / "killed", listener=killed_at(stop), **keys))
    assert same_weights(whole, fit(job(family, tmp_path / "killed", **keys)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_saves_and_says_how_to_go_on(family: str, number: int, tmp_path: Path) -> None:
    def act(event: Any) -> None:
        if event["event"] == "eval":
            os.kill(os.getpid(), number)

    keys: dict[str, Any] = {"steps": 17, "evaluations": 3}
    before = signal.getsignal(number)
    whole = fit(job(family, tmp_path / "a" / "checkpoints", **keys))
    with pytest.raises(InterruptedRunError, match=r"stopped at step 5; go on with: ziggurat train --resume .*/b$"):
        fit(job(family, tmp_path / "b" / "checkpoints", listener=Recorder(act), **keys))
    assert signal.getsignal(number) == before
    assert same_weights(whole, fit(job(family, tmp_path / "b" / "checkpoints", **keys)))


def test_without_a_folder_nothing_is_saved_and_that_is_said(family: str) -> None:
    def act(event: Any) -> None:
        if event["event"] == "eval":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(InterruptedRunError, match="nothing was saved"):
        fit(job(family, steps=9, listener=Recorder(act)))


def test_accumulated_batches_are_one_large_batch_of_pairs(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not isinstance(FAMILIES.get(family), ReadsPairs):
        pytest.skip("its batches are of no pairs")
    # batches of pairs are cut by length, so that two small ones are no large one: they are put together by hand
    tells: list[Recorder] = [Recorder(), Recorder()]

    def still(accumulate: int, listener: Recorder) -> Fitted:
        asked = job(family, listener=listener, steps=1, clip_norm=0.0, weight_decay=0.0, accumulate=accumulate)
        dropouts = {key: 0.0 for key in vars(asked.model_config) if key.startswith("dropout")}
        return fit(dataclasses.replace(asked, model_config=dataclasses.replace(asked.model_config, **dropouts)))

    one = still(2, tells[0])
    batch = PairBatches.batch
    counts: list[int] = []

    def both(batches: PairBatches, step: int) -> Any:
        found = [batch(batches, 2 * step + part) for part in range(2)]
        counts.extend(sum(len(target) - 1 for target in targets) for _, targets in found)
        return tuple([*found[0][side], *found[1][side]] for side in range(2))

    monkeypatch.setattr(PairBatches, "batch", both)
    two = still(1, tells[1])
    assert counts[0] != counts[1]
    first, second = (recorder.of("step")[0] for recorder in tells)
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)
    assert first["gradient_norm"] == pytest.approx(second["gradient_norm"], rel=1e-5)
    # Adam's first step is the gradient's sign, which is chance where a gradient is next to 0
    same = [np.isclose(value, weights(two)[name], rtol=2e-4, atol=1e-5).ravel() for name, value in weights(one).items()]
    assert np.concatenate(same).mean() > 0.97


def test_accumulated_batches_are_one_large_batch(family: str) -> None:
    if family in CUT_BY_LENGTH:
        pytest.skip("its batches are cut by length: the test above")
    # windows are drawn in order, so two batches of 2 rows hold the rows of one of 4; a network that carries state
    # lays its rows out by their number, and is compared with itself
    small: dict[str, Any] = {"rows": 2, "accumulate": 2}
    large: dict[str, Any] = {"rows": 4}
    one, two = (fit(job(family, steps=1, clip_norm=0.0, weight_decay=0.0, **keys)) for keys in (small, large))
    if getattr(one.model, "context", None) is not None:
        for name, value in weights(one).items():
            np.testing.assert_allclose(value, weights(two)[name], rtol=2e-4, atol=1e-5, err_msg=name)
    assert one.facts["tokens"] == two.facts["tokens"]


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ({"steps": 5}, 5),
        ({"tokens": 100}, 3),  # 3 rows of 11 tokens are 33 a step, where all are predicted
        ({"tokens": 1}, 1),
    ],
)
def test_budgets_become_steps(family: str, budget: dict[str, Any], steps: int) -> None:
    facts = fit(job(family, **budget)).facts
    if "tokens" in budget and family not in NEXT_TOKEN_FAMILIES:
        # pairs are about 33 with their padding, of a row whose tokens are hidden only the hidden are predicted, and
        # texts are as long as they are
        steps = max(1, budget["tokens"] // (facts["tokens"] // facts["steps"]))
    assert facts["steps"] == steps


def test_an_epoch_is_a_pass_over_the_text(family: str) -> None:
    facts = fit(job(family, epochs=2)).facts
    assert facts["epochs"] == pytest.approx(2, abs=0.1)


def test_a_budget_in_minutes_ends_in_time_and_can_be_repeated_in_steps(family: str) -> None:
    first = fit(job(family, minutes=0.01))
    assert 0.5 < first.facts["seconds"] / 0.6 < 2
    facts = first.facts
    keys = {"decay_steps": facts["decay_steps"], "evaluate_steps": facts["evaluate_steps"]}
    assert same_weights(first, fit(job(family, steps=facts["steps"], **keys)))


@pytest.mark.parametrize("keep", ["best", "last"])
def test_which_weights_become_the_model(family: str, keep: str, tmp_path: Path) -> None:
    # a rate far too high: what was good early is spoilt later
    keys: dict[str, Any] = {"steps": 40, "learning_rate": 0.5, "clip_norm": 0.0, "evaluate_steps": 4, "keep": keep}
    recorder = Recorder()
    fitted = fit(job(family, tmp_path, schedule="constant", listener=recorder, **keys))
    assert fitted.facts["best_step"] <= fitted.facts["steps"]
    assert fitted.facts["kept_step"] == (fitted.facts["best_step"] if keep == "best" else 40)
    losses = [float(event["loss"]) for event in recorder.of("eval")]
    assert fitted.facts["dev_loss"] == (min(losses) if keep == "best" else losses[-1])
    if keep == "best":
        best = read_checkpoint(tmp_path / BEST)
        for name, value in weights(fitted).items():
            np.testing.assert_array_equal(best.tensors[name], value)


def test_patience_ends_a_run_that_no_longer_gets_better(family: str) -> None:
    keys: dict[str, Any] = {"steps": 4000, "learning_rate": 0.0, "evaluate_steps": 2, "patience": 3}
    facts = fit(job(family, **keys)).facts
    assert (facts["stopped_early"], facts["best_step"], facts["steps"]) == (True, 2, 8)


def test_dev_text_without_anything_to_predict_chooses_nothing(family: str, caplog: pytest.LogCaptureFixture) -> None:
    asked = job(family, steps=9, evaluate_steps=2, patience=2)
    none = MemoryStream.of([], VOCABULARY)
    sources = none if asked.dev_sources is not None else None
    labels = None if asked.labels is None else dataclasses.replace(asked.labels, dev=np.zeros(0, np.int32))
    recorder = Recorder()
    fitted = fit(dataclasses.replace(asked, dev=none, dev_sources=sources, labels=labels, listener=recorder))
    assert fitted.facts["steps"] == 9
    assert not {"dev_loss", "best_step"} & fitted.facts.keys()
    assert not recorder.of("eval")
    assert caplog.text.count("nothing in the held-out text can be predicted") == 1
    assert same_weights(fitted, fit(job(family, steps=9, keep="last")))


def test_clipping_shortens_a_step_and_reports_the_length_before(family: str) -> None:
    recorder = Recorder()
    fit(job(family, steps=10, clip_norm=1e-6, listener=recorder))
    (event,) = recorder.of("step")
    assert float(event["gradient_norm"]) > 1e-3


def test_bf16_trains_too(family: str) -> None:
    facts = fit(job(family, steps=60, learning_rate=0.02, precision="bf16")).facts
    assert facts["precision"] == "bf16"
    assert facts["dev_loss"] < 0.95 * np.log(choices(family))


def test_damaged_checkpoints(family: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys: dict[str, Any] = {"steps": 13, "checkpoint_steps": 3, "evaluate_steps": 5}
    whole = fit(job(family, tmp_path / "whole", **keys))
    with pytest.raises(KilledError):
        fit(job(family, tmp_path / "run", listener=killed_at(9), **keys))
    newest = tmp_path / "run" / NEWEST
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    assert same_weights(whole, fit(job(family, tmp_path / "run", **keys)))
    assert "going back to the checkpoint before it" in caplog.text
    for file in (tmp_path / "run").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(DamagedError, match=r"\.safetensors: damaged"):
        fit(job(family, tmp_path / "run", **keys))


def test_a_checkpoint_of_another_model_is_refused(family: str, tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        fit(job(family, tmp_path, steps=9, checkpoint_steps=3, listener=killed_at(3)))
    checkpoint = read_checkpoint(tmp_path / NEWEST)
    renamed = {name.replace("model.", "model.x", 1): value for name, value in checkpoint.tensors.items()}
    facts = {key: value for key, value in checkpoint.facts.items() if key not in ("format", "digest")}
    checkpoints.write_checkpoint(tmp_path / NEWEST, checkpoints.Checkpoint(renamed, facts))
    with pytest.raises(DamagedError, match="a checkpoint of another model or recipe"):
        fit(job(family, tmp_path, steps=9))


def test_a_full_disk_leaves_the_checkpoint_before(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: dict[str, Any] = {"steps": 13, "checkpoint_steps": 3}
    whole = fit(job(family, tmp_path / "whole", **keys))
    written = 0

    def full(*arguments: Any, **options: Any) -> None:
        nonlocal written
        written += 1
        if written == 3:
            raise OSError(28, "No space left on device")
        save(*arguments, **options)

    import safetensors.numpy

    save = safetensors.numpy.save_file
    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(DiskFullError, match="no space left on the disk"):
        fit(job(family, tmp_path / "run", **keys))
    assert not [file for file in (tmp_path / "run").iterdir() if "partial" in file.name]
    assert same_weights(whole, fit(job(family, tmp_path / "run", **keys)))


def test_no_budget_is_an_error_that_names_the_keys(family: str) -> None:
    with pytest.raises(UsageError, match=r"one of training\.minutes, steps, tokens or epochs"):
        fit(job(family))


def begun(family: str, folder: Path | None = None, *, listener: Any = silent, **keys: Any) -> Fitted:
    """Fit a job whose embeddings begin with vectors that know which id follows which."""
    asked = job(family, folder, listener=listener, **keys)
    chosen = asked.family
    assert isinstance(chosen, Embeds)
    width, turns = (
        getattr(asked.model_config, chosen.embedding_key),
        np.arange(VOCABULARY.size)[:, None] * 2 * np.pi / 12,
    )
    waves = np.concatenate([np.cos(turns * np.arange(1, 4)), np.sin(turns * np.arange(1, 4))], axis=1)
    vectors = np.tile(waves, (1, -(-width // 6)))[:, :width].astype(np.float32)
    return fit(dataclasses.replace(asked, first_vectors=FirstVectors(vectors, np.arange(VOCABULARY.size) > 0)))


def test_a_run_that_begins_with_vectors_learns_and_resumes_like_others(family: str, tmp_path: Path) -> None:
    if not isinstance(FAMILIES.get(family), Embeds):
        pytest.skip("embeds no ids")
    whole = begun(family, steps=13)
    assert not same_weights(whole, fit(job(family, steps=13)))
    with pytest.raises(KilledError):
        begun(family, tmp_path, steps=13, checkpoint_steps=3, listener=killed_at(7))
    recorder = Recorder()
    assert same_weights(whole, begun(family, tmp_path, steps=13, checkpoint_steps=3, listener=recorder))
    assert len(recorder.of("resume")) == 1
    assert begun(family, **enough(family)).facts["dev_loss"] < 0.9 * np.log(choices(family))
