"""A bundle of which a byte is wrong or missing is refused by the file's name, whichever file it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.bundles import make_bundle
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.manifest import FORMAT, Manifest
from ziggurat.core.errors import ArtefactError, DamagedError, NewerVersionError
from ziggurat.models.registry import FAMILIES

ALWAYS = ["README.md", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "ziggurat.json"]
EDITABLE = "README.md"


def flip_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def flip_last(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2])  # one byte: the manifest's last line would only lose its end


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"{}")


def remove(path: Path) -> None:
    path.unlink()


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [flip_middle, flip_last, cut, halve, empty, lengthen, remove, become_folder]


@pytest.fixture(scope="module", params=FAMILIES.names())
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "bundle"
    make_bundle(folder, request.param)
    return folder


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_every_file_is_watched(whole: Path, damage: Callable[[Path], None], tmp_path: Path) -> None:
    for name in files_of(whole):
        folder = copy(whole, tmp_path / name)
        damage(folder / name)
        with pytest.raises(ArtefactError) as caught:
            load(folder, verify=True)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_flipped_bit_is_seen_unasked_but_for_the_card(whole: Path, tmp_path: Path) -> None:
    for name in files_of(whole):
        folder = copy(whole, tmp_path / name)
        flip_middle(folder / name)
        if name == EDITABLE:
            load(folder)
        else:
            with pytest.raises(DamagedError, match=name):
                load(folder)


def test_a_size_is_compared_even_where_hashing_is_refused(whole: Path, tmp_path: Path) -> None:
    for name in (name for name in files_of(whole) if name not in (EDITABLE, "ziggurat.json")):
        folder = copy(whole, tmp_path / name)
        lengthen(folder / name)
        with pytest.raises(DamagedError, match=name):
            load(folder, verify=False)


def test_whatever_bytes_stand_there_unverified_the_error_is_ours(whole: Path, tmp_path: Path) -> None:
    """Without hashing, damage must be caught by those who read the files, never as a traceback."""
    for name in ("config.json", "tokenizer.json"):
        for number, content in enumerate((b"{}", b"[]", b"null", b'{"model": 3}', b"\xff\xfe", b"[" * 5000)):
            folder = copy(whole, tmp_path / f"{name}-{number}")
            size = (folder / name).stat().st_size
            (folder / name).write_bytes(content + b" " * (size - len(content)))
            if (folder / name).stat().st_size == size:
                with pytest.raises(ArtefactError, match=name):
                    _ = load(folder, verify=False).tokenizer  # which a bundle of word vectors parses only now


def test_another_models_tensors_do_not_pass(whole: Path, tmp_path: Path) -> None:
    folder = copy(whole, tmp_path / "b")
    manifest = Manifest.from_json((folder / "ziggurat.json").read_text(), where="x")
    other = make_bundle(tmp_path / "other", manifest.family, seed=11)
    (folder / "model.safetensors").write_bytes((other.path / "model.safetensors").read_bytes())
    with pytest.raises(DamagedError, match=r"model\.safetensors"):
        load(folder)


def test_a_newer_bundle_says_to_upgrade(whole: Path, tmp_path: Path) -> None:
    folder = copy(whole, tmp_path / "b")
    entries = json.loads((folder / "ziggurat.json").read_text())
    entries |= {"format": FORMAT + 1, "ziggurat": "9.0.0", "unheard_of": {}}
    (folder / "ziggurat.json").write_text(json.dumps(entries))
    with pytest.raises(NewerVersionError, match=r"ziggurat\.json: written by ziggurat 9\.0\.0.*upgrade"):
        load(folder)


def test_a_family_that_is_not_here_is_named(whole: Path, tmp_path: Path) -> None:
    folder = copy(whole, tmp_path / "b")
    text = (folder / "ziggurat.json").read_text()
    manifest = Manifest.from_json(text, where="x")
    forged = Manifest(**{**vars(manifest), "family": "ngramm"})
    (folder / "ziggurat.json").write_text(forged.to_json())
    with pytest.raises(ArtefactError, match="unknown model family 'ngramm'; did you mean 'ngram'"):
        load(folder)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", "3", '{"format": 1}', '{"format": "x"}', '{"format": null}']
)
def test_a_manifest_that_is_none_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "ziggurat.json").write_text(content)
    with pytest.raises(DamagedError, match=r"ziggurat\.json: damaged"):
        load(tmp_path)


def files_of(bundle: Path) -> list[str]:
    """The bundle's files, of which some belong to every family."""
    found = sorted(path.name for path in bundle.iterdir())
    assert set(ALWAYS) <= set(found)
    return found


def copy(source: Path, target: Path) -> Path:
    target.mkdir(parents=True)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target
