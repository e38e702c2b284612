"""Labels after a few examples, and conversations, in Python."""

from pathlib import Path

import pytest

import ziggurat
from tests.fakes.bundles import make_bundle
from tests.journeys.test_cli_chat import talker
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.use.completion import GenerationConfig

EXAMPLES = [("one two", "four"), ("three", "five"), ("nine", "four")]


@pytest.fixture
def model(tmp_path: Path) -> ziggurat.Model:
    return ziggurat.load(make_bundle(tmp_path / "bundle", "decoder").path)


def test_a_few_examples_make_a_classifier(model: ziggurat.Model) -> None:
    classifier = model.few_shot(EXAMPLES, template="eight {text} seven {label}", separator=" ")
    assert classifier.labels == ("five", "four")
    assert (
        classifier.prompt("six")
        == "eight one two seven four eight three seven five eight nine seven four eight six seven"
    )
    found = classifier.label(["six", "one one"])
    assert {one.label for one in found} <= {"four", "five"}
    assert all(one.shots == 3 for one in found)


def test_words_can_stand_for_labels_and_no_example_is_needed(model: ziggurat.Model) -> None:
    classifier = model.few_shot([], {"bad": "one", "good": "two three"}, template="{text} seven {label}", score="mean")
    (found,) = classifier.label(["six"])
    assert found.label in {"bad", "good"}
    assert set(found.logprobs) == {"bad", "good"}


def test_what_can_not_be_told_apart_and_what_is_no_option(model: ziggurat.Model) -> None:
    with pytest.raises(UsageError, match="0 labels: there is nothing to tell apart"):
        model.few_shot([])
    with pytest.raises(UnknownNameError, match="unknown key 'templat'; did you mean 'template'"):
        model.few_shot(EXAMPLES, templat="x")
    with pytest.raises(UnknownNameError, match="unknown label 'five'"):
        model.few_shot(EXAMPLES, {"four": "one", "fve": "two"})


def test_a_conversation_in_python(tmp_path: Path, model: ziggurat.Model) -> None:
    talk = ziggurat.load(talker(tmp_path / "talker")).conversation(system="Be brief")
    found = talk.answer("the tower", GenerationConfig(max_tokens=5, temperature=0.0))
    assert 1 <= len(found.ids) <= 5
    assert [turn["role"] for turn in talk.turns] == ["user", "assistant"]
    with pytest.raises(UsageError, match="no chat template"):
        model.conversation()
