"""Questions to word vectors by the command line: answers, JSON, standard input, errors, and in Chinese."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ziggurat as package
from tests.fakes.bundles import make_bundle
from tests.fakes.word_vectors import bundle_of
from tests.journeys.conftest import Ziggurat

ROYAL = {"man": [2, 0, 0], "woman": [0, 3, 0], "king": [3, 0, 4], "queen": [0, 6, 8], "apple": [-5, 0, 0]}
CHINESE = {"男人": [2, 0, 0], "女人": [0, 3, 0], "国王": [3, 0, 4], "王后": [0, 6, 8], "苹果": [-5, 0, 0]}


@pytest.fixture(scope="module")
def royal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(tmp_path_factory.mktemp("vectors") / "royal", ROYAL).path


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(tmp_path_factory.mktemp("vectors") / "王室", CHINESE).path


@pytest.fixture(scope="module")
def spelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose vectors are also made of character n-grams."""
    return make_bundle(tmp_path_factory.mktemp("vectors") / "spelled", "word_vectors").path


def read_from(raw: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    content = raw.encode() if isinstance(raw, str) else raw
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))


# -- answers ----------------------------------------------------------------------------------------------------------


def test_the_nearest_words(royal: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", royal, "man", "--count", "2")
    assert (ended.code, ended.out) == (0, "king   0.6000\nwoman  0.0000\n")
    assert ended.err == f"next: ziggurat vectors map {royal} man\n"


def test_several_words_are_several_questions(royal: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", royal, "man", "woman", "--count", "1", "--quiet")
    assert (ended.out, ended.err) == ("man\n  king  0.6000\n\nwoman\n  queen  0.6000\n", "")


def test_an_analogy_by_both_rules(royal: Path, ziggurat: Ziggurat) -> None:
    # worked in tests/worked/test_use_vectors.py
    asked = ["vectors", "analogy", royal, "man", "king", "woman", "--count", "1"]
    assert ziggurat(*asked).out == "queen  0.9242\n"
    assert ziggurat(*asked, "--method", "multiply").out == "apple  100.0000\n"
    none = ziggurat(*asked, "--restrict", "3")  # all three words of the question, and nobody else
    assert (none.code, none.out) == (0, "")
    assert none.err == "warning: no word is left that could be an answer; allow more with --restrict\n"


def test_the_odd_one_and_how_much_it_is(royal: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "odd-one-out", royal, "man", "apple", "king")
    assert ended.out == "apple\n"
    assert ended.err == "cosine to the mean of all: king 1.000, man 0.600, apple -0.600\n"


def test_similarities_of_two_and_of_more(royal: Path, ziggurat: Ziggurat) -> None:
    assert ziggurat("vectors", "similarity", royal, "king", "queen").out == "0.6400\n"
    table = ziggurat("vectors", "similarity", royal, "king", "queen", "man").out.splitlines()
    assert [line.split() for line in table] == [
        ["king", "queen", "man"],
        ["king", "1.0000", "0.6400", "0.6000"],
        ["queen", "0.6400", "1.0000", "0.0000"],
        ["man", "0.6000", "0.0000", "1.0000"],
    ]


def test_a_word_that_is_made_of_its_letters(spelled: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", spelled, "threes", "--count", "3")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 3
    assert "'threes' is not in the vocabulary: its vector is made of its character n-grams" in ended.err


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_json_says_among_which_words(royal: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", royal, "man", "--count", "1", "--restrict", "3", "--json")
    assert (ended.err, json.loads(ended.out)) == (
        "",
        {
            "version": 1,
            "bundle": str(royal),
            "vocabulary": 5,
            "restrict": 3,
            "method": "add",
            "answers": [{"word": "man", "nearest": [{"word": "king", "score": 0.6}]}],
        },
    )


@pytest.mark.parametrize(
    ("command", "words", "answer"),
    [
        ("analogy", ["man", "king", "woman"], {"words": ["man", "king", "woman"], "nearest": [{"word": "queen"}]}),
        ("odd-one-out", ["man", "apple", "king"], {"odd": "apple"}),
        ("similarity", ["king", "queen"], {"words": ["king", "queen"], "similarities": [[1.0, 0.64], [0.64, 1.0]]}),
    ],
)
def test_json_of_the_other_questions(
    command: str, words: list[str], answer: dict[str, object], royal: Path, ziggurat: Ziggurat
) -> None:
    found = json.loads(ziggurat("vectors", command, royal, *words, "--json").out)
    (only,) = found["answers"]
    for key, value in answer.items():
        assert (only[key][0]["word"] == "queen") if key == "nearest" else only[key] == value
    assert found["version"] == 1


# -- standard input ---------------------------------------------------------------------------------------------------


def test_lines_of_standard_input(royal: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    read_from("man king woman\n\n woman queen man\n", monkeypatch)
    ended = ziggurat("vectors", "analogy", royal, "-", "--count", "1")
    assert ended.out == "man : king = woman : ?\n  queen  0.9242\n\nwoman : queen = man : ?\n  king  0.9242\n"
    read_from("king queen\nman apple\n", monkeypatch)
    assert ziggurat("vectors", "similarity", royal, "-").out == "0.6400\n-1.0000\n"
    read_from("man apple king\nking queen apple\n", monkeypatch)
    assert ziggurat("vectors", "odd-one-out", royal, "-").out == "apple\napple\n"


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_pipe_may_have_any_encoding(
    encoding: str, chinese: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("男人\n国王\n女人\n".encode(encoding), monkeypatch)
    found = json.loads(ziggurat("vectors", "nearest", chinese, "-", "--count", "1", "--json").out)
    assert [answer["nearest"][0]["word"] for answer in found["answers"]] == ["国王", "王后", "王后"]


# -- Chinese ----------------------------------------------------------------------------------------------------------


def test_all_of_it_in_chinese(chinese: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "nearest", chinese, "男人", "--count", "2", "--lang", "zh")
    assert ended.out == "国王  0.6000\n女人  0.0000\n"
    assert ended.err.startswith("下一步：")
    assert ziggurat("vectors", "analogy", chinese, "男人", "国王", "女人", "--count", "1").out == "王后  0.9242\n"
    odd = ziggurat("vectors", "odd-one-out", chinese, "男人", "苹果", "国王", "--lang", "zh")
    assert (odd.out, odd.err[:8]) == ("苹果\n", "与平均方向的余弦")


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nearest", "{royal}", "kng"], "unknown word 'kng'; did you mean 'king'?"),
        (["nearest", "{royal}", "zzzz"], "unknown word 'zzzz'"),
        (["similarity", "{royal}", "king", "Queen"], "unknown word 'Queen'; did you mean 'queen'?"),
        (["analogy", "{royal}", "man", "king"], "give 3 words, not 2"),
        (["odd-one-out", "{royal}", "man", "king"], "give 3 words or more, not 2"),
        (["nearest", "{royal}", "man", "--count", "0"], "--count: must be from 1 to 100000, got 0"),
        (["nearest", "{royal}", "man", "--method", "multiplyy"], "--method: unknown value 'multiplyy'; did you mean"),
        (["nearest", "{royal}/nowhere", "man"], "{royal}/nowhere: no such folder"),
        (["nearest", "{ngram}", "one"], "{ngram}: a model without vectors of words"),
        (["nearest", "{text}", "man"], "{text}: unknown file ending '.md'"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    arguments: list[str], message: str, royal: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    places = {
        "royal": royal,
        "ngram": make_bundle(tmp_path / "ngram", "ngram").path,
        "text": tmp_path / "a.md",
    }
    places["text"].write_text("# a text\n")
    ended = ziggurat("vectors", *(argument.format(**places) for argument in arguments), "--quiet")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"error: {message.format(**places)}")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("man king\nman kng\n", "standard input:2: unknown word 'kng'; did you mean 'king'?"),
        ("\n\nman\n", "standard input:3: give 2 words or more, not 1"),
    ],
)
def test_a_wrong_line_is_named(
    lines: str, message: str, royal: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from(lines, monkeypatch)
    ended = ziggurat("vectors", "similarity", royal, "-")
    assert (ended.code, ended.out, ended.err) == (2, "", f"error: {message}\n")


# -- to and fro -------------------------------------------------------------------------------------------------------


def test_vectors_leave_and_come_back_and_are_asked_as_a_file(royal: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    file = tmp_path / "royal.txt"
    assert ziggurat("vectors", "export", royal, file).code == 0
    asked = ziggurat("vectors", "nearest", file, "man", "--count", "1")
    assert asked.out == "king  0.6000\n"
    assert asked.err.startswith(f"reading {file} …")
    ended = ziggurat("vectors", "import", file, "--out", tmp_path / "back")
    assert ended.err.splitlines()[-1] == f"next: ziggurat vectors nearest {tmp_path / 'back'} WORD"
    assert ziggurat("vectors", "nearest", tmp_path / "back", "man", "--count", "1").out == "king  0.6000\n"
    described = ziggurat("describe", tmp_path / "back")
    assert described.err == f"next: ziggurat vectors nearest {tmp_path / 'back'} WORD\n"
    assert "word vectors" in described.out


def test_the_same_from_python(royal: Path, counted: Path) -> None:
    vectors = package.vectors(royal)
    assert "king" in vectors
    assert vectors.most_similar(positive=["king", "woman"], negative=["man"], topn=1)[0][0] == "queen"
    assert package.load(royal).vectors["king"].tolist() == [3, 0, 4]
    with pytest.raises(package.core.errors.UsageError, match="without vectors of words"):
        _ = package.load(counted).vectors


def test_asking_imports_neither_torch_nor_a_compiler_nor_the_tokenizer(royal: Path) -> None:
    code = f"""
import sys
from ziggurat.surface.cli import main
assert main(["vectors", "nearest", {str(royal)!r}, "man", "--quiet"]) == 0
print(*[name for name in ("torch", "numba", "scipy", "sklearn", "tokenizers", "altair") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
