"""A manifest that lists files outside its bundle is refused: nothing is read there, and nothing is written there."""

import dataclasses
import json
from pathlib import Path

import pytest

from tests.fakes.low_rank import LLAMA, base_bundle
from ziggurat.artefacts import manifest as manifests
from ziggurat.artefacts.bundle import load
from ziggurat.core.errors import DamagedError
from ziggurat.surface.cli import main

OUTSIDE = ["../evil.json", "/evil.json", "..", ".", "", "a/../../evil.json", "inner/evil.json", "a\\b.json", "a\0b"]


def listing(folder: Path, **files: object) -> Path:
    """Seal a manifest that lists more files."""
    found = manifests.Manifest.from_json((folder / manifests.NAME).read_text(encoding="utf-8"), where="")
    changed = dataclasses.replace(found, files={**found.files, **files})  # type: ignore[dict-item]
    (folder / manifests.NAME).write_text(changed.to_json(), encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return base_bundle(tmp_path / "home" / "b", LLAMA).path


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_outside_the_bundle_is_refused(folder: Path, name: str) -> None:
    listing(folder, **{name: {"bytes": 2, "sha256": "0"}})
    with pytest.raises(DamagedError) as caught:
        load(folder)
    assert str(folder / manifests.NAME) in str(caught.value)
    assert repr(name) in str(caught.value)


def test_an_export_writes_nothing_beside_its_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = folder.parent / "evil.json"
    evil.write_text(json.dumps({}), encoding="utf-8")
    listing(folder, **{"../evil.json": manifests.describe_file(evil)})
    out = tmp_path / "elsewhere" / "out"
    assert main(["export", str(folder), str(out), "--to", "transformers"]) == 2
    assert "'../evil.json', which is no name of a file in this folder" in capsys.readouterr().err
    assert not list(tmp_path.glob("elsewhere/**/evil.json"))


@pytest.mark.parametrize("facts", [{}, 3, {"bytes": "2", "sha256": "0"}, {"bytes": 2, "sha256": None}, {"bytes": 2}])
def test_what_says_no_size_and_hash_is_refused(folder: Path, facts: object) -> None:
    (folder / "more.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DamagedError, match="damaged: "):
        load(listing(folder, **{"more.json": facts}))
