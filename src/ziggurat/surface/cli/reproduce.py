"""Make a report's numbers again and compare each with what it says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import GateNotMetError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

__all__ = ["COMMAND", "ReproduceOptions", "reproduce"]


@dataclass(frozen=True)
class ReproduceOptions:
    """How far back the numbers are made again."""

    train: bool = option(False, "train every model again, step for step, instead of only scoring with the bundles")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(ReproduceOptions)
def reproduce(
    report: Annotated[Path, typer.Argument(help="A climb's report.html, or its folder.")], *, options: ReproduceOptions
) -> None:
    """Score the held-out documents again and print each figure beside the report's; exit code 3 where one differs."""
    from ziggurat.study.reproduce import TOLERANCE
    from ziggurat.study.reproduce import reproduce as run_again
    from ziggurat.surface.progress import ProgressDisplay

    terminal = Terminal(quiet=options.quiet)
    with ProgressDisplay(terminal) as display:
        checks = run_again(report, train=options.train, listener=display)
    if options.json:
        rows = [{"name": c.name, "before": c.before, "after": c.after, "holds": c.holds} for c in checks]
        terminal.write_json({"tolerance": TOLERANCE, "checks": rows})
    else:
        head = tuple(map(translate, ("model", "report", "now", "difference")))
        lines = [(c.name, f"{c.before:.4f}", f"{c.after:.4f}", f"{c.after - c.before:+.4f}") for c in checks]
        terminal.write(align([head, *lines]))
    failed = [c.name for c in checks if not c.holds]
    if failed:
        raise GateNotMetError(f"{report}: {', '.join(failed)} came out otherwise (tolerance {TOLERANCE} bits per byte)")


COMMAND = reproduce
