"""Bundles of every family: what was saved is what is opened, and the papers are true."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.families import LANGUAGE_FAMILIES, as_language_model
from ziggurat.artefacts.bundle import bundle_folder, load, read_manifest, record, save
from ziggurat.artefacts.manifest import Manifest, Provenance
from ziggurat.core.errors import ArtefactError
from ziggurat.models.registry import FAMILIES

IDS = np.array([[0, 3, 5, 2, 7], [0, 9, 10, 4, 4]], np.int32)
LENGTHS = np.array([5, 3], np.int32)


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_a_model_comes_back_with_the_same_probabilities(family: str, tmp_path: Path) -> None:
    saved = make_bundle(tmp_path / "bundle", family, seed=3)
    opened = load(tmp_path / "bundle", verify=True)
    expected, found = (as_language_model(one.model, family).token_logprobs(IDS, LENGTHS) for one in (saved, opened))
    np.testing.assert_array_equal(found, expected)
    assert opened.tokenizer.fingerprint == saved.tokenizer.fingerprint
    assert opened.manifest == saved.manifest
    assert opened.family is FAMILIES.get(family)
    assert opened.path == tmp_path / "bundle"


@pytest.mark.parametrize("family", FAMILIES.names())
def test_the_manifest_names_every_file_and_what_is_known(family: str, tmp_path: Path) -> None:
    manifest = make_bundle(tmp_path / "bundle", family, seed=3).manifest
    on_disk = {path.name: path.stat().st_size for path in (tmp_path / "bundle").iterdir()}
    assert {name: facts["bytes"] for name, facts in manifest.files.items()} == {
        name: size for name, size in on_disk.items() if name != "ziggurat.json"
    }
    assert manifest.size_bytes == sum(on_disk.values()) - on_disk["ziggurat.json"]
    assert manifest.family == family
    assert manifest.entry("seed") == 3
    assert manifest.entry("tokenizer.vocabulary") == 11
    assert manifest.entry("model.parameters") > 0
    assert manifest.entry("training.steps") == 13
    assert "python" in manifest.versions
    with pytest.raises(KeyError):
        manifest.entry("metrics.test.bits_per_byte")


def test_a_bundle_is_the_same_bytes_whenever_it_is_made(tmp_path: Path) -> None:
    family = FAMILIES.names()[0]
    for name in ("a", "b"):
        make_bundle(tmp_path / name, family, seed=3)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert [(tmp_path / "a" / f).read_bytes() for f in files] == [(tmp_path / "b" / f).read_bytes() for f in files]


def test_a_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    manifest = make_bundle(tmp_path / "bundle", FAMILIES.names()[0]).manifest
    assert Manifest.from_json(manifest.to_json(), where="x") == manifest


def test_facts_that_are_not_plain_become_plain(tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "a", FAMILIES.names()[0])
    provenance = Provenance(
        training={"loss": np.float32(1.5), "curve": ((1, 2.0),), "never": float("inf"), "n": np.int64(11)}
    )
    saved = save(
        tmp_path / "b",
        family=made.manifest.family,
        model=made.model,
        tokenizer=made.tokenizer,
        provenance=provenance,
    )
    assert saved.manifest.training == {"loss": 1.5, "curve": [[1, 2.0]], "never": None, "n": 11}
    assert load(tmp_path / "b").manifest == saved.manifest


def test_measurements_are_added_to_manifest_and_card_and_the_rest_stays(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    before = make_bundle(folder, FAMILIES.names()[0])
    (folder / "notes.txt").write_text("mine")
    inode = (folder / "model.safetensors").stat().st_ino
    record(folder, {"test": {"bits_per_byte": 1.975, "low": 1.93, "documents": 13}})
    record(folder, {"letters": {"bits_per_byte": 2.5}})
    opened = load(folder, verify=True)
    assert opened.manifest.metrics == {
        "test": {"bits_per_byte": 1.975, "low": 1.93, "documents": 13},
        "letters": {"bits_per_byte": 2.5},
    }
    assert "`metrics.letters.bits_per_byte`" in (folder / "README.md").read_text(encoding="utf-8")
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "model.safetensors").stat().st_ino == inode  # not written again
    assert opened.manifest.training == before.manifest.training
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_card_that_its_owner_edited_stays(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    make_bundle(folder, FAMILIES.names()[0])
    (folder / "README.md").write_text("# My model\n")
    load(folder)
    record(folder, {"test": {"bits_per_byte": 1.975}})
    assert (folder / "README.md").read_text() == "# My model\n"
    assert load(folder).manifest.metrics["test"]["bits_per_byte"] == 1.975


def test_a_run_folder_leads_to_its_bundle(tmp_path: Path) -> None:
    make_bundle(tmp_path / "run" / "bundle", FAMILIES.names()[0])
    assert load(tmp_path / "run").path == tmp_path / "run" / "bundle"
    assert bundle_folder(tmp_path / "run" / "bundle") == tmp_path / "run" / "bundle"


def test_what_is_no_bundle_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "recipe.toml").write_text("")
    for name in ("gpt", "ngram"):
        make_bundle(tmp_path / "climb" / name / "bundle", FAMILIES.names()[0])
    for name, message in {
        "nowhere": "no such folder",
        "file": "a file, not a bundle",
        "empty": r"not a bundle \(ziggurat.json is missing\)",
        "unfinished": "no bundle yet; finish it with 'ziggurat train --resume",
        "climb": "holds several bundles; choose one of .*climb/gpt/bundle, .*climb/ngram/bundle",
    }.items():
        with pytest.raises(ArtefactError, match=message):
            load(tmp_path / name)


def test_what_transformers_asks_beside_the_tokenizer(tmp_path: Path) -> None:
    for family in FAMILIES.names():
        folder = tmp_path / family
        manifest = make_bundle(folder, family).manifest
        config = json.loads((folder / "tokenizer_config.json").read_text())
        assert config["tokenizer_class"] == "PreTrainedTokenizerFast"
        assert {config["bos_token"], config["eos_token"]} == {"<|endoftext|>"}
        # only a model that transformers has a class for says how it wants to be sampled from
        writes = bool(manifest.model["architecture"]) and family in LANGUAGE_FAMILIES
        assert (folder / "generation_config.json").exists() == writes


def test_reading_a_manifest_needs_no_model(tmp_path: Path) -> None:
    saved = make_bundle(tmp_path / "bundle", FAMILIES.names()[0])
    (tmp_path / "bundle" / "model.safetensors").unlink()
    assert read_manifest(tmp_path / "bundle") == saved.manifest
