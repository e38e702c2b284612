"""The command with which a bundle is first used: by what its model gives, in a form that a shell takes."""

import shlex
from pathlib import Path

import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.families import ENCODER_FAMILIES, LANGUAGE_FAMILIES, STATIC_FAMILIES
from ziggurat.core.protocols import ReadsPairs
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.cli import COMMANDS
from ziggurat.surface.first_use import first_use


@pytest.mark.parametrize("family", FAMILIES.names())
def test_every_family_has_a_use_and_it_is_a_command(family: str, tmp_path: Path) -> None:
    manifest = make_bundle(tmp_path / "tiny", family).manifest
    program, *words = shlex.split(first_use(manifest, Path("runs/tower")))
    assert program == "ziggurat"
    named = " ".join(words[: {"vectors": 2, "task": 3}.get(words[0], 1)])
    assert named in dict(COMMANDS.functions())
    assert "runs/tower" in words
    assert (words[0] in ("generate", "translate")) == (family in LANGUAGE_FAMILIES)
    assert (words[0] == "translate") == isinstance(FAMILIES.get(family), ReadsPairs)
    assert (words[0] == "vectors") == (family in STATIC_FAMILIES)
    assert (words[0] == "embed") == (family in set(ENCODER_FAMILIES) - {*STATIC_FAMILIES, *LANGUAGE_FAMILIES})


@pytest.mark.parametrize(
    ("folder", "shown"),
    [
        ("runs/tower-1", "runs/tower-1"),
        ("my runs/塔 1", "'my runs/塔 1'"),
        ("it's", "'it'\"'\"'s'"),
        ("a;rm -r b", "'a;rm -r b'"),
        ("$HOME", "'$HOME'"),
    ],
)
def test_a_folder_is_quoted_as_a_shell_reads_it(folder: str, shown: str, tmp_path: Path) -> None:
    manifest = make_bundle(tmp_path / "tiny", "word_vectors").manifest
    command = first_use(manifest, Path(folder))
    assert command == f"ziggurat vectors nearest {shown} WORD"
    assert shlex.split(command)[3] == folder
