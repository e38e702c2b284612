"""Several processes against one: the same curve of the loss, and what a step costs.

::

    python -m benchmarks.spread [--quick]

Each process computes in one thread. A small decoder and a small LSTM are trained for 200 steps (``--quick``: 40) by one
process, by one process that adds the same rows up in two batches, and by two over gloo: `ddp` and `fsdp`. The second is
the control: it too sums in another order, so its curve drifts by rounding. The drift is the largest relative difference
of a step's loss.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks.harness import print_table, report
from tests.fakes.processes import together
from tests.laws.test_spreading_laws import asked, told

__all__ = ["main"]

_RATES = (0.001, 0.003)


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spread", description="two processes against one")
    parser.add_argument("--quick", action="store_true", help="40 steps instead of 200")
    steps = 40 if parser.parse_args(arguments).quick else 200
    torch.set_num_threads(1)  # a fork has none of the threads that its parent had begun, and would wait for them
    rows: list[tuple[str, ...]] = []
    worst: dict[str, float] = {}
    for family in ("decoder", "recurrent"):
        for rate in _RATES:
            keys: dict[str, Any] = {"steps": steps, "learning_rate": rate}
            one, alone = _timed(lambda k=keys, f=family: told(asked(f, **k)))
            runs = {"one": (one, alone)}
            if family == "decoder":  # an LSTM lays its text out by its rows: others are another order of text
                runs["one, two batches"] = _timed(lambda k=keys, f=family: told(asked(f, **k, rows=3, accumulate=2)))
            for how in ("ddp", "fsdp"):
                runs[how] = _timed(
                    lambda k=keys, f=family, h=how: together(2, lambda _: told(asked(f, **k, spread=h)))[0]
                )
            for name, (found, seconds) in runs.items():
                drift = max(abs(a / b - 1) for a, b in zip(found[0]["step"], one[0]["step"], strict=True))
                if name in ("ddp", "fsdp"):
                    worst[f"{rate:g}"] = max(worst.get(f"{rate:g}", 0.0), drift)
                rows.append((family, f"{rate:g}", name, f"{drift:.1e}", f"{1000 * seconds / steps:.1f}"))
    print_table(("family", "learning rate", "processes", "drift", "ms a step, start included"), rows)
    report("spread", None, steps=steps, worst_drift=worst, wanted={f"{_RATES[0]:g}": 1e-4})


def _timed(work: Any) -> tuple[Any, float]:
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


if __name__ == "__main__":
    main(sys.argv[1:])
