"""Our own tokenizers in GGUF files: what llama.cpp made of them, kept for machines without it.

llama.cpp takes a file's word for how text is cut (``tokenizer.ggml.pre``), so a file that says something else than the
one that it read proves nothing: what a file says is compared, too. ``tests/golden/llama_cpp/make.py`` asked it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.decoders import FORMS, drawn, tokenizer
from tests.golden.llama_cpp.make import OWN, OWN_FILE, OWN_PROMPTS, said_of_tokenizer
from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.gguf import FORMAT
from ziggurat.artefacts.interchange.proof import TEXTS, greedy
from ziggurat.models.registry import predicting

pytest.importorskip("gguf")
GOLDEN = json.loads(OWN_FILE.read_text(encoding="utf-8"))["models"]


@pytest.fixture(scope="module", params=OWN)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Bundle]:
    form, kind, keys = OWN[request.param]
    folder = tmp_path_factory.mktemp("own")
    bundle = drawn(folder / "b", FORMS[form], tokenizer(kind, **keys))
    FORMAT.write(bundle, folder / "own.gguf")
    return GOLDEN[request.param], bundle


def file_of(bundle: Bundle) -> Path:
    return bundle.path.parent / "own.gguf"


def test_the_file_says_of_its_tokenizer_what_llama_cpp_was_told(exported: tuple[dict[str, Any], Bundle]) -> None:
    golden, bundle = exported
    assert said_of_tokenizer(file_of(bundle)) == golden["says"]


def test_tokens_are_those_of_llama_cpp(exported: tuple[dict[str, Any], Bundle]) -> None:
    golden, bundle = exported
    back = FORMAT.read(file_of(bundle)).tokenizer
    for text, ids in zip(TEXTS, golden["ids"], strict=True):
        assert bundle.tokenizer.encode(text).ids.tolist() == ids, text
        assert back.encode(text).ids.tolist() == ids, text


def test_greedy_text_is_that_of_llama_cpp(exported: tuple[dict[str, Any], Bundle]) -> None:
    golden, bundle = exported
    back = predicting(FORMAT.read(file_of(bundle)).model, "own.gguf")
    for prompt, begun, written in zip(OWN_PROMPTS, golden["prompts"], golden["written"], strict=True):
        assert [0, *bundle.tokenizer.encode(prompt).ids.tolist()] == begun
        assert len(written) > 3
        for model in (bundle.language_model, back):
            assert greedy(model, np.array(begun, np.int32), len(written)) == written, prompt
