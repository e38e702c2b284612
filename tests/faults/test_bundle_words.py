"""The index of words in a bundle of vectors: damage to it, and to the tokenizer that waits to be parsed."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes.bundles import make_bundle
from ziggurat.artefacts import bundle as bundles
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.manifest import Manifest, describe_file
from ziggurat.core.errors import DamagedError
from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.loading import load_tokenizer
from ziggurat.tokens.word_index import write_index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "vectors", "word_vectors").path


def sealed_again(folder: Path, name: str) -> None:
    """Write the manifest as somebody would who forges a file and its hash."""
    path = folder / "ziggurat.json"
    manifest = Manifest.from_json(path.read_text(), where="x")
    forged = {**manifest.files, name: describe_file(folder / name)}
    path.write_text(Manifest(**{**vars(manifest), "files": forged}).to_json())


def test_an_index_of_other_words_is_refused(folder: Path) -> None:
    write_index(folder / "words.index", ["only", "three", "words"])
    sealed_again(folder, "words.index")
    with pytest.raises(DamagedError, match=r"words\.index: damaged: its words are not those of the model"):
        load(folder)


def test_what_is_no_index_is_refused(folder: Path) -> None:
    (folder / "words.index").write_bytes(b"ZIGWORD1" + b"\xff" * 64)
    sealed_again(folder, "words.index")
    with pytest.raises(DamagedError, match=r"words\.index: damaged: its header describes"):
        load(folder)


def test_another_tokenizer_is_refused_when_it_is_asked_for_and_when_all_is_verified(folder: Path) -> None:
    text = (folder / "tokenizer.json").read_text()
    assert text.count('"seven"') == 1
    (folder / "tokenizer.json").write_text(text.replace('"seven"', '"sevem"'))
    sealed_again(folder, "tokenizer.json")
    bundle = load(folder)
    assert bundle.words.find("seven") is not None
    for _ in range(2):  # not only the first time
        with pytest.raises(DamagedError, match=r"tokenizer\.json: damaged: not the tokenizer that the model"):
            _ = bundle.tokenizer
    with pytest.raises(DamagedError, match=r"tokenizer\.json: damaged: not the tokenizer that the model"):
        load(folder, verify=True)


def test_a_bundle_of_vectors_is_opened_without_its_tokenizer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What opens in milliseconds can't have parsed a tokenizer of a million words."""
    parsed: list[str] = []

    def counted(text: str, roles: Mapping[str, str]) -> Tokenizer:
        parsed.append(text)
        return load_tokenizer(text, roles)

    monkeypatch.setattr(bundles, "load_tokenizer", counted)
    bundle = load(folder)
    number = bundle.words.find("nine")
    assert number is not None
    assert bundle.words.word(number) == "nine"
    assert not parsed
    assert bundle.tokenizer.encode("nine").ids.tolist() == [number]
    assert bundle.tokenizer is bundle.tokenizer
    assert len(parsed) == 1


def test_a_bundle_that_predicts_has_no_index_but_the_same_question(tmp_path: Path) -> None:
    bundle = load(make_bundle(tmp_path / "counts", "ngram").path)
    assert "words.index" not in bundle.manifest.files
    assert not (bundle.path / "words.index").exists()
    assert bundle.words.find("seven") == bundle.tokenizer.encode("seven").ids[0]
    assert len(bundle.words) == 11
