"""A manifest comes back as it was, and no entry of it can be changed unnoticed."""

import copy
import hashlib
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ziggurat.artefacts.manifest import FORMAT, Manifest, describe_file, versions
from ziggurat.core.errors import DamagedError, NewerVersionError

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="."), min_size=1, max_size=11)
FILES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="./\\\0"), min_size=1, max_size=11)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=7,
)
FACTS = st.dictionaries(NAMES, PLAIN, max_size=5)
MANIFESTS = st.builds(
    Manifest,
    family=NAMES,
    recipe=FACTS,
    seed=st.integers(0, 2**63 - 1),
    tokenizer=FACTS,
    model=FACTS,
    corpus=FACTS,
    training=FACTS,
    metrics=st.dictionaries(NAMES, FACTS, max_size=3),
    versions=st.dictionaries(NAMES, NAMES, max_size=3),
    files=st.dictionaries(FILES, st.fixed_dictionaries({"bytes": st.integers(0, 10**15), "sha256": NAMES}), max_size=3),
)


few = settings(max_examples=31)


@few
@given(MANIFESTS)
def test_what_is_written_is_what_is_read(manifest: Manifest) -> None:
    text = manifest.to_json()
    again = Manifest.from_json(text, where="x")
    assert again == manifest
    assert again.to_json() == text


@few
@given(MANIFESTS, st.data())
def test_a_changed_entry_is_noticed(manifest: Manifest, data: st.DataObject) -> None:
    raw = json.loads(manifest.to_json())
    name = data.draw(st.sampled_from([field.name for field in fields(Manifest) if field.name != "format"]))
    changed = data.draw(PLAIN.filter(lambda value: json.dumps(value) != json.dumps(raw[name])))
    raw[name] = changed
    with pytest.raises(DamagedError, match=r"ziggurat\.json: damaged"):
        Manifest.from_json(json.dumps(raw), where="ziggurat.json")


@few
@given(MANIFESTS, st.data())
def test_a_cut_file_is_noticed(manifest: Manifest, data: st.DataObject) -> None:
    text = manifest.to_json()
    cut = data.draw(st.integers(0, len(text) - 3))  # the last line break may go
    with pytest.raises(DamagedError):
        Manifest.from_json(text[:cut], where="x")


@few
@given(MANIFESTS)
def test_how_the_file_is_laid_out_does_not_matter(manifest: Manifest) -> None:
    raw = json.loads(manifest.to_json())
    turned = dict(reversed(raw.items()))
    assert Manifest.from_json(json.dumps(turned, indent=7), where="x") == manifest


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield name, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(f"{name}.{key}", inner)


@few
@given(MANIFESTS)
def test_every_entry_is_found_by_its_dotted_name(manifest: Manifest) -> None:
    for field in fields(Manifest):
        for name, value in leaves(field.name, getattr(manifest, field.name)):
            assert manifest.entry(name) == value


@pytest.mark.parametrize("format_number", [FORMAT + 1, 99])
def test_a_newer_one_names_both_versions_before_anything_else_is_judged(format_number: int) -> None:
    raw = {"format": format_number, "ziggurat": "7.3.1", "unheard": "of"}
    with pytest.raises(
        NewerVersionError, match=r"here: written by ziggurat 7\.3\.1, newer than this one \(.+\): upgrade"
    ):
        Manifest.from_json(json.dumps(raw), where="here")


@few
@given(st.binary(max_size=999))
def test_a_file_is_described_by_its_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path: Path = tmp_path_factory.mktemp("described") / "file"
    path.write_bytes(content)
    # SHA-256 of nothing begins e3b0c442
    assert describe_file(path) == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def test_versions_are_those_of_packages_in_use() -> None:
    import numpy as np

    found = versions()
    assert found["numpy"] == np.__version__
    assert {"python", "platform"} <= set(found)


def test_a_manifest_does_not_hold_on_to_what_it_gave_away() -> None:
    one = Manifest("f", {"a": {"b": 1}}, 0, {}, {}, {}, {}, {}, {})
    before = copy.deepcopy(one)
    one.entry("recipe.a")["b"] = 2
    assert one == before
