"""Our adapters in the PEFT library: its logits are ours, with the adapter beside the model and merged into it.

The library is no dependency: its numbers are kept in ``tests/golden/peft`` with the program that makes them, and
where it is installed it is asked again.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.low_rank import GPT2, IDS, LLAMA, OPTIONS, PROJECTIONS, adapter_for, base_bundle
from ziggurat.artefacts.adapters import merged, write_adapter
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.models.blocks.lora import adapt

FORMS = {"llama": LLAMA, "gpt2": GPT2}


def our_logits(model: Any) -> np.ndarray:
    with torch.no_grad():
        logits, _ = model.network(torch.tensor([IDS]))
    return np.asarray(logits[0].numpy())


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def golden(repository: Path, form: str, kind: str) -> np.ndarray:
    text = (repository / "tests" / "golden" / "peft" / "logits.json").read_text(encoding="utf-8")
    return np.array(json.loads(text)[form][kind])


def test_merged_by_us_is_merged_by_peft(tmp_path: Path, repository: Path, form: str) -> None:
    bundle = base_bundle(tmp_path / "base", FORMS[form])
    write_adapter(tmp_path / "adapter", adapter_for(bundle, PROJECTIONS), bundle.model, load_recipe("gpt"))
    ours = our_logits(merged(bundle, tmp_path / "adapter"))
    assert np.abs(ours - our_logits(bundle.model)).max() > 0.1
    np.testing.assert_allclose(ours, golden(repository, form, "merged"), atol=1e-4)


def test_beside_the_model_it_is_the_same(tmp_path: Path, repository: Path, form: str) -> None:
    bundle = base_bundle(tmp_path / "base", FORMS[form])
    adapter, model = adapter_for(bundle, PROJECTIONS), bundle.model
    network: Any = model.network  # type: ignore[attr-defined]
    adapt(network, PROJECTIONS, OPTIONS, seed=0)
    with torch.no_grad():
        for name, pair in adapter.pairs.items():
            module = network.get_submodule(name)
            module.lora_A.copy_(torch.from_numpy(pair.down))
            module.lora_B.copy_(torch.from_numpy(pair.up))
    np.testing.assert_allclose(our_logits(model), golden(repository, form, "unmerged"), atol=1e-4)


def test_peft_itself_says_so(tmp_path: Path, repository: Path, form: str) -> None:
    pytest.importorskip("peft", reason="peft is not installed; its numbers are in tests/golden/peft")
    from tests.golden.peft.make import peft_logits

    unmerged, whole = peft_logits(tmp_path, FORMS[form])
    np.testing.assert_allclose(unmerged, golden(repository, form, "unmerged"), atol=1e-5)
    np.testing.assert_allclose(whole, golden(repository, form, "merged"), atol=1e-5)
