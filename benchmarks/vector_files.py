"""Files of word vectors: opening a million, reading and writing foreign formats, beside gensim.

::

    python -m benchmarks.vector_files [--quick] [--data DIR]

Vectors are invented (normally distributed, 300 columns): a million to be opened, a hundred thousand to be read and
written. ``--data`` is a folder with ``vectors.bin`` in word2vec's binary format, which is then used for both. Each
figure is taken inside a process of its own, after its imports and after compiled kernels are there, from the page
cache. Opening is: open the folder, find a word in the middle, add its numbers up. gensim opens its own format with
``mmap="r"``. Reading ends with a model that can be asked; writing, on our side, has read the file back and compared it.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import alternate, median_spread, print_table, report, run

__all__ = ["main"]

WIDTH = 300
FORMS = {"word2vec_text": {}, "word2vec_binary": {"binary": True}}


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark, or with ``--one`` one of its measured processes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vector_files", description="beside gensim")
    parser.add_argument("--quick", action="store_true", help="a tenth of the words, once")
    parser.add_argument("--data", type=Path, help="folder with vectors.bin (default: invented vectors)")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.one:
        name, *rest = given.one
        print(json.dumps(ONE[name](*rest)))
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), quick=given.quick, data=given.data)


def measure(folder: Path, *, quick: bool, data: Path | None) -> None:
    """Make the files, time both sides in turn, print the table and the line of JSON."""
    scale = 10 if quick else 1
    if data:
        opened = read = str(data / "vectors.bin")
    else:
        opened, read = (str(folder / name) for name in ("many.bin", "few.bin"))
        invent(Path(opened), 1_000_000 // scale)
        invent(Path(read), 100_000 // scale)
    one("prepare", opened, folder / "many")
    one("prepare", read, folder / "few")
    sizes = {form: (folder / f"few.{form}").stat().st_size for form in FORMS}
    repeats = 1 if quick else 3
    for side in ("ours", "gensim"):  # once for what is compiled or cached, not counted
        one(f"{side}_open", folder / "few")
    found = {"open": alternate(repeats, **{s: partial(one, f"{s}_open", folder / "many") for s in ("ours", "gensim")})}
    for verb in ("read", "write"):
        for form in FORMS:
            sides = {s: partial(one, f"{s}_{verb}", folder / "few", form) for s in ("ours", "gensim")}
            found[f"{verb} {form}"] = alternate(repeats, **sides)
    rows = []
    for name, both in found.items():
        size = sizes.get(name.partition(" ")[2])
        for side, seconds in both.items():
            speed = f"{size / statistics.median(seconds) / 1e6:,.0f}" if size else ""
            rows.append((f"{name}, {side}", median_spread([1000 * second for second in seconds]), speed))
    print_table(("", "milliseconds", "MB/s"), rows)
    medians = {name: {s: statistics.median(v) for s, v in both.items()} for name, both in found.items()}
    text = medians["read word2vec_text"]
    report("vector_files", text["gensim"] / text["ours"], sizes=sizes, seconds=medians, peer="gensim")


def one(name: str, *arguments: Any) -> float:
    """Run a measured process and return the seconds that it reports."""
    command = [sys.executable, "-m", "benchmarks.vector_files", "--one", name, *map(str, arguments)]
    return float(json.loads(run(command).output.splitlines()[-1]))


def invent(path: Path, words: int) -> None:
    """Write a word2vec binary file of random vectors."""
    dice = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(b"%d %d\n" % (words, WIDTH))
        for number in range(words):
            file.write(b"w%d " % number + dice.normal(0, 0.3, WIDTH).astype("<f4").tobytes())


def prepare(source: str, target: str) -> float:
    """Write a file's vectors as our bundle, in gensim's own format, and in both foreign formats."""
    from gensim.models import KeyedVectors

    from ziggurat.artefacts.bundle import save
    from ziggurat.artefacts.interchange.formats import FORMATS
    from ziggurat.artefacts.manifest import Provenance

    found = FORMATS.get("word2vec_binary").read(Path(source))
    made = save(
        Path(f"{target}.bundle"),
        family=found.family, model=found.model, tokenizer=found.tokenizer, provenance=Provenance(),
    )  # fmt: skip
    KeyedVectors.load_word2vec_format(source, binary=True).save(f"{target}.kv")
    if target.endswith("few"):
        for form in FORMS:
            FORMATS.get(form).write(made, Path(f"{target}.{form}"))
    return 0.0


def ours_open(target: str) -> float:
    """Open our bundle and look at one word's vector."""
    from ziggurat.artefacts.bundle import load
    from ziggurat.models.registry import FAMILIES

    FAMILIES.get("word_vectors")

    def work() -> Any:
        bundle = load(Path(f"{target}.bundle"))
        model: Any = bundle.model
        return model.vectors[bundle.words.find(bundle.words.word(len(bundle.words) // 2))].sum()

    return timed(work)


def gensim_open(target: str) -> float:
    """Open gensim's file and look at one word's vector."""
    from gensim.models import KeyedVectors

    def work() -> Any:
        vectors = KeyedVectors.load(f"{target}.kv", mmap="r")
        return vectors[vectors.index_to_key[len(vectors) // 2]].sum()

    return timed(work)


def ours_read(target: str, form: str) -> float:
    """Read a foreign format."""
    from ziggurat.artefacts.interchange.formats import format_in

    warm(form)
    return timed(lambda: format_in(Path(f"{target}.{form}")).read(Path(f"{target}.{form}")))


def gensim_read(target: str, form: str) -> float:
    """Read the same file by gensim."""
    from gensim.models import KeyedVectors

    return timed(lambda: KeyedVectors.load_word2vec_format(f"{target}.{form}", **FORMS[form]))


def ours_write(target: str, form: str) -> float:
    """Write a foreign format and prove it."""
    from ziggurat.artefacts.bundle import load
    from ziggurat.artefacts.interchange.formats import FORMATS

    bundle = load(Path(f"{target}.bundle"))
    warm(form)
    return timed(lambda: FORMATS.get(form).write(bundle, Path(f"{target}.ours")))


def gensim_write(target: str, form: str) -> float:
    """Write the same by gensim."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors.load(f"{target}.kv", mmap="r")
    return timed(lambda: vectors.save_word2vec_format(f"{target}.theirs", **FORMS[form]))


def warm(form: str) -> None:
    """Write and read three words, so that modules are imported and kernels are loaded."""
    from ziggurat.artefacts.bundle import save
    from ziggurat.artefacts.interchange.formats import FORMATS
    from ziggurat.artefacts.manifest import Provenance

    with tempfile.TemporaryDirectory() as folder:
        small, file = Path(folder, "bundle"), Path(folder, "file")
        file.write_bytes(b"3 2\na 0.25 1\nb 1e-9 2\nc 3 4\n")
        found = FORMATS.get("word2vec_text").read(file)
        made = save(small, family=found.family, model=found.model, tokenizer=found.tokenizer, provenance=Provenance())
        FORMATS.get(form).write(made, file)


def timed(work: Callable[[], Any]) -> float:
    """Return how many seconds it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


ONE: dict[str, Callable[..., float]] = {
    f.__name__: f for f in (prepare, ours_open, gensim_open, ours_read, gensim_read, ours_write, gensim_write)
}


if __name__ == "__main__":
    main(sys.argv[1:])
