"""Write what PEFT makes of our adapters on transformers' models: ``python -m tests.golden.peft.make``.

Needs peft and transformers. Bundle and adapter come from fixed seeds (`tests.fakes.low_rank`); the logits that PEFT's
model gives to fixed ids, with the adapter and with it merged by PEFT, are written to ``logits.json``.
"""

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from tests.fakes.low_rank import GPT2, IDS, LLAMA, PROJECTIONS, adapter_for, base_bundle
from ziggurat.artefacts.adapters import write_adapter
from ziggurat.artefacts.recipe import load_recipe

peft: Any = importlib.import_module("peft")  # no dependency of ours
FILE = Path(__file__).with_name("logits.json")


def peft_logits(folder: Path, form: Any) -> tuple[list[Any], list[Any]]:
    """The logits of PEFT's model, unmerged and merged."""
    bundle = base_bundle(folder / "base", form)
    write_adapter(folder / "adapter", adapter_for(bundle, PROJECTIONS), bundle.model, load_recipe("gpt"))
    base = AutoModelForCausalLM.from_pretrained(folder / "base")
    model = peft.PeftModel.from_pretrained(base, str(folder / "adapter")).eval()
    ids = torch.tensor([IDS])
    with torch.no_grad():
        unmerged = model(ids).logits[0].tolist()
        merged = model.merge_and_unload()(ids).logits[0].tolist()
    return unmerged, merged


def main() -> None:
    """Write the file."""
    found = {}
    for name, form in (("llama", LLAMA), ("gpt2", GPT2)):
        with tempfile.TemporaryDirectory() as folder:
            unmerged, merged = peft_logits(Path(folder), form)
            found[name] = {"unmerged": unmerged, "merged": merged}
    FILE.write_text(json.dumps({"peft": peft.__version__, **found}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
