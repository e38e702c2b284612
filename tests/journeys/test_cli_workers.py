"""Workers by the command line: the same model, and what is said where there can be none."""

from pathlib import Path

import pytest

from tests.fakes.corpora import write_lines
from tests.journeys.conftest import Ziggurat

NGRAM = ["--recipe", "ngram", "--tokens.vocab_size", "300", "--model.order", "3", "--training.threads", "1"]


def test_two_processes_train_the_same_model(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    weights = []
    for name, more in (("one", ()), ("two", ("--workers", "2"))):
        ended = ziggurat("train", texts, *NGRAM, *more, "--out", tmp_path / name)
        assert ended.code == 0, ended.err
        weights.append((tmp_path / name / "bundle" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


@pytest.mark.parametrize("command", ["train", "climb"])
def test_workers_that_are_none_are_refused_before_a_folder_is_made(
    command: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat(command, texts, "--workers", "many", "--out", tmp_path / "run")
    assert ended.code == 2
    assert "--workers: expected a number of processes, ray or ray://host:port, got 'many'" in ended.err
    assert not (tmp_path / "run").exists()


def test_a_bad_line_is_named_by_whoever_finds_it(tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = write_lines(tmp_path / "bad.jsonl", ['{"text": "fine"}', "{"])
    said = set()
    for more in ((), ("--workers", "2")):
        ended = ziggurat("train", path, *NGRAM, *more, "--out", tmp_path / "run")
        assert ended.code == 2
        assert "Traceback" not in ended.err
        said.add(next(line for line in ended.err.splitlines() if "bad.jsonl:2" in line))
        assert not (tmp_path / "run").exists()
    assert len(said) == 1
