"""Ask the reference programs of GloVe for the counts of a made-up text, and keep them.

::

    git clone https://github.com/stanfordnlp/GloVe && make -C GloVe
    python tests/golden/glove/make.py GloVe/build

writes ``text.txt`` (words between spaces, one text a line) and ``counts.json``: by the window's form, rows of two words
and what ``cooccur`` counted for them. Only the second needs the programs; tests read both without them.
"""

import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
MIN_COUNT = 3
FORMS = {"both": (5, 1, 1), "before": (4, 0, 1), "unweighted": (3, 1, 0)}
"""Window, whether it is symmetric, whether distance weighs."""
RECORD = struct.Struct("<iid")


def main(programs: Path) -> None:
    """Write both files."""
    draw = np.random.default_rng(17)
    words = [first + second for first in ("ba", "de", "ki", "lo", "塔") for second in ("ma", "ne", "ri", "so", "层")]
    chances = 1 / (1 + np.arange(len(words))) ** 1.2
    lines = [
        " ".join(words[w] for w in draw.choice(len(words), draw.integers(0, 17), p=chances / chances.sum()))
        for _ in range(53)
    ]
    (FOLDER / "text.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = {name: counted(programs, *form) for name, form in FORMS.items()}
    rows = ",\n".join(f' "{name}": {json.dumps(pairs, ensure_ascii=False)}' for name, pairs in found.items())
    (FOLDER / "counts.json").write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


def counted(programs: Path, window: int, symmetric: int, weighted: int) -> list[tuple[str, str, float]]:
    """What the programs count."""
    text = (FOLDER / "text.txt").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        vocabulary = Path(name) / "vocabulary.txt"
        counting: list[str | Path] = [programs / "vocab_count", "-min-count", str(MIN_COUNT), "-verbose", "0"]
        vocabulary.write_bytes(subprocess.run(counting, input=text, stdout=subprocess.PIPE, check=True).stdout)
        command: list[str | Path] = [
            *(programs / "cooccur", "-vocab-file", vocabulary, "-overflow-file", Path(name) / "overflow"),
            *("-window-size", str(window), "-symmetric", str(symmetric), "-distance-weighting", str(weighted)),
            # some pairs in its table, some in its files: where all are in one, it counts the first pair twice
            *("-verbose", "0", "-max-product", "20", "-overflow-length", "1000"),
        ]
        records = subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True).stdout
        words = [line.split(" ")[0] for line in vocabulary.read_text(encoding="utf-8").splitlines()]
    return [(words[i - 1], words[j - 1], x) for i, j, x in RECORD.iter_unpack(records)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
