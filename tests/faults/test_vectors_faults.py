"""Vectors that are not numbers, vocabularies without words, words that are no text: refused in a line, or harmless."""

import io
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.word_vectors import bundle_of, vectors_of
from tests.journeys.conftest import Ended
from ziggurat.core.errors import ArtefactError, DamagedError, InputError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.word_vectors import WordVectors
from ziggurat.surface.cli import main
from ziggurat.tokens.word_index import WordIndex
from ziggurat.use.vectors import UnknownWordError, Vectors, open_vectors


def asked(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ended:
    code = main(["vectors", *map(str, arguments)])
    return Ended(code, *capsys.readouterr())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_vector_that_is_no_number_is_named(bad: float) -> None:
    vectors = vectors_of({"king": [1, 0], "queen": [bad, 1], "man": [0, 1]})
    with pytest.raises(DamagedError, match="the vector of id 3 is not of finite numbers"):
        vectors.nearest("king")
    assert vectors.nearest("king", restrict=1) == []  # what is never looked at does no harm


def test_a_bundle_with_such_a_vector_ends_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = bundle_of(tmp_path / "bad", {"king": [1, 0], "queen": [float("nan"), 1], "man": [0, 1]})
    ended = asked(capsys, "nearest", bundle.path, "king")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error: the vector of id 3 is not of finite numbers; train or import it again\n"


def test_vectors_of_zeros_are_near_nothing_and_harm_nobody() -> None:
    vectors = vectors_of({"king": [1, 0], "nothing": [0, 0], "man": [3, 4]})
    assert vectors.nearest("king") == [("man", pytest.approx(0.6)), ("nothing", 0.0)]
    assert vectors.nearest("nothing") == [("king", 0.0), ("man", 0.0)]
    assert vectors.similarity("nothing", "king") == 0
    assert vectors.nearest("king", method="multiply") == [("man", pytest.approx(0.8)), ("nothing", 0.5)]


def test_no_words_at_all() -> None:
    vectors = Vectors(
        WordIndex.of(["<|endoftext|>", "<unk>"]), WordVectors(np.zeros((2, 3), np.float32), Vocabulary(2, 0, 0, 1))
    )
    assert len(vectors) == 0
    assert vectors.closest(np.ones((2, 3), np.float32), count=2)[0].tolist() == [[-1, -1], [-1, -1]]
    with pytest.raises(UnknownWordError, match=r"^unknown word 'king'$"):
        vectors.nearest("king")


@pytest.mark.parametrize("word", ["", " ", "\x00", "k" * 100_000, "<|endoftext|>", "<unk>", "\udcff", "𝔨𝔦𝔫𝔤𝔡𝔬𝔪"])
def test_words_that_are_none(word: str, tmp_path: Path) -> None:
    vectors = open_vectors(bundle_of(tmp_path / "two", {"king": [1, 0], "man": [0, 1]}).path)
    with pytest.raises((UnknownWordError, InputError)) as raised:
        vectors.vector(word)
    assert raised.value.exit_code == 2
    assert "\n" not in str(raised.value).replace(word, "")
    assert word not in vectors


def test_questions_of_different_shapes_are_not_asked_together() -> None:
    vectors = vectors_of({"king": [1, 0], "man": [0, 1]})
    with pytest.raises(UsageError, match="as many words each"):
        vectors.answers([(["king"], []), (["king", "man"], [])])
    with pytest.raises(UsageError, match="give at least one"):
        vectors.answers([([], [])])
    assert vectors.answers([]) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "standard input: no words in it"),
        (b" \n\t\n", "standard input: no words in it"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "standard input: "),
    ],
)
def test_standard_input_that_asks_nothing(
    raw: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = bundle_of(tmp_path / "two", {"king": [1, 0], "man": [0, 1]})
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
    ended = asked(capsys, "nearest", bundle.path, "-")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"error: {message}")


def test_a_damaged_index_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = bundle_of(tmp_path / "two", {"king": [1, 0], "man": [0, 1]})
    file = bundle.path / "words.index"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    ended = asked(capsys, "nearest", bundle.path, "king")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"error: {file}: damaged")


def test_files_that_hold_no_vectors(tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.txt", tmp_path / "text.txt"
    empty.write_bytes(b"")
    text.write_text("this is a text\nof two lines\n")
    for path in (empty, text):
        with pytest.raises((ArtefactError, InputError)) as raised:
            open_vectors(path)
        assert str(path) in str(raised.value)


def test_a_map_into_a_place_that_can_not_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("vl_convert")
    bundle = bundle_of(tmp_path / "three", {"king": [1, 0], "man": [0, 1], "queen": [1, 1]})
    (tmp_path / "file").write_text("kept")
    ended = asked(
        capsys, "map", bundle.path, "king", "man", "queen", "--neighbours", "0", "--out", tmp_path / "file" / "a.svg"
    )
    assert ended.code in (1, 2)
    assert ended.err.count("\n") == 1
    assert (tmp_path / "file").read_text() == "kept"
