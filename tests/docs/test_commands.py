"""Every command that a document shows exists, and so does every option that it is given."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer

from tests.architecture.source import REPOSITORY, tracked
from ziggurat.surface.cli import COMMANDS

MENTION = re.compile(r"(?m)(?:^|`|\$ )ziggurat ([a-z][\w-]*)([^`\n#|>]*)")
DOCUMENTS = [
    p for p in tracked("*.md", "docs/*.md", "docs/**/*.md") if "reference" not in p.parts and p.name != "experiments.md"
]


def mentions(text: str) -> list[tuple[str, list[str]]]:
    """Return every command in a text with the options that it is shown with."""
    return [(m[1], [word for word in words(m[2]) if word.startswith("--")]) for m in MENTION.finditer(text)]


def words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quotation that goes on beyond the mention
        return line.split()


@cache
def options(command: str) -> set[str]:
    app = typer.Typer(add_completion=False)
    app.command(command, context_settings=getattr(COMMANDS.get(command), "context_settings", None))(
        COMMANDS.get(command)
    )
    parameters = typer.main.get_command(app).params
    return {flag for p in parameters for flag in (*p.opts, *p.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=lambda path: path.name)
def test_the_commands_of_a_document_exist(path: Path) -> None:
    for command, given in mentions(path.read_text(encoding="utf-8")):
        assert command in COMMANDS.names(), f"ziggurat {command}"
        assert [option for option in given if option.split("=")[0] not in options(command)] == [], f"ziggurat {command}"


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=lambda path: path.name)
def test_the_targets_of_a_document_exist(path: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8")))
    shown = re.findall(r"(?m)^make ([a-z][\w-]*)|`make ([a-z][\w-]*)", path.read_text(encoding="utf-8"))
    assert {a or b for a, b in shown} <= targets


def test_a_command_is_found_where_it_is_shown() -> None:
    text = 'Say `ziggurat climb a --minutes 10`.\n\n    x\nziggurat generate b --prompt "a b"   # --not an option\n'
    assert mentions(text) == [("climb", ["--minutes"]), ("generate", ["--prompt"])]
    assert mentions("the ziggurat climbs on; `ziggurat recipe gpt > a.toml`") == [("recipe", [])]


def test_an_unfinished_quotation_is_read_word_by_word() -> None:
    assert words("--prompt 'a b") == ["--prompt", "'a", "b"]
