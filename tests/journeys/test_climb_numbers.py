"""A climb's numbers made again, and what does not agree with them found."""

import json
from pathlib import Path

import pytest

from ziggurat.core.errors import ArtefactError
from ziggurat.study.reproduce import TOLERANCE, read_climb, reproduce


def test_numbers_made_again_are_the_same(climbed: Path) -> None:
    checks = reproduce(climbed, train=False, listener=lambda event: None)
    result, folder = read_climb(climbed / "climb.json")
    assert folder == climbed
    assert [check.name for check in checks] == [entrant.name for entrant in result.entrants]
    assert all(check.holds for check in checks)
    assert {entrant.family for entrant in result.entrants} >= {"ngram", "mixture"}


def test_a_number_that_was_tampered_with_is_found(climbed: Path, tmp_path: Path) -> None:
    result, _ = read_climb(climbed)
    worst = result.entrants[-1]
    data = json.loads((climbed / "climb.json").read_text())
    data["entrants"][-1]["bits_per_byte"] -= 2 * TOLERANCE
    for name in ("corpus", *{entrant.bundle.split("/")[0] for entrant in result.entrants}):
        (tmp_path / name).symlink_to(climbed / name)
    (tmp_path / "climb.json").write_text(json.dumps(data))
    checks = reproduce(tmp_path, train=False, listener=lambda event: None)
    assert [check.name for check in checks if not check.holds] == [worst.name]


def test_another_text_than_the_report_s_is_refused(climbed: Path, tmp_path: Path) -> None:
    data = json.loads((climbed / "climb.json").read_text())
    data["corpus"]["fingerprint"] = "0" * 16
    (tmp_path / "corpus").symlink_to(climbed / "corpus")
    (tmp_path / "climb.json").write_text(json.dumps(data))
    with pytest.raises(ArtefactError, match="another text than the report's"):
        reproduce(tmp_path, train=False, listener=lambda event: None)
