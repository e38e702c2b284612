"""What is true of every kind of Word2Vec: the same vectors from one thread, exact resumption, a loss that falls."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.jobs import Recorder
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import DamagedError, InterruptedRunError, TooLittleTextError, UsageError
from ziggurat.core.types import Event, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.models.word_vectors import WordVectors, WordVectorsConfig
from ziggurat.training.job import Fitted, Job, Spelling, silent
from ziggurat.training.word2vec import Config, fit

VOCABULARY = Vocabulary(size=43, bos=0, eos=0, unk=1)
KINDS: list[dict[str, Any]] = [
    {"architecture": architecture, "objective": objective, "spelled": spelled}
    for architecture, objective, spelled in itertools.product(
        ("skipgram", "cbow"), ("negative", "hierarchical", "softmax"), (False, True)
    )
    if not (spelled and objective == "softmax")
]


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of milliseconds are looked at often enough to stop in their middle."""
    monkeypatch.setattr("ziggurat.training.word2vec._REPORT_SECONDS", 0.001)
    monkeypatch.setattr("ziggurat.training.word2vec._SHORTEST_STRETCH", 31)


@pytest.fixture(params=KINDS, ids=lambda kind: "-".join(str(value) for value in kind.values()))
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


def stream(documents: int = 97, *, seed: int = 0) -> MemoryStream:
    """Texts of one of two topics: nine words in ten are even, or nine in ten are odd."""
    dice = np.random.default_rng(seed)
    found = []
    for _ in range(documents):
        topic = int(dice.integers(0, 2))
        drawn = dice.integers(1, 21, int(dice.integers(5, 61)))
        found.append([int(2 * word + (topic if dice.random() < 0.9 else 1 - topic)) for word in drawn])
    return MemoryStream.of(found, VOCABULARY)


def spelling() -> Spelling:
    """Each word has three n-grams, one of them shared by all even or all odd words."""
    buckets = np.array([[100 + word % 2, 7 * word % 53, 200 + word] for word in range(43)], np.int32)
    return Spelling(np.arange(44, dtype=np.int64) * 3, buckets.ravel())


def job(kind: dict[str, Any], folder: Path | None = None, *, listener: Any = silent, **keys: Any) -> Job:
    settings = {key: value for key, value in kind.items() if key != "spelled"}
    settings |= {"threads": 1, "window": 3, "sample": 0.01, "epochs": 3, "learning_rate": 0.1, **keys}
    return Job(
        family=FAMILIES.get("word_vectors"),
        model_config=WordVectorsConfig(width=23, longest_ngram=3 if kind["spelled"] else 0, buckets=257),
        config=from_mapping(Config, settings, where="training"),
        train=stream(),
        dev=stream(7, seed=1),
        seed=7,
        folder=folder,
        listener=listener,
        spelling=spelling() if kind["spelled"] else None,
    )


def vectors(fitted: Fitted) -> WordVectors:
    assert isinstance(fitted.model, WordVectors)
    return fitted.model


def same(one: Fitted, two: Fitted) -> bool:
    """Whether two models are equal to the last bit."""
    first, second = (FAMILIES.get("word_vectors").state(fitted.model)[1] for fitted in (one, two))
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def test_one_thread_gives_the_same_vectors_every_time(kind: dict[str, Any]) -> None:
    assert same(fit(job(kind)), fit(job(kind)))


def test_another_seed_gives_other_vectors(kind: dict[str, Any]) -> None:
    first = job(kind)
    other = Job(**{**{name: getattr(first, name) for name in first.__dataclass_fields__}, "seed": 8})
    assert not same(fit(first), fit(other))


def test_the_loss_falls_and_is_finite_and_held_out_text_is_measured(kind: dict[str, Any]) -> None:
    untrained = fit(job(kind, epochs=1, learning_rate=0.0, final_rate=0.0)).facts["dev_loss"]
    facts = fit(job(kind, epochs=11, learning_rate=0.05)).facts
    losses = facts["losses"]
    assert len(losses) == 11
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    assert facts["loss"] == losses[-1]
    assert 0 < facts["dev_loss"] < 0.99 * untrained
    assert facts["dev_pairs"] > 0
    assert facts["tokens"] == 11 * int((stream().tokens > 1).sum())


def test_words_that_meet_are_near_each_other(kind: dict[str, Any]) -> None:
    model = vectors(fit(job(kind, epochs=20)))
    unit = model.vectors[2:] / np.linalg.norm(model.vectors[2:], axis=1, keepdims=True)
    alike = np.equal.outer(np.arange(41) % 2, np.arange(41) % 2)
    others = ~np.eye(41, dtype=bool)
    cosines = unit @ unit.T
    assert cosines[alike & others].mean() > cosines[~alike].mean() + 0.1


def test_what_is_no_word_has_no_vector(kind: dict[str, Any]) -> None:
    model = vectors(fit(job(kind)))
    assert not model.vectors[:2].any()
    assert model.counts is not None
    assert model.counts[:2].tolist() == [0, 0]
    assert (model.ngrams is not None) == kind["spelled"]


@pytest.mark.parametrize("stop", [0, 41, 97])
def test_a_run_that_was_stopped_ends_with_the_same_vectors(kind: dict[str, Any], stop: int, tmp_path: Path) -> None:
    def act(event: Event) -> None:
        if event["event"] == "checkpoint" and int(event["step"]) > stop:
            raise KeyboardInterrupt

    whole = fit(job(kind))
    recorder = Recorder()
    with pytest.raises(KeyboardInterrupt):
        fit(job(kind, tmp_path, listener=act, checkpoint_seconds=0.0))
    resumed = fit(job(kind, tmp_path, listener=recorder))
    assert same(whole, resumed)
    assert resumed.facts["losses"] == pytest.approx(whole.facts["losses"], rel=1e-12)
    assert recorder.events[0]["event"] == "resume"


def test_two_threads_learn_it_too(kind: dict[str, Any]) -> None:
    one, two = fit(job(kind, epochs=5)).facts, fit(job(kind, epochs=5, threads=2)).facts
    assert two["tokens"] == one["tokens"]
    assert two["threads"] == 2
    assert two["dev_loss"] == pytest.approx(one["dev_loss"], rel=0.1)


def test_targets_vectors_are_kept_where_asked(kind: dict[str, Any]) -> None:
    assert vectors(fit(job(kind))).outputs is None
    if kind["objective"] == "hierarchical":
        with pytest.raises(UsageError, match="keep_outputs: a tree's targets are its nodes and no words"):
            job(kind, keep_outputs=True)
        return
    kept = vectors(fit(job(kind, keep_outputs=True))).outputs
    assert kept is not None
    assert kept.shape == (43, 23)
    assert kept.any()


def test_events_say_how_far_it_is() -> None:
    recorder = Recorder()
    fit(job(KINDS[0], listener=recorder))
    assert recorder.events[0]["event"] == "start"
    assert recorder.events[-1]["event"] == "end"
    last = recorder.of("step")[-1]
    assert last["step"] == recorder.events[0]["total_steps"]
    assert last["epoch"] == 3.0
    assert last["seconds_left"] == 0
    assert last["per"] == "pair"
    assert float(last["words_per_second"]) > 0


def test_a_stop_that_is_asked_for_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    import os
    import signal

    def act(event: Event) -> None:
        if event["event"] == "start":
            os.kill(os.getpid(), signal.SIGINT)

    whole = fit(job(KINDS[0]))
    with pytest.raises(InterruptedRunError, match="go on with: ziggurat train --resume"):
        fit(job(KINDS[0], tmp_path / "checkpoints", listener=act))
    assert same(whole, fit(job(KINDS[0], tmp_path / "checkpoints")))


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    def act(event: Event) -> None:
        if event["event"] == "checkpoint":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(job(KINDS[0], tmp_path, listener=act, checkpoint_seconds=0.0))
    with pytest.raises(DamagedError, match="a checkpoint of another model or recipe"):
        fit(job(KINDS[0], tmp_path, epochs=4))


def test_a_checkpoint_of_another_seed_or_recipe_is_refused_and_of_other_threads_is_not(tmp_path: Path) -> None:
    def act(event: Event) -> None:
        if event["event"] == "checkpoint":
            raise KeyboardInterrupt

    first = job(KINDS[0], tmp_path, listener=act, checkpoint_seconds=0.0)
    with pytest.raises(KeyboardInterrupt):
        fit(first)
    fields = {name: getattr(first, name) for name in first.__dataclass_fields__} | {"listener": silent}
    others = [
        Job(**{**fields, "seed": 8}),
        job(KINDS[0], tmp_path, learning_rate=0.11),
        job({**KINDS[0], "objective": "hierarchical"}, tmp_path),
    ]
    for other in others:  # of as many stretches and matrices of the same form
        with pytest.raises(DamagedError, match="a checkpoint of another model or recipe"):
            fit(other)
    recorder = Recorder()
    fit(job(KINDS[0], tmp_path, listener=recorder, threads=2, keep_outputs=True))
    assert recorder.events[0]["event"] == "resume"


def test_two_words_are_the_least() -> None:
    few = job(KINDS[0])
    fields = {name: getattr(few, name) for name in few.__dataclass_fields__}
    for documents in ([], [[1, 1]], [[5, 5, 5]]):
        with pytest.raises(TooLittleTextError, match="fewer than two different words"):
            fit(Job(**{**fields, "train": MemoryStream.of(documents, VOCABULARY)}))
    fit(Job(**{**fields, "train": MemoryStream.of([[5, 7]], VOCABULARY)}))


def test_the_exact_softmax_knows_no_ngrams() -> None:
    with pytest.raises(UsageError, match=r"training\.objective: softmax knows whole words only"):
        fit(job({"architecture": "skipgram", "objective": "softmax", "spelled": True}))


def test_a_rate_at_which_vectors_explode_is_refused_by_its_name() -> None:
    fitted = fit(job(KINDS[0], learning_rate=0.3, final_rate=0.3))
    assert np.isfinite(fitted.facts["losses"]).all()
    with pytest.raises(UsageError, match=r"training\.learning_rate: .* lower it \(now 1e\+06\)"):
        fit(job(KINDS[0], learning_rate=1e6, final_rate=1e6))


def test_vectors_that_explode_in_the_last_stretch_are_refused_too() -> None:
    # one stretch: the losses are finite, since products count up to 30, while numbers pass 10^20, whose squares are
    # beyond 32 bits
    few = job(KINDS[0], learning_rate=3.0, final_rate=3.0, epochs=1, sample=0.0)
    fields = {name: getattr(few, name) for name in few.__dataclass_fields__}
    short = MemoryStream.of([[5, 7, 9, 11] * 7], VOCABULARY)
    with pytest.raises(UsageError, match=r"training\.learning_rate: .* lower it \(now 3\)"):
        fit(Job(**{**fields, "train": short, "dev": None}))


def test_what_fails_in_a_thread_ends_the_run() -> None:
    class Torn(MemoryStream):
        """A stream whose map breaks."""

        broken = False

        def __getattribute__(self, name: str) -> Any:
            if name == "tokens" and Torn.broken:
                raise OSError("the map is gone")
            return super().__getattribute__(name)

    def act(event: Event) -> None:
        Torn.broken = event["event"] == "start"

    whole = stream()
    first = job(KINDS[0], listener=act)
    fields = {name: getattr(first, name) for name in first.__dataclass_fields__}
    with pytest.raises(OSError, match="the map is gone"):
        fit(Job(**{**fields, "train": Torn(whole.vocabulary, whole.tokens, whole.starts)}))
