"""A climb's numbers on their way to climb.json and back."""

import json

import pytest

from tests.fakes.climbs import climb
from ziggurat.core.errors import DamagedError, NewerVersionError
from ziggurat.study.result import Climb


def test_json_gives_the_same_climb_back() -> None:
    before = climb()
    assert Climb.from_json(before.to_json(), where="climb.json") == before


def test_entrants_are_found_by_name() -> None:
    assert climb().entrant("gpt").bits_per_byte == 2.0


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 1}', '{"format": 1, "entrants": [{"no": 1}]}'])
def test_anything_else_is_refused_with_the_files_name(text: str) -> None:
    with pytest.raises(DamagedError, match=r"climb\.json: not the data of a climb"):
        Climb.from_json(text, where="climb.json")


def test_a_missing_part_is_refused() -> None:
    raw = json.loads(climb().to_json())
    del raw["entrants"][0]["nats"]
    with pytest.raises(DamagedError):
        Climb.from_json(json.dumps(raw), where="climb.json")


def test_a_newer_format_says_upgrade() -> None:
    raw = json.loads(climb().to_json())
    raw["format"] = 99
    with pytest.raises(NewerVersionError, match="upgrade"):
        Climb.from_json(json.dumps(raw), where="climb.json")
