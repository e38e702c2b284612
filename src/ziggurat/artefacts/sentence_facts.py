"""What a folder of sentence-transformers says of how its vectors of texts are made.

*Idea.* Such a folder is one of transformers with ``modules.json`` beside it: a list of what happens to the tokens'
vectors. What of it we do stands in our ``config.json`` under ``ziggurat``, where `ziggurat.models.layouts.bert` reads
it, so that nothing more is needed beside the model.
"""

import json
from pathlib import Path
from typing import Any

from ziggurat.core.errors import ArtefactError

__all__ = ["sentence_facts"]

MODULES = "modules.json"
LENGTHS = "sentence_bert_config.json"
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
DONE = ("Transformer", "Pooling", "Normalize")
"""Steps that we do."""


def sentence_facts(folder: Path) -> dict[str, Any]:
    """Return the keys ``pooling``, ``normalise`` and ``longest_text`` that belong under ``ziggurat`` in a config.json.

    A folder without ``modules.json`` says nothing: there the result is empty.

    Raises:
        ArtefactError: a file can't be read, or asks for a step that we don't do; the message names it.
    """
    if not (folder / MODULES).is_file():
        return {}
    steps = _read(folder / MODULES)
    if not isinstance(steps, list) or not all(isinstance(step, dict) and "type" in step for step in steps):
        raise ArtefactError(f"{folder / MODULES}: not the list of steps of a sentence-transformers model")
    kinds = [str(step["type"]).rsplit(".", 1)[-1] for step in steps]
    for kind in kinds:
        if kind not in DONE:
            raise ArtefactError(f"{folder / MODULES}: the step {kind} is not supported, only {', '.join(DONE)}")
    facts: dict[str, Any] = {"normalise": "Normalize" in kinds}
    if "Pooling" in kinds:
        facts["pooling"] = _pooling(folder / str(steps[kinds.index("Pooling")].get("path", "")) / "config.json")
    lengths = _read(folder / LENGTHS) if (folder / LENGTHS).is_file() else {}
    if isinstance(lengths, dict) and lengths.get("max_seq_length"):
        facts["longest_text"] = int(lengths["max_seq_length"])
    return facts


def _pooling(path: Path) -> str:
    """Return how tokens' vectors become one: older files have a flag for each way, newer ones a name."""
    said = _read(path)
    if "pooling_mode" in said:
        asked = said["pooling_mode"]
        names = {"mean": "mean", "cls": "first"}
        chosen = [names[asked]] if isinstance(asked, str) and asked in names else []
    else:
        asked = [key for key, on in said.items() if key.startswith("pooling_mode_") and on]
        chosen = [POOLINGS[key] for key in asked if key in POOLINGS]
        chosen = chosen if len(asked) == 1 else []
    if not chosen:
        raise ArtefactError(f"{path}: {asked} is not supported: vectors are the mean of all or the first one")
    return chosen[0]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path}: can't be read ({getattr(error, 'strerror', None) or 'not JSON'})") from error
