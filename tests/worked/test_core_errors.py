"""Errors: one tree, one exit code a branch, one line a message."""

import inspect
from typing import Any

import pytest

from ziggurat.core import errors
from ziggurat.core.errors import MissingExtraError, UnknownNameError, ZigguratError, nearest, shown

CLASSES: list[Any] = [
    cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__
]


def test_every_error_has_the_root() -> None:
    assert all(issubclass(cls, ZigguratError) for cls in CLASSES)


def test_the_tree_in_the_docstring_names_every_error_with_its_exit_code() -> None:
    drawn = errors.__doc__ or ""
    code = 0
    for line in drawn.splitlines():
        name = next((word for word in line.split() if word.endswith("Error")), None)
        if name is None:
            continue
        code = int(line.split("exit code")[1].split(":")[0]) if "exit code" in line else code
        assert getattr(errors, name).exit_code == code, name
    assert all(cls.__name__ in drawn for cls in CLASSES)


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    parents: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        name = next((word for word in line.split() if word.endswith("Error")), None)
        if name is None:
            continue
        depth = line.index(name)
        while parents and parents[-1][0] >= depth:
            parents.pop()
        if parents:
            assert getattr(errors, name).__bases__ == (getattr(errors, parents[-1][1]),), name
        parents.append((depth, name))


def test_exit_codes_are_those_that_the_command_line_promises() -> None:
    assert {cls.__name__: cls.exit_code for cls in CLASSES if cls.__bases__ == (ZigguratError,)} == {
        "ArtefactError": 2,
        "DiskFullError": 1,
        "GateNotMetError": 3,
        "InputError": 2,
        "InterruptedRunError": 130,
        "UsageError": 2,
    }


@pytest.mark.parametrize(
    ("name", "known", "clause"),
    [
        ("decodr", ["decoder", "ngram"], "; did you mean 'decoder'?"),
        ("zzz", ["ngram", "decoder"], "; known: decoder, ngram"),
        ("zzz", [], ""),
        ("words", ["words"], "; did you mean 'words'?"),
    ],
)
def test_the_nearest_name_is_offered(name: str, known: list[str], clause: str) -> None:
    assert nearest(name, known) == clause


def test_an_unknown_name_says_where() -> None:
    error = UnknownNameError("family", "ngrm", iter(["ngram"]), where="my.toml")
    assert str(error) == "my.toml: unknown family 'ngrm'; did you mean 'ngram'?"
    assert (error.name, error.known) == ("ngrm", ("ngram",))
    assert str(UnknownNameError("family", "x", [])) == "unknown family 'x'"


def test_a_missing_extra_says_what_to_install() -> None:
    error = MissingExtraError("reading .parquet", "parquet")
    assert str(error) == "reading .parquet needs an optional package: pip install 'ziggurat[parquet]'"
    assert error.exit_code == 2


def test_a_value_of_json_is_shown_with_its_characters_but_for_what_none_can_write() -> None:
    assert shown({"词": "北京"}) == '{"词": "北京"}'
    assert shown("\ud800") == '"\\ud800"'
    assert len(shown("长" * 100)) == 60
