"""Vector files that are wrong: each is refused by its line, or by its word and byte, and none is believed."""

import gzip
import logging
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.vectors import all_kinds, vector_bundle
from ziggurat.artefacts.interchange import vector_blocks
from ziggurat.artefacts.interchange.formats import FORMATS, Foreign, format_in
from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.models.word_vectors import WordVectors
from ziggurat.surface.cli import main


def record(word: str, *numbers: float) -> bytes:
    return word.encode() + b" " + np.array(numbers, "<f4").tobytes()


def opened(form: str, content: bytes, path: Path) -> Foreign:
    path.write_bytes(content)
    return FORMATS.get(form).read(path)


def words_of(found: Foreign) -> list[str]:
    return [found.tokenizer.decode([number]) for number in range(2, found.tokenizer.vocabulary.size)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x:1: expected the numbers of words and of columns, found ''"),
        (b"once upon a time\n", "x:1: expected the numbers of words and of columns, found 'once upon a time'"),
        (b"-2 3\na 1 2 3\n", "x:1: expected the numbers of words and of columns, found '-2 3'"),
        (b"2 -3\na 1 2 3\n", "x:1: expected the numbers of words and of columns, found '2 -3'"),
        (b"2 3 4\na 1 2 3\n", "x:1: expected the numbers"),
        (b"2.0 3\na 1 2 3\n", "x:1: expected the numbers"),
        (b"0 3\n", "x:1: the header announces 0 words"),
        (b"2 0\na\nb\n", "x:1: the header announces vectors of 0 numbers"),
        (b"1 70000\n", "x:1: the header announces vectors of 70,000 numbers; 1 to 65,536 can be"),
        (b"1000000000000 3\na 1 2 3\n", "x:1: the header announces 1,000,000,000,000 words; 1 to 2,147,483,645 can be"),
        (b"1000000000 300\na 1 2 3\n", "1,000,000,000 words of 300 numbers, for which 23 bytes have no room"),
        (b"9" * 90 + b" 3\na 1 2 3\n", "x:1: the header announces 999"),
        (b"9" * 5000 + b" 3\na 1 2 3\n", "x:1: expected the numbers"),
        (b"2 3\na 1.5000 2 3\n", "x:3: the file ends: the header announces 2 words, 1 are there"),
        (b"2 3\na 1 2 3\nb 1 2", "x:3: expected a word and 3 numbers, found 3 fields"),
        (b"1 3\na 1 2 3\nb 1 2 3\n", "x:3: the header announces 1 words, here is one more"),
        (b"2 3\na 1 2 3\nb 1 2\n", "x:3: expected a word and 3 numbers, found 3 fields"),
        (
            b"2 3\na 1 2 3\nb 1 2 3 4\n",
            "x:3: expected a word and 3 numbers, found 5 fields of which '1' is a number too",
        ),
        (b"2 3\na 1 2 3\nb 1 two 3\n", "x:3: 'two' is not a finite number of 32 bits"),
        (b"2 3\na 1 2 3\nb 1 nan 3\n", "x:3: 'nan' is not a finite number of 32 bits"),
        (b"2 3\na 1 2 3\nb 1 -inf 3\n", "x:3: '-inf' is not a finite number of 32 bits"),
        (b"2 3\na 1 2 3\nb 1 1e39 3\n", "x:3: '1e39' is not a finite number of 32 bits"),
        (b"2 3\na 1 2 3\nb 1 1e400 3\n", "x:3: '1e400' is not a finite number of 32 bits"),
        (b"2 3\na 1 2 3\n\nb 1 2 3\n", "x:3: a blank line where a word and its numbers should stand"),
        (b"2 3\na 1 2 3\nb" + record("", 1, 2, 3) + b"\n", "x:3: '@@' is not a finite number of 32 bits"),
        (b"1 3\n\xff\xfe 1 2 3\n", "x: it holds no word that can be used"),
    ],
)
def test_word2vec_text_is_refused_by_its_line(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        opened("word2vec_text", content, tmp_path / "x")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x:1: expected a word and numbers, found 0 fields"),
        (b"once upon a time\n", "x:1: expected a word and numbers, found 4 fields"),
        (b"the\n", "x:1: expected a word and numbers, found 1 fields"),
        (b"2 3\na 1 2 3\nb 4 5 6\n", "x:1: a header, so no GloVe text; open it as word2vec_text"),
        (b"a 1 2 3\nb 4 5\n", "x:2: expected a word and 3 numbers, found 3 fields"),
        (b"a 1 2 3\nb 4 5 6 7\n", "x:2: expected a word and 3 numbers, found 5 fields of which '4' is a number too"),
        (b"a 1 nan 3\n", "x:1: 'nan' is not a finite number"),
        (b"\n\n", "x:1: expected a word and numbers, found 0 fields"),
    ],
)
def test_glove_text_is_refused_by_its_line(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        opened("glove_text", content, tmp_path / "x")
    assert said in str(caught.value)


# The header "2 3" and its line's end are 4 bytes; a record of a one-letter word is 1 + 1 + 12 = 14
TWO = b"2 3\n" + record("a", 1, 2, 3) + record("b", 4, 5, 6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x:1: expected the numbers of words and of columns, found ''"),
        (TWO[:18], "x:1: the header announces 2 words of 3 numbers, for which 18 bytes have no room"),
        (b"1000000000 300\n" + TWO, "x:1: the header announces 1,000,000,000 words of 300 numbers, for which"),
        (b"2 65537\n" + TWO, "x:1: the header announces vectors of 65,537 numbers"),
        (TWO[:-1], "x: word 2 at byte 18: the file ends; its header announces 2 words"),
        (
            b"2 3\n" + record("aaaa", 1, 2, 3) + b"b 123456789",
            "x: word 2 at byte 21: the file ends; its header announces 2",
        ),
        (b"1" + TWO[1:], "x: word 2 at byte 18: the header announces 1 words, here is more"),
        (TWO + b"\n\nc", "x: word 3 at byte 32: the header announces 2 words, here is more"),
        (b"2 3\n" + record("a", 1, 2, 3) + record("b", 4, np.nan, 6), "x: word 2 at byte 18: 'b' has a number that is"),
        (b"2 3\n" + record("a", 1, 2, -np.inf) + record("b", 4, 5, 6), "x: word 1 at byte 4: 'a' has a number that is"),
        ((793712314).to_bytes(4, "little") + TWO, "x: a fastText model, not a list of vectors; import the .vec file"),
    ],
)
def test_word2vec_binary_is_refused_by_its_word_and_byte(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        opened("word2vec_binary", content, tmp_path / "x")
    assert said in str(caught.value)


@pytest.mark.parametrize("form", ["word2vec_text", "glove_text"])
def test_spaces_line_ends_and_byte_order_marks_are_no_faults(form: str, tmp_path: Path) -> None:
    header = "2 3\r\n" if form == "word2vec_text" else ""
    content = f"\ufeff{header}new york 1 2 3\r\n塔\t4  5 6 \r\n\r\n\n".encode()
    found = opened(form, content, tmp_path / "x")
    assert words_of(found) == ["new york", "塔"]
    assert isinstance(found.model, WordVectors)
    assert found.model.vectors.tolist() == [[0] * 3, [0] * 3, [1, 2, 3], [4, 5, 6]]


def test_words_that_can_t_be_used_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = [b"a 1 1", b" 2 2", b"a 3 3", b"\xe5\xa1 4 4", b"b 5 5", b"a 6 6", b"<unk> 7 7", b"<unk> 8 8"]
    words = [b"a", b"", b"a", b"\xe5\xa1", b"b", b"a", b"<unk>", b"<unk>"]
    numbers = [np.full(2, number, "<f4").tobytes() for number in range(1, 9)]
    binary = b"8 2\n" + b"".join(word + b" " + row for word, row in zip(words, numbers, strict=True))
    for name, form, content in (
        ("x.vec", "word2vec_text", b"8 2\n" + b"\n".join(lines)),
        ("x.bin", "word2vec_binary", binary),
    ):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "ziggurat"):
            found = opened(form, content, tmp_path / name)
        assert words_of(found) == ["a", "b"]
        assert isinstance(found.model, WordVectors)
        # the unknown word's own vector goes where unknown words are: row 1
        assert found.model.vectors.tolist() == [[0, 0], [7, 7], [1, 1], [5, 5]]
        place = f"{tmp_path / name}{':' if form == 'word2vec_text' else ': word '}"
        shift = 1 if form == "word2vec_text" else 0
        assert sorted(caplog.messages) == sorted(
            [
                f"{place}{2 + shift}: the word '' has no letter: left out",
                f"{place}{3 + shift}: the word 'a' stands there a second time: left out, as are 2 more",
                f"{place}{4 + shift}: the word '\ufffd' is not UTF-8: left out",
            ]
        )


@pytest.mark.parametrize("form", ["word2vec_text", "word2vec_binary"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("header", [b"1000000000000 3\n", b"2000000000 3\n", b"2000000000 65536\n", b"3 65536\n"])
def test_a_header_allocates_nothing(form: str, packed: bool, header: bytes, tmp_path: Path) -> None:
    """A list of 24 petabytes is announced; what is allocated is the window on the file and a batch of rows."""
    body = b"a 1 2 3\n" if form == "word2vec_text" else record("a", 1, 2, 3)
    path = tmp_path / ("x.gz" if packed else "x")
    path.write_bytes(gzip.compress(header + body) if packed else header + body)
    tracemalloc.start()
    with pytest.raises(InputError):
        FORMATS.get(form).read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vector_blocks.BLOCK_BYTES + 12_000_000


def test_memory_follows_the_file_and_not_its_header(tmp_path: Path) -> None:
    """9973 rows of 101 numbers are 4 MB; a window and two batches beside it, whatever the compressed header says."""
    rows = all_kinds(9973, 101)
    for announced in (9973, 2_000_000_000):
        records = b"".join(record(f"w{number}", *row.tolist()) for number, row in enumerate(rows))
        path = tmp_path / f"{announced}.bin.gz"
        path.write_bytes(gzip.compress(b"%d 101\n" % announced + records, 1))
        del records
        tracemalloc.start()
        if announced == len(rows):
            assert len(words_of(format_in(path).read(path))) == announced
        else:
            with pytest.raises(
                InputError, match=r"word 9,974 at byte 4,.*: the file ends; its header announces 2,000,"
            ):
                format_in(path).read(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50_000_000


def test_a_line_or_word_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_blocks, "BLOCK_BYTES", 4099)
    with pytest.raises(InputError, match=r"x:3: a line of more than 4,099 bytes: not a list of vectors"):
        opened("word2vec_text", b"2 3\na 1 2 3\n" + b"b" * 9001 + b" 1 2 3\n", tmp_path / "x")
    with pytest.raises(InputError, match=r"x: word 2 at byte 18: no space within 4,099 bytes"):
        opened("word2vec_binary", b"2 3\n" + record("a", 1, 2, 3) + record("b" * 9001, 4, 5, 6), tmp_path / "x")
    with pytest.raises(InputError, match=r"x:1: expected a word and numbers"):
        opened("glove_text", b"b" * 9001 + b" 1 2 3\n", tmp_path / "x")


@pytest.mark.parametrize("form", ["word2vec_text", "word2vec_binary", "glove_text"])
def test_a_small_window_moves_over_the_whole_file(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = all_kinds(211, 13, seed=4)
    words = [f"{number}塔" * (1 + number % 5) for number in range(211)]
    bundle = vector_bundle(tmp_path / "b", words, vectors)
    monkeypatch.setattr(vector_blocks, "BLOCK_BYTES", 701)
    FORMATS.get(form).write(bundle, tmp_path / "x.gz")
    FORMATS.get(form).write(bundle, tmp_path / "x")
    for name in ("x", "x.gz"):
        found = FORMATS.get(form).read(tmp_path / name)
        assert words_of(found) == words
        assert isinstance(found.model, WordVectors)
        assert found.model.vectors[2:].tobytes() == vectors.tobytes()


@pytest.mark.parametrize("form", ["word2vec_text", "word2vec_binary", "glove_text"])
def test_what_can_t_be_read_is_said(form: str, tmp_path: Path) -> None:
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(ArtefactError, match=rf"{path}: can't be read"):
            FORMATS.get(form).read(path)
        assert not FORMATS.get(form).opens(path)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"2 3\na 1 2 3\nb 1 2 3\n" * 97)[:-11])
    with pytest.raises(InputError, match=r"cut\.gz"):
        FORMATS.get(form).read(tmp_path / "cut.gz")


def test_what_can_t_be_exported_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    vectors = all_kinds(3, 5)
    spaced = vector_bundle(tmp_path / "spaced", ["a b", "塔", "c\nd"], vectors)
    for form in ("word2vec_text", "word2vec_binary", "glove_text"):
        caplog.clear()
        FORMATS.get(form).write(spaced, tmp_path / "x")
        assert words_of(FORMATS.get(form).read(tmp_path / "x")) == ["塔"]
        assert caplog.messages == [f"{spaced.path}: the word 'a b' has white space: left out, as are 1 more"]
        before = (tmp_path / "x").read_bytes()
        vectors[1, 2] = np.nan
        broken = vector_bundle(tmp_path / "broken", ["a", "塔", "c"], vectors)
        with pytest.raises(UsageError, match=r"broken: the vector of '塔' is not finite"):
            FORMATS.get(form).write(broken, tmp_path / "x")
        none = vector_bundle(tmp_path / "none", ["a b", " ", "\t"], vectors)
        with pytest.raises(UsageError, match=r"none: it has no word that .* can hold"):
            FORMATS.get(form).write(none, tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == before
        vectors[1, 2] = 0.5


@pytest.mark.parametrize("form", ["word2vec_text", "word2vec_binary", "glove_text"])
def test_a_writer_that_errs_leaves_nothing(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written is read back: here another word's vector, a missing word and a bit of one number are found."""
    bundle = vector_bundle(tmp_path / "b", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    kind: Any = type(FORMATS.get(form))
    put = kind.put
    assert isinstance(bundle.model, WordVectors)
    other = np.eye(5, 3, dtype=np.float32)[[0, 1, 3, 2, 4]]
    for words, ids, vectors in (
        ([b"a", b"b", b"d"], [2, 3, 4], bundle.model.vectors),
        ([b"a", b"b"], [2, 3], bundle.model.vectors),
        ([b"a", b"b", b"c"], [2, 3, 4], other),
        ([b"a", b"b", b"c"], [2, 3, 4], bundle.model.vectors * np.float32(1 + 2**-23)),
    ):
        wrong = {"words": words, "ids": np.array(ids, np.int32), "vectors": vectors}
        monkeypatch.setattr(kind, "put", lambda self, listed, file, wrong=wrong: put(self, type(listed)(**wrong), file))
        with pytest.raises(ArtefactError, match=r"x: read back, .*: not kept"):
            FORMATS.get(form).write(bundle, tmp_path / "x")
        assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.vec", b"2 3\na 1 2 3\nb 1 nan 3\n", "x.vec:3: 'nan' is not a finite number"),
        ("x.bin", TWO + b"c", "x.bin: word 3 at byte 32: the header announces 2 words, here is more"),
        ("x.txt", b"a 1 2 3\nb 4 5\n", "x.txt:2: expected a word and 3 numbers, found 3 fields"),
        ("x.bin", b"\x80\x04\x95.", "x.bin:1: expected the numbers of words and of columns"),
        ("x.txt", b"\x1f\x8b\x08" + bytes(30), "x.txt: damaged gzip data"),
    ],
)
def test_the_command_ends_with_2_and_one_line(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main(["import", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err.splitlines()
    assert said in error[-1]
    assert [path.name for path in tmp_path.iterdir()] == [name]
