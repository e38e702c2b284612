"""The recipes of published decoders learn, and their bundles are what they say: transformers gives the same logits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.foreign_models import random_ids
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.surface.cli import main

STEPS = 30
FORMS = {"gpt": "Qwen3ForCausalLM", "gpt2": "GPT2LMHeadModel", "modern": "Qwen3ForCausalLM"}
SMALL = {
    "tokens.vocab_size": 300,
    "model.layers": 2,
    "model.width": 32,
    "model.context": 64,
    "steps": STEPS,
    "training.rows": 4,
    "training.window": 64,
}


@pytest.fixture(params=FORMS)
def trained(request: pytest.FixtureRequest, texts: Path, tmp_path: Path) -> tuple[str, Path]:
    options = [word for key, value in SMALL.items() for word in (f"--{key}", str(value))]
    out = tmp_path / "run"
    assert main(["train", str(texts), "--recipe", request.param, "--out", str(out), "--quiet", *options]) == 0
    return request.param, out / "bundle"


def test_a_recipe_trains_and_its_bundle_opens_with_equal_logits(trained: tuple[str, Path]) -> None:
    import torch

    transformers = pytest.importorskip("transformers")
    name, path = trained
    bundle = load(path, verify=True)
    assert bundle.manifest.model["architecture"] == FORMS[name]
    assert bundle.manifest.training["steps"] == STEPS
    theirs, told = transformers.AutoModelForCausalLM.from_pretrained(path, output_loading_info=True)
    assert not any(told.values()), told
    ours: Any = bundle.model
    ids = random_ids(3, 64, size=bundle.model.vocabulary.size)
    with torch.no_grad():
        expected = theirs.eval()(torch.from_numpy(ids).long()).logits
        found = ours.network.eval()(torch.from_numpy(ids).long())[0]
    assert (found - expected).abs().max() <= 1e-4
    text = "The stranger's tower; 塔楼 很高."
    cut = transformers.AutoTokenizer.from_pretrained(path)(text, add_special_tokens=False)["input_ids"]
    assert cut == bundle.tokenizer.encode(text).ids.tolist()


def test_the_recipes_are_the_forms_that_they_are_named_after() -> None:
    old, new = load_recipe("gpt2").model, load_recipe("modern").model
    assert (old.positions, old.norm, old.activation, old.bias) == ("learned", "layer", "gelu_tanh", "all")
    assert (new.positions, new.norm, new.activation, new.bias) == ("rotary", "rms", "swiglu", "none")
    assert (old.query_norm, new.query_norm) == (False, True)
    # Grouped queries: two of eight heads are kept, each of 64 numbers: 2 · 2 · 64 = 256 a layer and token, a quarter
    # of 2 · 8 · 64 = 1024.
    assert new.heads // new.resolved_key_heads == 4
    assert 2 * new.resolved_key_heads * new.resolved_head_width == 256
    for recipe in ("gpt2", "modern"):
        found = load_recipe(recipe)
        assert np.gcd(found.training.window, found.model.context) == found.training.window
