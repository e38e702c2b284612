"""The benchmark of classification: its sets as this package reads them, and a row for each recipe."""

import json
from pathlib import Path

import pytest

from benchmarks.tasks.classification import SETS, main


def test_sets_name_their_files_and_what_is_aimed_at() -> None:
    for chosen in SETS.values():
        assert all("{}" in name for name in chosen.files)
        assert chosen.floor < chosen.goal


def test_a_row_for_each_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, first in (("train", 0), ("dev", 100)):
        lines = (f"{n % 2}\t{'a fine day' if n % 2 else 'a bad night'} {n}\n" for n in range(first, first + 30))
        (tmp_path / f"{name}.tsv").write_text("".join(lines), encoding="utf-8")
    main(["--data", str(tmp_path), "--recipes", "linear", "--quick"])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["linear"]["accuracies"] == [1.0]  # what is not drawn is trained once
    assert told["ratio"] == pytest.approx(1 / 0.83, rel=1e-4)
    assert told["goal_met"]
