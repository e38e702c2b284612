"""The task of translation: what it reads, what it asks of a model, and what stays without an answer."""

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bundles import make_bundle
from ziggurat.artefacts.bundle import Bundle, load, record
from ziggurat.artefacts.card import write_card
from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.types import Example, Told
from ziggurat.judge.tasks import judge_task
from ziggurat.text.options import TextConfig
from ziggurat.text.parallel import prepare_pairs
from ziggurat.training.job import silent
from ziggurat.use.tasks import TASKS
from ziggurat.use.tasks.translation import SEARCH
from ziggurat.use.translation import translate_beam

TASK = TASKS.get("translation")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("translation") / "tiny", "seq2seq")


def test_pairs_are_examples(tmp_path: Path) -> None:
    (tmp_path / "a.de").write_text("ein Turm\nzwei\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("a tower\ntwo\n", encoding="utf-8")
    name = f"{tmp_path}/a.de,{tmp_path}/a.en"
    assert list(TASK.read([name], labelled=True)) == [
        Example(f"{name}:1", "ein Turm", "a tower"),
        Example(f"{name}:2", "zwei", "two"),
    ]


def test_what_is_to_be_translated_is_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "a.de").write_text("\ufeff ein Turm \n\nzwei\ttabs\n", encoding="utf-8")
    found = list(TASK.read([f"{tmp_path}/a.de"], labelled=False))
    assert [example.input for example in found] == ["ein Turm", "", "zwei\ttabs"]
    assert [example.id for example in found][2] == f"{tmp_path}/a.de:3"


def test_a_split_is_its_pairs(tmp_path: Path) -> None:
    for split, first in (("train", 0), ("test", 50)):
        lines = "".join(f"source {number}\ttarget {number}\n" for number in range(first, first + 13))
        (tmp_path / f"{split}.tsv").write_text(lines, encoding="utf-8")
    names = [f"{tmp_path}/train.tsv", f"test={tmp_path}/test.tsv"]
    corpus = prepare_pairs(names, TextConfig(duplicates="exact"), folder=tmp_path / "text", listener=silent)
    found = list(TASK.examples(corpus.test))
    assert (len(found), found[0].input, found[0].answer) == (13, "source 50", "target 50")


def test_answers_are_those_of_beam_search(made: Bundle) -> None:
    sources = ["two four", " one ", "three"]
    model: Any = made.model
    (one, two, three) = translate_beam(model, made.tokenizer, [text.strip() for text in sources], SEARCH)
    told = TASK.decode(made.model, made.tokenizer, sources)
    assert [said.answer for said in told] == [" ".join(best[0].text.split()) for best in (one, two, three)]
    assert {said.confidence for said in told} == {None}


def test_what_is_empty_or_too_long_gets_an_empty_answer(made: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    model: Any = made.model
    told = TASK.decode(made.model, made.tokenizer, ["", "two " * (model.context + 3), "two", "  "])
    assert [said.answer for said in told][:2] == ["", ""]
    assert told[3] == Told("")
    assert told[2] == TASK.decode(made.model, made.tokenizer, ["two"])[0]
    assert "1 sources are longer than the model's context" in caplog.text
    assert TASK.decode(made.model, made.tokenizer, []) == []


def test_it_is_measured_with_signatures_and_oddities_and_the_card_says_so(made: Bundle) -> None:
    pytest.importorskip("sacrebleu", reason="the extra tasks is not installed")
    asked = [Example("a:1", "two four", "four two"), Example("a:2", "one", "one one")]
    found = judge_task(TASK, made, asked)
    assert set(found.answers.signatures) == {"bleu", "chrf"}
    assert found.oddities is not None
    assert found.figures()["oddities"]["length_ratio"] == found.oddities.length_ratio
    assert found.reliability is None
    assert set(found.entries()) == {"bleu", "bleu_low", "bleu_high", "chrf", "examples"}
    record(made.path, {"test": found.entries()})
    assert "BLEU (test)" in write_card(load(made.path).manifest)


def test_an_answer_is_a_line() -> None:
    assert TASK.written(Example("a:1", "ein"), Told("a")) == "a\n"
    assert TASK.shown("ein", "a") == "a"


def test_what_is_refused(made: Bundle) -> None:
    assert TASK.asked("ein Turm", where="inputs[0]") == "ein Turm"
    with pytest.raises(InputError, match=r"inputs\[1\]: 3 is no text"):
        TASK.asked(3, where="inputs[1]")
    with pytest.raises(UsageError, match="translates nothing"):
        TASK.decode(make_bundle(made.path.parent / "other", "linear").model, made.tokenizer, ["a"])
