"""What the benchmark of GloVe does beside measuring: its text, the reference program's vectors, our step."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.glove import _write_text, main
from benchmarks.glove_steps import build, read_bundle, read_glove_text


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A collection of records, and one of lines."""
    folder = tmp_path / "data"
    folder.mkdir()
    records = [{"id": "1", "text": "The Tower\n\nstands; it's 7"}, {"id": "2", "text": "…\nAnd the wall"}]
    with gzip.open(folder / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("".join(json.dumps(record) + "\n" for record in records))
    return folder


def test_a_paragraph_a_line(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "text.txt"
    assert _write_text(data, target, 0) == 8
    assert target.read_text(encoding="utf-8") == "the tower\nstands it's 7\nand the wall\n"
    assert _write_text(data, target, 3) == 5  # whole paragraphs, until there are enough words
    with gzip.open(data / "train.txt.gz", "wt", encoding="utf-8") as file:
        file.write("One line\nand ANOTHER\n")
    assert _write_text(data, target, 0) == 4
    assert target.read_text(encoding="utf-8") == "one line\nand another\n"


def test_vectors_of_the_reference_program(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("the 0.5 -1.25\n塔 2.0 3.0\n<unk> 9.0 9.0\n", encoding="utf-8")
    words, rows = read_glove_text(path)
    assert words == ["the", "塔"]
    assert rows.tolist() == [[0.5, -1.25], [2.0, 3.0]]
    assert rows.dtype == np.float32


def test_our_step(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a b a c\nb a\nd a\n" * 5, encoding="utf-8")
    settings = {"width": 3, "min_count": 6, "seed": 1, "training": {"window": 2, "epochs": 2}}
    facts = build(text, tmp_path / "bundle", settings)
    words, rows = read_bundle(tmp_path / "bundle")
    assert words == ["a", "b"]  # 20 and 10 times; c and d 5 times, less than 6
    assert rows.shape == (2, 3)
    assert facts["pairs"] == 3  # a with a (around b), a with b, b with a
    assert np.abs(rows).min() > 0


def test_without_the_reference_our_side_is_measured(
    data: Path, tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(data / "train.txt.gz", "wt", encoding="utf-8") as file:
        file.write("the king and the queen see the tower\nthe man and the woman see the king\n" * 50)
    arguments = ["--data", str(data), "--sets", str(shared_data), "--epochs", "2", "--seeds", "1", "--threads", "1"]
    main([*arguments, "--work", str(tmp_path)])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["benchmark"] == "glove"
    assert last["ratio"] is None
    assert last["ours"]["seconds"] > 0
    assert set(last["quality"]) == {"ours", "paper"}
