"""The benchmark of semantic roles: a row for each recipe, and what the last line says."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.tasks.roles import main


def test_a_row_for_each_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, first in (("train", 0), ("dev", 100)):
        lines = [
            {"tokens": [f"dog{n}", "barks"], "predicates": [{"predicate": 1, "arguments": [[0, 1, "ARG0"]]}]}
            for n in range(first, first + 20)
        ]
        content = "".join(json.dumps(line) + "\n" for line in lines)
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(content.encode()))
    main(["--data", str(tmp_path), "--quick", "--seeds", "2"])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = told["lstm-roles"]
    assert len(found["argument_f1"]) == len(found["argument_f1_found"]) == len(found["minutes"]) == 2
    assert found["steps"] == [3, 3]
    assert told["ratio"] == pytest.approx(sum(found["argument_f1"]) / 2 / 0.65, abs=1e-4)
    assert told["floor_met"] == (told["ratio"] >= 1)
