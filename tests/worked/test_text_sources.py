"""What the user named becomes sources: order, globs, folders, schemes, and the reader of each."""

import gzip
import io
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.fakes.corpora import prepared, read, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import InputError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.sources import read_records, resolve


def planted(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def found(*names: str) -> list[str]:
    """What ``names`` lead to, below the folder in which the test stands."""
    return [source.label for source in resolve(names)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return planted(tmp_path, "b.txt", "a.txt", "c.md", "deep/d.txt", "deep/er/e.txt", "deep/.hidden/f.txt", ".g.txt")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["b.txt", "a.txt"], ["b.txt", "a.txt"]),  # as named
        (["*.txt"], ["a.txt", "b.txt"]),  # sorted, without hidden ones
        (["c.md", "*.txt"], ["c.md", "a.txt", "b.txt"]),
        (["deep"], ["deep/d.txt", "deep/er/e.txt"]),  # all below, but nothing hidden
        (["deep/**/*.txt"], ["deep/d.txt", "deep/er/e.txt"]),
        (["**/e.txt"], ["deep/er/e.txt"]),
        (["?.md"], ["c.md"]),
        (["[ab].txt"], ["a.txt", "b.txt"]),
        (["deep*"], None),  # a folder alone is no file
        (["a.txt", "a.txt"], ["a.txt", "a.txt"]),
        (["demo:en", "-", "demo://zh"], ["demo:en", "standard input", "demo://zh"]),
        ([".g.txt"], [".g.txt"]),  # named is named
    ],
)
@pytest.mark.usefixtures("here")
def test_names_lead_to_files(names: list[str], expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(InputError, match="no file matches"):
            found(*names)
    else:
        assert found(*names) == expected


def test_an_absolute_glob_and_a_home_are_understood(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    assert found(f"{here}/*.md") == [f"{here}/c.md"]
    assert [source.path for source in resolve(["~/c.md", "~/*.md"])] == [here / "c.md"] * 2


@pytest.mark.usefixtures("here")
def test_a_file_whose_name_looks_like_a_glob_is_that_file() -> None:
    Path("a[1].txt").write_text("the file itself")
    assert found("a[1].txt") == ["a[1].txt"]


@pytest.mark.usefixtures("here")
def test_only_what_was_named_itself_must_be_text() -> None:
    assert [source.explicit for source in resolve(["a.txt", "*.md", "deep"])] == [True, False, False, False]


def test_a_name_after_a_scheme_comes_with_or_without_slashes() -> None:
    for name in ("demo:en", "demo://en", "hf://owner/set/part", "hf:owner/set/part"):
        (source,) = resolve([name])
        assert (source.label, source.path) == (name, None)
        assert source.name == name.split(":")[1].lstrip("/")


@pytest.mark.parametrize(
    ("name", "records"),
    [
        ("x.jsonl", 2),
        ("x.ndjson", 2),
        ("X.JSONL", 2),
        ("x.jsonl.gz", 2),
        ("x.csv", 2),
        ("x.txt", 1),
        ("x.json.md", 1),
        ("x", 2),
        ("x.log", 2),
        ("jsonl", 2),
    ],
)
def test_the_ending_says_which_reader_reads_and_the_content_where_it_says_none(
    name: str, records: int, tmp_path: Path
) -> None:
    # two lines that are records to JSON lines, and two rows without a header to tables
    path = write_lines(tmp_path / name, ['{"text": "a"}', '{"text": "b"}'])
    assert len(read(path, tmp_path)) == records


@pytest.mark.parametrize(("kind", "records"), [("plain", 1), ("jsonl", 2), ("table", 2)])
def test_standard_input_is_of_the_format_that_is_said(
    kind: str, records: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Input:
        buffer = io.BufferedReader(io.BytesIO(b'{"text": "a"}\n{"text": "b"}\n'))

    monkeypatch.setattr(sys, "stdin", Input())
    assert len(read("-", tmp_path, format=kind)) == records


@pytest.mark.parametrize("packed", [False, True])
def test_content_decides_where_no_name_does(packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b'\xef\xbb\xbf\n{"text": "one"}\n{"text": "two"}\n'
    content = gzip.compress(raw) if packed else raw
    (tmp_path / "lines").write_bytes(content)
    (tmp_path / "lines.txt").write_bytes(raw)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    for name, expected in ((str(tmp_path / "lines"), 2), ("-", 2), (str(tmp_path / "lines.txt"), 1)):
        with Ledger(tmp_path / "ledger") as ledger:
            (source,) = resolve([name])
            texts = ["".join(record.parts) for record in read_records(source, TextConfig(), ledger)]
        assert len(texts) == expected
        assert texts == ["one", "two"] or expected == 1


def test_a_corpus_is_made_of_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = "\n\n".join(documents(60))

    def write() -> None:
        with pipe.open("w") as out:
            for start in range(0, len(text), 997):
                out.write(text[start : start + 997])
                out.flush()

    writer = threading.Thread(target=write)
    writer.start()
    corpus = prepared(tmp_path, pipe)
    writer.join()
    kept = sum(part["bytes"] for part in corpus.facts()["splits"].values())
    cuts = sum(part["documents"] for part in corpus.facts()["splits"].values()) - 1
    assert kept == len(text) - 2 * cuts  # all of it but the empty lines at which it was cut


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 5000, "can't be the name of a file or folder (File name too long)"),
        ("~nobody-of-this-name/x.txt", "can't be the name of a file or folder ("),
        ("leters.txt", "did you mean letters.txt?"),
        ("depe/d.txt", "no such file or folder"),
        ("*.pdf", "*.pdf: no file matches"),
    ],
)
def test_a_name_that_leads_nowhere_says_why(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(planted(tmp_path, "letters.txt"))
    with pytest.raises(InputError) as caught:
        resolve([name])
    assert said in str(caught.value)
    assert len(str(caught.value)) < 200


def test_records_are_read_only_when_asked_for(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", ['{"text": "first"}', "broken"])
    with Ledger(tmp_path / "l") as ledger:
        records = read_records(resolve([str(path)])[0], TextConfig(), ledger)
        assert next(records).parts == ("first",)
        with pytest.raises(InputError, match=r"a\.jsonl:2"):
            next(records)
