"""A model of every layout leaves as a folder of transformers and comes back as it was, or the folder is not kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.laws.test_layout_laws import held
from ziggurat.artefacts.bundle import Bundle, load, save
from ziggurat.artefacts.interchange import transformers as module
from ziggurat.artefacts.interchange.formats import FORMATS, Foreign, format_in
from ziggurat.artefacts.interchange.transformers_program import TransformersProgram
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import Vocabulary
from ziggurat.models.layouts.layout import LAYOUTS
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.fast import FastTokenizer


def words_with_roles() -> Tokenizer:
    """Eleven words and the special tokens that some families need."""
    from tokenizers import AddedToken

    plain = eleven_words()
    assert isinstance(plain, FastTokenizer)
    parts = json.loads(plain.to_json())
    extra = ["[BEGIN]", "[MASK]"]
    added = FastTokenizer.from_json(json.dumps(parts)).core
    added.add_special_tokens([AddedToken(token, special=True) for token in extra])
    roles = {"bos": "[BEGIN]", "eos": "<|endoftext|>", "unk": "<unk>", "mask": "[MASK]", "pad": "<unk>"}
    return FastTokenizer.from_json(added.to_str(), roles)


def some_model(name: str, vocabulary: Vocabulary) -> Any:
    """A random model of a layout."""
    family = FAMILIES.get(LAYOUTS.get(name).family)
    for config in held(name):
        try:
            return family.build(config, vocabulary, seed=5)
        except UsageError:
            continue
    return pytest.skip(f"no configuration of {name} goes with the tokenizer")


@pytest.fixture(params=LAYOUTS.names())
def bundle(request: pytest.FixtureRequest, tmp_path: Path) -> Bundle:
    tokenizer = words_with_roles()
    vocabulary = tokenizer.vocabulary
    padded = Vocabulary(vocabulary.size + 3, vocabulary.bos, vocabulary.eos, *vocabulary_rest(vocabulary))
    model = some_model(request.param, padded)
    family = LAYOUTS.get(request.param).family
    return save(
        tmp_path / "b",
        family=family,
        model=model,
        tokenizer=tokenizer,
        provenance=Provenance(),
        chat_template="{{ messages }}",
    )


def vocabulary_rest(vocabulary: Vocabulary) -> tuple[int | None, int | None, int | None]:
    return vocabulary.unk, vocabulary.mask, vocabulary.pad


def test_it_comes_back_as_it_was(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    FORMATS.get("transformers").write(bundle, folder)
    assert format_in(folder) is FORMATS.get("transformers")
    found = format_in(folder).read(folder)
    assert found.family == bundle.manifest.family
    assert found.tokenizer.fingerprint == bundle.tokenizer.fingerprint
    assert found.tokenizer.vocabulary == bundle.tokenizer.vocabulary
    assert found.model.vocabulary == bundle.model.vocabulary
    assert found.chat_template == "{{ messages }}"
    ours, theirs = (FAMILIES.get(found.family).state(model) for model in (bundle.model, found.model))
    assert ours[0] == theirs[0]
    for name, array in ours[1].items():
        np.testing.assert_array_equal(theirs[1][name], array)


def test_no_file_of_ours_alone_is_in_it(bundle: Bundle, tmp_path: Path) -> None:
    FORMATS.get("transformers").write(bundle, tmp_path / "plain")
    names = {path.name for path in (tmp_path / "plain").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= names
    assert names.isdisjoint({"ziggurat.json", "README.md", "words.index"})


def test_a_bundle_opens_again_after_it_came_in(bundle: Bundle, tmp_path: Path) -> None:
    FORMATS.get("transformers").write(bundle, tmp_path / "plain")
    found = format_in(tmp_path / "plain").read(tmp_path / "plain")
    save(
        tmp_path / "again",
        family=found.family,
        model=found.model,
        tokenizer=found.tokenizer,
        provenance=Provenance(),
        chat_template=found.chat_template,
    )
    again = load(tmp_path / "again", verify=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (bundle.path / name).read_bytes()
    assert again.chat_template == bundle.chat_template


def test_what_reads_back_otherwise_is_not_kept(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = FAMILIES.get(bundle.manifest.family)
    config, tensors = family.state(bundle.model)
    name = sorted(tensors)[0]
    changed = {**tensors, name: np.asarray(tensors[name], np.float32) + np.float32(0.5)}
    other = Foreign(bundle.manifest.family, family.restore(config, changed), bundle.tokenizer)
    monkeypatch.setattr(module.TransformersFolder, "read", lambda self, path: other)
    with pytest.raises(ArtefactError, match="not kept"):
        FORMATS.get("transformers").write(bundle, tmp_path / "plain")
    assert not (tmp_path / "plain").exists()
    assert not list(tmp_path.glob(".plain*"))


def test_transformers_gives_the_same(bundle: Bundle, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    proof = module.FORMAT.write_proven(bundle, tmp_path / "plain")[-1]
    assert proof.program == "transformers"
    assert proof.tokens > 100
    assert proof.positions >= 8
    assert proof.largest <= 1e-4


@pytest.mark.parametrize("what", ["tokens", "numbers"])
def test_what_transformers_finds_otherwise_is_not_kept(
    what: str, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers")
    program = TransformersProgram
    if what == "tokens":
        monkeypatch.setattr(program, "encode", lambda self, text: [0])
    else:
        opened = program.__init__

        def spoilt(self: Any, *given: Any, **named: Any) -> None:
            opened(self, *given, **named)
            for array in self._model.state_dict().values():
                array.add_(0.25)

        monkeypatch.setattr(program, "__init__", spoilt)
    with pytest.raises(ArtefactError, match=r"plain.* in transformers.*not kept|by transformers, .*not kept"):
        module.FORMAT.write(bundle, tmp_path / "plain")
    assert not (tmp_path / "plain").exists()


def test_a_folder_that_transformers_does_not_open_says_so(bundle: Bundle, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(ArtefactError, match=r"plain: transformers \S+ does not open it: "):
        TransformersProgram(bundle.path, "NoSuchModel", where=tmp_path / "plain")


def test_another_tokenizer_is_not_kept(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ziggurat.tokens.loading import train_tokenizer

    other = Foreign(bundle.manifest.family, bundle.model, train_tokenizer(["x y z"], "bytes"))
    monkeypatch.setattr(module.TransformersFolder, "read", lambda self, path: other)
    with pytest.raises(ArtefactError, match="gives other tokens there"):
        FORMATS.get("transformers").write(bundle, tmp_path / "plain")
    assert not (tmp_path / "plain").exists()
