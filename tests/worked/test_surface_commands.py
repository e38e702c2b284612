"""Commands found in folders: files, groups of them, and their names."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ziggurat.core.errors import UnknownNameError
from ziggurat.surface.cli import COMMANDS, parser
from ziggurat.surface.commands import Commands

FILES = {
    "__init__.py": '"""All of it."""\n',
    "climb_down.py": '"""Go down."""\n\nCOMMAND = "down"\n',
    "wait.py": '"""Stay where one is.\n\nNot for long.\n"""\n\nCOMMAND = "wait"\n',
    "ways.py": '"""What the commands share."""\n',
    "ropes/__init__.py": '"""Do something with ropes."""\n\nfrom ziggurat.surface.commands import Commands\n\n'
    'COMMAND = Commands(__name__, group="ropes")\n',
    "ropes/tie.py": '"""Tie a knot."""\n\nCOMMAND = "tie"\n',
    "ropes/un_tie.py": '"""Undo it."""\n\nCOMMAND = "untie"\n',
}


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commands]:
    for name, text in FILES.items():
        file = tmp_path / "commands_of_a_test" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Commands("commands_of_a_test")
    for name in [name for name in sys.modules if name.startswith("commands_of_a_test")]:
        del sys.modules[name]


def test_names_are_typed_with_hyphens(commands: Commands) -> None:
    assert commands.names() == ("climb-down", "ropes", "wait")
    assert commands.get("climb-down") == "down"
    with pytest.raises(UnknownNameError, match=r"^unknown command 'climb_down'; did you mean 'climb-down'\?$"):
        commands.get("climb_down")


def test_the_lines_of_an_overview_are_read_and_nothing_is_imported(commands: Commands) -> None:
    assert commands.lines() == {
        "climb-down": "Go down",
        "ropes": "Do something with ropes",
        "wait": "Stay where one is",
    }
    assert [name for name in sys.modules if name.startswith("commands_of_a_test.")] == []


def test_a_group_is_a_command_whose_files_are_commands(commands: Commands) -> None:
    ropes = commands.get("ropes")
    assert isinstance(ropes, Commands)
    assert ropes.title == "Do something with ropes"
    assert ropes.names() == ("tie", "un-tie")
    with pytest.raises(UnknownNameError, match=r"^ziggurat ropes: unknown command 'tye'; did you mean 'tie'\?$"):
        ropes.get("tye")
    with pytest.raises(UnknownNameError, match=r"^ziggurat ropes: unknown option '--count'; known: --help$"):
        ropes.get("--count")


def test_all_functions_by_what_one_types(commands: Commands) -> None:
    expected = {"climb-down": "down", "ropes tie": "tie", "ropes un-tie": "untie", "wait": "wait"}
    assert dict(commands.functions()) == expected


def test_the_parser_of_a_command_in_a_group_knows_its_options() -> None:
    flags = {flag for parameter in parser("vectors nearest").params for flag in parameter.opts}
    assert {"--count", "--restrict", "--method", "--json", "--quiet"} <= flags
    assert "vectors nearest" in dict(COMMANDS.functions())
    assert "vectors" not in dict(COMMANDS.functions())
