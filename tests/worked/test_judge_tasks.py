"""What a task's answers are worth, by hand: metrics, calibration, and what a manifest keeps of it."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tests.fakes.bundles import make_bundle
from ziggurat.artefacts.bundle import Bundle, load, record
from ziggurat.artefacts.card import write_card
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.tasks import MarksWords, Task
from ziggurat.core.types import Example, Told
from ziggurat.judge.tasks import CHUNK, judge_task, told
from ziggurat.text.roles import RoleSentence
from ziggurat.use.tasks import TASKS

GOLD = ["up", "up", "down", "down", "up"]
SAID = [("up", 0.9), ("down", 0.6), ("down", 0.8), ("down", 0.8), ("up", 0.9)]


class Written:
    """A task whose answers are written down, and which remembers at which temperature it was asked."""

    name = "written"
    metrics: tuple[str, ...] = ("accuracy", "macro_f1")

    def __init__(self, answers: Sequence[tuple[Any, float | None]] = SAID) -> None:
        self.answers = dict(enumerate(answers))
        self.temperatures: list[float] = []
        self.sizes: list[int] = []

    def decode(self, model: Any, tokenizer: Any, inputs: Sequence[Any], *, temperature: float = 1.0) -> list[Told]:
        del model, tokenizer
        self.temperatures.append(temperature)
        self.sizes.append(len(inputs))
        return [Told(*self.answers[number % len(self.answers)]) for number in inputs]


def bundle(temperature: float | None = None) -> Bundle:
    def entry(name: str) -> Any:
        if name == "metrics.dev.temperature" and temperature is not None:
            return temperature
        raise KeyError(name)

    return cast("Bundle", SimpleNamespace(model=None, tokenizer=None, manifest=SimpleNamespace(entry=entry)))


def examples(gold: Sequence[Any] = GOLD) -> list[Example]:
    return [Example(f"a:{number}", number, answer) for number, answer in enumerate(gold)]


def test_metrics_and_errors_by_hand() -> None:
    found = judge_task(cast("Task", Written()), bundle(), examples())
    # 4 of 5; up: right 2, stands 3, said 2, 2 · 2 / 5 = 0.8; down: right 2, stands 2, said 3, 0.8
    assert {name: interval.value for name, interval in found.answers.metrics} == pytest.approx(
        {"accuracy": 0.8, "macro_f1": 0.8}
    )
    assert [(error.id, error.asked) for error in found.answers.errors] == [("a:1", 1)]
    assert found.reliability is not None
    # 0.9 twice and right, 0.6 once and wrong, 0.8 twice and right: (2 · 0.1 + 0.6 + 2 · 0.2) / 5
    assert found.reliability.expected_calibration_error == pytest.approx(0.24)
    (error,) = found.figures()["errors"]
    assert (error["input"], error["predicted"], error["gold"]) == (1, "down", "up")


def test_errors_on_one_line_keep_their_own_inputs() -> None:
    same = [Example("a:1", number, "up") for number in (1, 2, 3)]
    found = judge_task(cast("Task", Written()), bundle(), same).figures()["errors"]
    assert [error["input"] for error in found] == [2, 3, 1]
    assert {error["id"] for error in found} == {"a:1"}


def test_what_a_manifest_keeps() -> None:
    entries = judge_task(cast("Task", Written()), bundle(), examples()).entries()
    assert entries["label_accuracy"] == pytest.approx(0.8)
    assert entries["low"] <= 0.8 <= entries["high"]
    assert entries["calibration_error"] == pytest.approx(0.24)
    assert entries["examples"] == 5
    assert "accuracy" not in entries  # which a card explains as that of analogies


def test_who_does_not_say_how_sure_has_no_calibration() -> None:
    silent = Written([(answer, None) for answer, _ in SAID])
    found = judge_task(cast("Task", silent), bundle(), examples())
    assert found.reliability is None
    assert "calibration" not in found.figures()
    assert "calibration_error" not in found.entries()


@pytest.mark.parametrize("temperature", [None, 1.7])
def test_the_bundles_temperature_is_asked_with(temperature: float | None) -> None:
    task = Written()
    list(told(cast("Task", task), bundle(temperature), examples()))
    assert task.temperatures == [1.0 if temperature is None else temperature]


def test_examples_are_asked_bit_by_bit() -> None:
    task = Written()
    asked = (Example(f"a:{number}", number) for number in range(CHUNK + 3))
    answered = told(cast("Task", task), bundle(), asked)
    first, said = next(answered)
    assert (first.id, said.answer, task.sizes) == ("a:0", "up", [CHUNK])
    assert len(list(answered)) == CHUNK + 2
    assert task.sizes == [CHUNK, 3]


def test_no_examples_are_no_test() -> None:
    with pytest.raises(TooLittleTextError, match="no examples to measure on"):
        judge_task(cast("Task", Written()), bundle(), [])


def test_a_real_classifier_knows_its_labels_and_no_others(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "tiny", "linear")
    labels = made.manifest.model["labels"]
    asked = [Example("a:1", "two four", labels[0]), Example("a:2", "one", "a label of nobody")]
    found = judge_task(TASKS.get("classification"), made, asked)
    assert found.answers.unknown == ("a label of nobody",)
    record(made.path, {"test": found.entries()})
    card = write_card(load(made.path).manifest)
    assert f"| expected calibration error (test) | {found.entries()['calibration_error']:,.4g} |" in card
    assert "ziggurat task classification predict" in card


def test_a_real_tagger_knows_types_of_spans(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "tiny", "recurrent_tagger")
    assert made.manifest.gives == "tags"
    kinds = {label.partition("-")[2] for label in made.manifest.model["labels"] if "-" in label}
    asked = [Example("a:1", ("two", "four"), [(0, 1, "NOBODY")]), Example("a:2", ("one",), [])]
    found = judge_task(TASKS.get("ner"), made, asked)
    assert found.answers.unknown == ("NOBODY",)
    assert {row.label for row in found.answers.classes} <= kinds | {"NOBODY"}
    with pytest.raises(UsageError, match="tells no labels"):
        judge_task(TASKS.get("classification"), made, asked)
    assert np.isfinite(found.entries()["span_f1"])


class Marking(Written):
    """A task that marks words: of numbers without a mark, which are negative, it knows less."""

    name = "marking"
    metrics = ("accuracy",)
    marks_words = True

    def unmarked(self, asked: int) -> int:
        return -1 - asked

    def decode(self, model: Any, tokenizer: Any, inputs: Sequence[Any], *, temperature: float = 1.0) -> list[Told]:
        del model, tokenizer, temperature
        return [Told(*SAID[number]) if number >= 0 else Told("up", 0.5) for number in inputs]


def test_a_task_that_marks_words_is_measured_without_marks_too() -> None:
    task = Marking()
    assert isinstance(task, MarksWords)
    assert not isinstance(Written(), MarksWords)
    found = judge_task(cast("Task", task), bundle(), iter(examples()))
    # 4 of 5 as above; always "up" is right thrice of 5
    assert {name: interval.value for name, interval in found.metrics} == {"accuracy": 0.8, "accuracy_found": 0.6}
    assert found.figures()["metrics"]["accuracy_found"]["value"] == 0.6
    assert found.entries()["accuracy_found"] == 0.6
    assert found.reliability is not None
    assert found.reliability.expected_calibration_error == pytest.approx(0.24)  # of what was marked


class Wrong(Written):
    """A task that answers whatever it is asked with one label."""

    def decode(self, model: Any, tokenizer: Any, inputs: Sequence[Any], *, temperature: float = 1.0) -> list[Told]:
        del model, tokenizer, temperature
        return [Told("down", 0.5) for _ in inputs]


def test_words_that_were_asked_are_a_list_in_json() -> None:
    asked = [Example("a:0", RoleSentence("a:0", ("two", "words")), "up"), Example("a:1", "a text", "up")]
    found = judge_task(cast("Task", Wrong()), bundle(), asked).figures()
    assert {error["id"]: error["input"] for error in found["errors"]} == {"a:0": ["two", "words"], "a:1": "a text"}
