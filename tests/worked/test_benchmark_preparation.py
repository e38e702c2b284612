"""The benchmark of preparations: each side's stages, and the refusal of bytes that differ."""

import json
from pathlib import Path

import pytest

from benchmarks import preparation
from benchmarks.preparation import STAGES, Prepared, main, prepared
from tests.fakes.elsewhere import Elsewhere
from tests.fakes.preparations import planted
from ziggurat.core.workers import HERE, Workers


def test_all_that_a_preparation_leaves_is_compared(tmp_path: Path) -> None:
    texts = planted(tmp_path / "texts")
    one, other = prepared([texts], HERE), prepared([texts], Elsewhere(3))
    assert one.hashes == other.hashes
    assert {"text/text.utf8", "text/ledger.jsonl", "tokens/train/tokens.bin", "counts", "words"} <= one.hashes.keys()
    assert tuple(one.seconds) == STAGES
    assert prepared([texts / "e.jsonl"], HERE).hashes != one.hashes


@pytest.mark.parametrize("same", [True, False])
def test_what_it_says(
    same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dev.txt").touch()
    calls = []

    def made_up(sources: list[Path], workers: Workers) -> Prepared:
        """One process takes 1 s for each stage, others take 0.5 s; the start counts for nothing."""
        calls.append(type(workers).__name__)
        seconds = dict.fromkeys(STAGES, 1.0 if workers is HERE else 0.5)
        return Prepared(seconds, {"text": "a" if same or workers is HERE else "b"})

    monkeypatch.setattr(preparation, "prepared", made_up)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    if same:
        main(["--quick", "--data", str(tmp_path)])
    else:
        with pytest.raises(SystemExit):
            main(["--quick", "--data", str(tmp_path)])
    said = capsys.readouterr().out.splitlines()
    facts = json.loads(said[-1])
    assert calls == ["Here", "Here", "LocalProcesses"]
    assert (facts["ratio"], facts["ours"], facts["peer"], facts["identical"]) == (2.0, 1.5, 3.0, same)
    assert said[-2].endswith("yes" if same else "NO")


def test_no_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no dev\* or train\* text"):
        main(["--data", str(tmp_path)])
