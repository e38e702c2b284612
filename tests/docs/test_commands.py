"""Every command that a document shows exists, and so does every option that it is given."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import REPOSITORY, tracked
from ziggurat.artefacts.recipe import load_recipe, names
from ziggurat.surface.cli import COMMANDS, parser

MENTION = re.compile(r"(?m)(?:^|`|\$ )ziggurat ([a-z][\w-]*)([^`\n#|>]*)")
FUNCTIONS = dict(COMMANDS.functions())
OPEN_TO_KEYS = (
    "train",
    "describe",
    "climb",
    "recipe",
    "plan",
    "task classification train",
    "task ner train",
)
DOCUMENTS = [
    p for p in tracked("*.md", "docs/*.md", "docs/**/*.md") if "reference" not in p.parts and p.name != "experiments.md"
]


def mentions(text: str) -> list[tuple[str, list[str]]]:
    """Return every command in a text with what follows it."""
    return [(m[1], words(m[2])) for m in MENTION.finditer(text)]


def words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quotation that goes on beyond the mention
        return line.split()


@cache
def options(command: str) -> set[str]:
    parameters = parser(command).params if command in FUNCTIONS else []
    return {flag for p in parameters for flag in (*p.opts, *p.secondary_opts)} | {"--help"}


@cache
def recipe_keys() -> set[str]:
    """The keys of all recipes that come along, as flags."""
    return {f"--{key}" for name in names() for key in load_recipe(name).keys()}  # noqa: SIM118 - a method, no mapping


def unknown(command: str, given: list[str]) -> list[str]:
    """Return what a shown command line has that does not exist: its command, or options."""
    groups = {" ".join(name.split()[:count]) for name in FUNCTIONS for count in (1, 2)} - set(FUNCTIONS)
    while command in groups and given and not given[0].startswith("-") and not given[0].isupper():
        command, given = f"{command} {given[0]}", given[1:]
    if command not in FUNCTIONS and command not in groups:
        return [command]
    known = options(command) | (recipe_keys() if command in OPEN_TO_KEYS else set())
    return [word for word in given if word.startswith("--") and word.split("=")[0] not in known]


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=lambda path: path.name)
def test_the_commands_of_a_document_exist(path: Path) -> None:
    for command, given in mentions(path.read_text(encoding="utf-8")):
        assert unknown(command, given) == [], f"ziggurat {command}"


@pytest.mark.parametrize("path", sorted(DOCUMENTS), ids=lambda path: path.name)
def test_the_targets_of_a_document_exist(path: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text(encoding="utf-8")))
    shown = re.findall(r"(?m)^make ([a-z][\w-]*)|`make ([a-z][\w-]*)", path.read_text(encoding="utf-8"))
    assert {a or b for a, b in shown} <= targets


def test_a_command_is_found_where_it_is_shown() -> None:
    text = 'Say `ziggurat climb a --minutes 10`.\n\n    x\nziggurat generate b --prompt "a b"   # --not an option\n'
    assert mentions(text) == [("climb", ["a", "--minutes", "10"]), ("generate", ["b", "--prompt", "a b"])]
    assert mentions("the ziggurat climbs on; `ziggurat recipe gpt > a.toml`") == [("recipe", ["gpt"])]


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("ziggurat vectors nearest FOLDER WORD --count 3", []),
        ("ziggurat vectors", []),
        ("ziggurat vectors --help", []),
        ("ziggurat vectors nearby FOLDER", ["vectors nearby"]),
        ("ziggurat vectors nearest FOLDER --cuont 3", ["--cuont"]),
        ("ziggurat nearest FOLDER", ["nearest"]),
        ("ziggurat describe FOLDER --jsn", ["--jsn"]),
    ],
)
def test_a_wrong_command_line_is_seen(line: str, missing: list[str]) -> None:
    (mention,) = mentions(line)
    assert unknown(*mention) == missing


def test_an_unfinished_quotation_is_read_word_by_word() -> None:
    assert words("--prompt 'a b") == ["--prompt", "'a", "b"]
