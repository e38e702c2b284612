"""What a folder of sentence-transformers says of how its vectors of texts are made.

*Idea.* Such a folder is one of transformers with ``modules.json`` beside it: a list of what happens to the tokens'
vectors. What of it we do stands in our ``config.json`` under ``ziggurat``, where `ziggurat.models.layouts.bert` reads
it, so that nothing more is needed beside the model; whoever exports the model writes the files again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ziggurat.core.errors import ArtefactError
from ziggurat.core.files import write_text

__all__ = ["sentence_facts", "write_sentence_files"]

CONFIG = "config.json"
MODULES = "modules.json"
LENGTHS = "sentence_bert_config.json"
POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
MODES = {"mean": "mean", "cls": "first"}
"""What newer files call the ways that we have."""
DONE = ("Transformer", "Pooling", "Normalize")
"""Steps that we do."""


def sentence_facts(folder: Path) -> dict[str, Any]:
    """Return the keys ``pooling``, ``normalise`` and ``longest_text`` that belong under ``ziggurat`` in a config.json.

    A folder without ``modules.json`` says nothing: there the result is empty.

    Raises:
        ArtefactError: a file can't be read, says what it can't mean, or asks for a step that we don't do; the message
            names it.
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
        facts["pooling"] = _pooling(_inside(folder, steps[kinds.index("Pooling")].get("path", "")) / CONFIG)
    longest = _keys(folder / LENGTHS).get("max_seq_length") if (folder / LENGTHS).is_file() else None
    if longest is not None:
        if type(longest) is not int or longest < 1:
            raise ArtefactError(f"{folder / LENGTHS}: max_seq_length can't be {longest!r}: it is a number of tokens")
        facts["longest_text"] = longest
    return facts


def write_sentence_files(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the files of sentence-transformers that say what `sentence_facts` would read as ``facts``.

    Vectors that it has no step for (of a pooler) are left to whoever opens the folder, and nothing is written.
    """
    mode = next((name for name, ours in MODES.items() if ours == facts.get("pooling")), None)
    if mode is None:
        return
    kinds = list(DONE) if facts.get("normalise") else [kind for kind in DONE if kind != "Normalize"]
    paths = ["" if not number else f"{number}_{kind}" for number, kind in enumerate(kinds)]
    steps = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    ways = {key: ours == facts["pooling"] for key, ours in POOLINGS.items()}
    contents: dict[str, Any] = {
        MODULES: steps,
        LENGTHS: {"max_seq_length": facts.get("longest_text"), "do_lower_case": False},
        f"{paths[1]}/{CONFIG}": {"word_embedding_dimension": facts["width"], **ways},
    }
    for path in paths[1:]:
        (folder / path).mkdir()
    for name, content in contents.items():
        write_text(folder / name, json.dumps(content, indent=1) + "\n")


def _inside(folder: Path, path: Any) -> Path:
    """Return a folder that ``modules.json`` names, which must lie in its own."""
    inside = isinstance(path, str) and not Path(path).is_absolute() and ".." not in Path(path).parts
    if not inside or "\0" in path:
        raise ArtefactError(f"{folder / MODULES}: the path {path!r} is none of a folder inside {folder}")
    return folder / str(path)


def _pooling(path: Path) -> str:
    """Return how tokens' vectors become one: older files have a flag for each way, newer ones a name."""
    said = _keys(path)
    if "pooling_mode" in said:
        asked = said["pooling_mode"]
        chosen = [MODES[asked]] if isinstance(asked, str) and asked in MODES else []
    else:
        asked = [key for key, on in said.items() if key.startswith("pooling_mode_") and on]
        chosen = [POOLINGS[key] for key in asked if key in POOLINGS]
        chosen = chosen if len(asked) == 1 else []
    if not chosen:
        raise ArtefactError(f"{path}: {asked} is not supported: vectors are the mean of all or the first one")
    return chosen[0]


def _keys(path: Path) -> dict[str, Any]:
    said = _read(path)
    if not isinstance(said, dict):
        raise ArtefactError(f"{path}: damaged: expected keys and values")
    return said


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: can't be read ({getattr(error, 'strerror', None) or 'not JSON'})") from error
