"""``ziggurat complete``: what may follow a text, keys saved on texts typed again, refusals, in two languages."""

import json
from pathlib import Path

import pytest

import ziggurat as ziggurat_package
from tests.journeys.conftest import Ziggurat, train
from ziggurat.artefacts.bundle import load
from ziggurat.core.errors import UnknownNameError
from ziggurat.core.types import Document
from ziggurat.judge.keystrokes import keystrokes
from ziggurat.surface.terminal import one_line
from ziggurat.use.suggesting import SuggestConfig, Suggester

LINE = "the king walked to the old tower and the queen walked to the new tower. "


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completing")
    (folder / "texts").mkdir()
    for number in range(20):
        lines = "".join(f"{LINE}{10 * number + line}\n" for line in range(10))
        (folder / "texts" / f"{number}.txt").write_text(lines, encoding="utf-8")
    return train(folder / "run", folder / "texts", "--recipe", "ngram", "--tokens.vocab_size", "300")


def test_what_may_follow_is_printed(bundle: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    typed = tmp_path / "typed.txt"
    typed.write_text("the king wal", encoding="utf-8")
    found = ziggurat("complete", bundle, typed, "--suggestions", "3")
    opened = load(bundle)
    suggester = Suggester(opened.language_model, opened.tokenizer, SuggestConfig(suggestions=3))
    suggester.type("the king wal")
    expected = suggester.suggest()
    assert expected[0].text.startswith("ked to ")
    assert (found.code, found.out) == (0, "".join(f"{one.probability:.4f}\t{one_line(one.text)}\n" for one in expected))
    told = json.loads(ziggurat("complete", bundle, typed, "--suggestions", "3", "--json").out)
    assert [one["text"] for one in told["suggestions"]] == [one.text for one in expected]


def test_a_space_at_the_end_was_typed(bundle: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    opened = load(bundle)
    for text, ended in (
        ("the king walked to the ", ""),
        ("the king walked to the ", "\n"),
        ("the king walked to the", "\n"),
    ):
        (tmp_path / "typed.txt").write_text(text + ended, encoding="utf-8")
        found = ziggurat("complete", bundle, tmp_path / "typed.txt", "--json", "--suggestions", "3")
        suggester = Suggester(opened.language_model, opened.tokenizer, SuggestConfig(suggestions=3))
        suggester.type(text)
        assert [one["text"] for one in json.loads(found.out)["suggestions"]] == [
            one.text for one in suggester.suggest()
        ]


def test_in_python(bundle: Path) -> None:
    typing = ziggurat_package.load(bundle).suggester(suggestions=2)
    typing.type("the king wal")
    assert [one.text.startswith("ked") for one in typing.suggest()] == [True, True]
    with pytest.raises(UnknownNameError, match="suggestions"):
        ziggurat_package.load(bundle).suggester(suggestion=2)


def test_keys_saved_are_measured(bundle: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    texts = [tmp_path / "one.txt", tmp_path / "two.txt"]
    texts[0].write_text("the queen walked to the old tower.", encoding="utf-8")
    texts[1].write_text("zzz", encoding="utf-8")
    opened = load(bundle)
    documents = [Document(path.name, path.read_text(encoding="utf-8")[:25]) for path in texts]
    expected = keystrokes(opened.language_model, opened.tokenizer, documents, SuggestConfig())
    assert 0 < expected.saved < 1
    told = json.loads(ziggurat("complete", bundle, *texts, "--measure", "--characters", "25", "--json").out)
    assert told["keystrokes_saved"] == pytest.approx(expected.saved)
    assert (told["characters"], told["documents"], told["suggestions"]) == (28, 2, 1)
    found = ziggurat("complete", bundle, *texts, "--measure", "--characters", "25")
    assert f"keys saved: {expected.saved:.1%} (95 % interval " in found.out
    assert len(found.out.splitlines()) == 4
    assert "节省按键" in ziggurat("complete", bundle, *texts, "--measure", "--lang", "zh").out
    first = json.loads(ziggurat("complete", bundle, *texts, "--measure", "--minutes", "0", "--json").out)
    assert first["documents"] == 1


def test_refusals(bundle: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("", encoding="utf-8")
    refused: list[tuple[list[str | Path], str]] = [
        ([bundle, empty, "--characters", "3"], "--characters: goes with --measure only"),
        ([bundle, empty, "--minutes", "3"], "--minutes: goes with --measure only"),
        ([bundle, empty, "--seed", "3"], "--seed: goes with --measure only"),
        ([bundle, empty, "--suggestions", "0"], "--suggestions: must be at least 1, got 0"),
        ([bundle, tmp_path / "none.txt"], "none.txt"),
        ([tmp_path / "none", empty], "none"),
    ]
    for arguments, message in refused:
        found = ziggurat("complete", *arguments)
        assert (found.code, found.out) == (2, ""), arguments
        assert message in found.err
