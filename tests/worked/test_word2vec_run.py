"""A run of Word2Vec in figures: how text is cut, how the learning rate falls, what is told and kept of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import Recorder
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import DamagedError, UsageError
from ziggurat.core.types import Event, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.models.word_vectors import WordVectors, WordVectorsConfig
from ziggurat.training.checkpoints import NEWEST, Checkpoint, read_checkpoint, write_checkpoint
from ziggurat.training.job import Job, silent
from ziggurat.training.word2vec import Config, fit

VOCABULARY = Vocabulary(size=19, bos=0, eos=0, unk=1)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of some hundred words are cut too."""
    monkeypatch.setattr("ziggurat.training.word2vec._SHORTEST_STRETCH", 31)
    monkeypatch.setattr("ziggurat.training.word2vec._REPORT_SECONDS", 0.001)
    monkeypatch.setattr("ziggurat.training.word2vec._PART", 29)


def stream(words: int, *, seed: int = 0) -> MemoryStream:
    """One text of so many words: with the ids at its ends, two tokens more."""
    return MemoryStream.of([np.random.default_rng(seed).integers(2, 19, words).tolist()], VOCABULARY)


def job(words: int = 300, folder: Path | None = None, *, dev: int = 0, listener: Any = silent, **keys: Any) -> Job:
    return Job(
        family=FAMILIES.get("word_vectors"),
        model_config=WordVectorsConfig(width=11),
        config=from_mapping(Config, {"threads": 1, "sample": 0.0, **keys}, where="training"),
        train=stream(words),
        dev=stream(dev, seed=1) if dev else None,
        seed=7,
        folder=folder,
        listener=listener,
    )


@pytest.mark.parametrize(
    ("words", "stretches"),
    [
        (29, 1),  # 31 tokens: one stretch of the shortest length
        (30, 2),  # 32 tokens
        (300, 10),  # 302 tokens: 302 / 31 = 9.7
        (1982, 64),  # 1984 = 64 · 31
        (5000, 65),  # 5002 // 64 = 78 tokens each; 5002 / 78 = 64.1
    ],
)
def test_text_is_cut_into_about_sixty_four_stretches(words: int, stretches: int) -> None:
    recorder = Recorder()
    facts = fit(job(words, listener=recorder, epochs=3)).facts
    assert recorder.events[0]["total_steps"] == facts["steps"] == 3 * stretches
    assert facts["tokens"] == 3 * words
    assert facts["epochs"] == 3


def test_the_learning_rate_falls_in_a_straight_line(tmp_path: Path) -> None:
    # 10 stretches, 2 passes: after k of 20 the rate is 0.5 (1 − k / 20) + 0.1 k / 20 = 0.5 − 0.02 k
    recorder = Recorder()
    keys: dict[str, Any] = {"epochs": 2, "learning_rate": 0.5, "final_rate": 0.1, "checkpoint_seconds": 0.0}
    fit(job(folder=tmp_path, listener=recorder, **keys))
    told = recorder.of("step")
    assert len(told) > 2
    for event in told:
        assert event["learning_rate"] == pytest.approx(0.5 - 0.02 * float(event["step"]))
        assert event["epoch"] == pytest.approx(float(event["step"]) / 10)
    assert [event["step"] for event in recorder.of("checkpoint")] == list(range(1, 20))


def test_parts_of_held_out_text_add_up_to_its_loss() -> None:
    # 101 words and the two ends are 103 tokens: parts of 29, 29, 29 and 16
    facts = fit(job(dev=101, window=2, dynamic_window=False)).facts
    parts = facts["dev_parts"]
    # a part of n words in a row has 2 (n − 1) + 2 (n − 2) = 4 n − 6 pairs; words: 28, 29, 29 and 15
    assert [pairs for _, pairs in parts] == [4 * n - 6 for n in (28, 29, 29, 15)]
    assert facts["dev_pairs"] == sum(pairs for _, pairs in parts)
    assert facts["dev_loss"] == pytest.approx(sum(nats for nats, _ in parts) / facts["dev_pairs"], abs=1e-5)


def test_without_held_out_text_there_is_no_such_loss() -> None:
    assert not [name for name in fit(job()).facts if name.startswith("dev_")]


def test_an_untrained_model_guesses_by_heads_and_tails() -> None:
    # at rate 0 targets stay zeros: each of 1 + 5 questions costs log 2, less where a sample is the word itself
    facts = fit(job(dev=101, epochs=1, learning_rate=0.0, final_rate=0.0)).facts
    assert facts["loss"] < 6 * np.log(2)
    assert facts["loss"] == pytest.approx((1 + 5 * 16 / 17) * np.log(2), rel=0.01)  # 17 words, about as frequent
    model = fit(job(epochs=1, learning_rate=0.0, final_rate=0.0)).model
    assert isinstance(model, WordVectors)
    drawn: Any = FAMILIES.get("word_vectors").build(WordVectorsConfig(width=11), VOCABULARY, seed=7)
    assert np.array_equal(model.vectors, drawn.vectors)


def test_a_model_knows_how_often_its_words_occurred() -> None:
    model = fit(job(300)).model
    assert isinstance(model, WordVectors)
    assert model.counts is not None
    assert model.counts.sum() == 300
    assert model.counts.tolist() == [0, 0, *(int((stream(300).tokens == word).sum()) for word in range(2, 19))]


def test_frequent_words_that_are_left_out_are_still_read() -> None:
    whole, thinned = fit(job(sample=0.0, epochs=1)).facts, fit(job(sample=1e-3, epochs=1)).facts
    assert whole["tokens"] == thinned["tokens"] == 300
    assert whole["loss"] != thinned["loss"]


# -- checkpoints ------------------------------------------------------------------------------------------------------


class EnoughError(Exception):
    """The test has seen enough of the run."""


def stopped(folder: Path, *, at: int, **keys: Any) -> None:
    """Run until the checkpoint behind stretch ``at``."""

    def act(event: Event) -> None:
        if event["event"] == "checkpoint" and event["step"] == at:
            raise EnoughError

    with pytest.raises(EnoughError):
        fit(job(folder=folder, listener=act, checkpoint_seconds=0.0, **keys))


def test_a_checkpoint_says_how_far_the_run_is(tmp_path: Path) -> None:
    stopped(tmp_path, at=13, epochs=3)
    progress = read_checkpoint(tmp_path / NEWEST).facts["progress"]
    assert (progress["next"], progress["total"]) == (13, 30)
    words = [tally[0] for tally in progress["tallies"]]
    # a whole pass, then three of its stretches of 31 tokens, in whatever order; few of the tokens are ends of texts
    assert words[0] == 300
    assert 3 * 22 <= words[1] <= 3 * 31
    assert words[2] == 0


@pytest.mark.parametrize("at", [1, 10, 29])
def test_going_on_from_a_stretch_is_as_if_it_had_not_stopped(at: int, tmp_path: Path) -> None:
    whole = fit(job(epochs=3, dev=53)).facts
    stopped(tmp_path, at=at, epochs=3, dev=53)
    recorder = Recorder()
    facts = fit(job(folder=tmp_path, listener=recorder, epochs=3, dev=53)).facts
    assert recorder.events[0] == {"event": "resume", "step": at, "parameters": 2 * 19 * 16, "total_steps": 30}
    for name in ("losses", "tokens", "steps", "dev_loss", "dev_parts"):
        assert facts[name] == whole[name], name


def test_a_damaged_newest_checkpoint_costs_one_stretch_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = fit(job(epochs=3)).facts
    stopped(tmp_path, at=13, epochs=3)
    raw = bytearray((tmp_path / NEWEST).read_bytes())
    raw[-3] ^= 255
    (tmp_path / NEWEST).write_bytes(raw)
    recorder = Recorder()
    facts = fit(job(folder=tmp_path, listener=recorder, epochs=3)).facts
    assert recorder.events[0]["step"] == 12
    assert "going back to the checkpoint before it" in caplog.text
    assert facts["losses"] == whole["losses"]


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.pop("next"),
        lambda facts: facts.update(next="many"),
        lambda facts: facts.update(tallies=[[1, 2]]),
        lambda facts: facts.update(tallies=None),
        lambda facts: facts.update(total=31),
    ],
)
def test_facts_that_say_nothing_of_the_run_are_refused_with_the_file(change: Any, tmp_path: Path) -> None:
    stopped(tmp_path, at=3)
    checkpoint = read_checkpoint(tmp_path / NEWEST)
    progress = dict(checkpoint.facts["progress"])
    change(progress)
    write_checkpoint(tmp_path / NEWEST, Checkpoint(checkpoint.tensors, {"progress": progress}))
    with pytest.raises(DamagedError, match=r"last\.safetensors: a checkpoint of another model or recipe; resume with"):
        fit(job(folder=tmp_path))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"negatives": 0}, "negatives: must be from 1 to 100, got 0"),
        ({"window": 0}, "window: must be from 1 to 1000, got 0"),
        ({"objective": "softmx"}, "objective: unknown value 'softmx'; did you mean 'softmax'?"),
        ({"architecture": "skip-gram"}, "architecture: unknown value 'skip-gram'; did you mean 'skipgram'?"),
        ({"sample": -1.0}, "sample: must be at least 0.0, got -1.0"),
        ({"epochs": 0}, "epochs: must be at least 1, got 0"),
        ({"epochs": 1.5}, "epochs: expected a whole number, got 1.5"),
        ({"power": 5.0}, "power: must be from -4.0 to 4.0, got 5.0"),
    ],
)
def test_keys_out_of_their_limits_are_named(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_mapping(Config, keys, where="my.toml [training]")
    assert said in str(caught.value)
