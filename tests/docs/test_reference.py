"""The reference pages are made from the source, completely, and a stale page is noticed."""

import dataclasses
from pathlib import Path

import pytest

from docs import generate
from tests.architecture.names import declared
from tests.architecture.source import package_sources
from ziggurat.core.config import option
from ziggurat.surface.cli import COMMANDS


def test_every_public_name_is_listed() -> None:
    text = generate.names_page()
    for source in package_sources():
        for name in declared(source) or []:
            assert source.room == "" or f"| `{name}` |" in text, f"{source.module}.{name}"


def test_every_command_is_listed_with_its_options() -> None:
    text = generate.commands_page()
    for name, _ in COMMANDS.functions():
        assert f"\n## ziggurat {name}\n" in text


def test_every_configuration_key_is_listed() -> None:
    text = generate.recipes_page()
    for cls in generate.configurations():
        for field in dataclasses.fields(cls):
            assert f"| `{field.name}` |" in text


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "whole number"),
        (float | None, "number, or none"),
        (tuple[str, ...], "list of text"),
        (bool, "true or false"),
    ],
)
def test_types_are_said_in_words(hint: object, words: str) -> None:
    assert generate.kind_words(hint) == words


def test_defaults_are_written_as_in_a_recipe() -> None:
    @dataclasses.dataclass(frozen=True)
    class Keys:
        a: str = option("x|y", "A key.")
        b: int | None = option(None, "Another.")

    rows = [(f"`{f.name}`", generate._default(f.default)) for f in dataclasses.fields(Keys)]
    assert rows == [("`a`", '`"x|y"`'), ("`b`", "")]
    assert generate._table(("key", "default"), rows) == (
        '\n| key | default |\n| --- | --- |\n| `a` | `"x\\|y"` |\n| `b` |  |\n'
    )


def test_a_stale_page_is_named_and_then_mended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    for page in ("commands_page", "recipes_page"):
        monkeypatch.setattr(generate, page, lambda: "same\n")
    monkeypatch.setattr(generate, "names_page", lambda: "new\n")
    for name, text in {"commands.md": "same\n", "recipes.md": "same\n", "names.md": "old\n"}.items():
        (tmp_path / name).write_text(text)
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().err == "docs/reference/names.md is out of date: run 'make docs'\n"
    assert generate.main([]) == 0
    assert (tmp_path / "names.md").read_text() == "new\n"
    assert generate.main(["--check"]) == 0
