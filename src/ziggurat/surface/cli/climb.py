"""Train all families on your text, rank them in bits per byte, write a report."""

import dataclasses
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InterruptedRunError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.language import current, translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.study.result import Climb

__all__ = ["COMMAND", "ClimbOptions", "climb"]

REPORT = "report.html"


@dataclass(frozen=True)
class ClimbOptions:
    """What is climbed on, for how long, and where it goes."""

    minutes: float = option(10.0, "budget in minutes of wall time, everything included", low=0.1)
    demo: Literal["en", "zh"] | None = option(None, "climb on text that is on every machine instead: en or zh")
    out: str | None = option(None, "folder of the run; unless told, a new one below runs/")
    seed: int = option(0, "seed of everything that is drawn", low=0)
    field: str | None = option(None, "field or column that holds the text; found where it is not given")
    encoding: str | None = option(None, "encoding of every file; recognised where it is not given")
    workers: str | None = option(
        None, "who prepares the text: a number of processes, ray, or a Ray cluster's address like ray://host:10001"
    )
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(ClimbOptions)
def climb(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT…]", help="Files, folders, globs; - is standard input.")
    ] = None,
    *,
    options: ClimbOptions,
) -> None:
    """Train n-gram, LSTM, GPT and their mixture within the budget and say which to use, with intervals and tests.

    All are measured on the same held-out documents. The folder of the run then holds one bundle per model and
    report.html, which opens offline.
    """
    from ziggurat.artefacts.runs import new_folder
    from ziggurat.study.climb import RESULT
    from ziggurat.study.climb import climb as run_climb
    from ziggurat.study.entrants import Entry
    from ziggurat.surface.api import run_name
    from ziggurat.surface.progress import ProgressDisplay
    from ziggurat.surface.workers import named_workers
    from ziggurat.text.options import TextConfig
    from ziggurat.text.sources import resolve

    names = list(texts or [])
    if options.demo is not None:
        names.append(f"demo:{options.demo}")
    if not names:
        raise UsageError("no text was named: ziggurat climb TEXT…, or try it with --demo en")
    workers = named_workers(options.workers)
    resolve(names)  # a path that is missing is said before a folder is made
    terminal = Terminal(quiet=options.quiet)
    folder = Path(options.out) if options.out else new_folder(Path("runs"), run_name(names, "climb"))
    if (folder / RESULT).exists():
        raise UsageError(f"{folder}: holds a finished climb; choose another --out")
    entry = Entry(
        sources=tuple(names),
        folder=folder,
        minutes=options.minutes,
        title=Path(names[0]).name,
        command=f"ziggurat climb {shlex.join(names)} --minutes {options.minutes:g}",
        seed=options.seed,
        text=TextConfig(field=options.field, encoding=options.encoding),
    )
    terminal.say("run folder: {folder}", folder=folder)
    try:
        with ProgressDisplay(terminal) as display:
            result = run_climb(entry, listener=display, workers=workers)
    except (InterruptedRunError, KeyboardInterrupt) as error:
        raise InterruptedRunError(
            f"stopped; {folder} holds what was done; run the command again to begin anew"
        ) from error
    _write_report(result, folder, terminal)
    if options.json:
        terminal.write_json({"run": str(folder), "climb": dataclasses.asdict(result)})
        return
    terminal.write(_table(result))
    terminal.write("")
    terminal.write(_recommendation(result))
    terminal.say("report: {path}", path=folder / REPORT)
    best = folder / result.entrant(result.recommended).bundle
    terminal.next(f'ziggurat generate {shlex.quote(str(best))} --prompt "…"')


def _write_report(result: "Climb", folder: Path, terminal: Terminal) -> None:
    from ziggurat.core.errors import MissingExtraError
    from ziggurat.core.files import write_text
    from ziggurat.surface.report.page import render

    try:
        write_text(folder / REPORT, render(result, lang=current(), run=folder))
    except MissingExtraError as error:
        terminal.warn("no report: {why}", why=error)


def _table(result: "Climb") -> str:
    head = ["model", "bits per byte", "95 % interval", "parameters", "size", "training"]
    rows = [[translate(word) for word in head]]
    top = {entrant.name: entrant for entrant in result.entrants}
    figures = sorted(
        [*((e.bits_per_byte, e.name) for e in result.entrants), *((y.bits_per_byte, y.name) for y in result.yardsticks)]
    )
    for bits, name in figures:
        if name in top:
            e = top[name]
            interval = f"{e.low:.3f} – {e.high:.3f}"
            rows.append(
                [
                    name,
                    f"{bits:.3f}",
                    interval,
                    f"{e.parameters:,}",
                    f"{e.size_bytes / 1e6:.1f} MB",
                    f"{e.train_seconds:.0f} s",
                ]
            )
        else:
            rows.append([name, f"{bits:.3f}", "", "", "", ""])
    return align(rows)


def _recommendation(result: "Climb") -> str:
    import re

    from ziggurat.surface.report.page import sentences, words
    from ziggurat.surface.report.vectors import trial_sentences

    language = words(current())
    lead, reasons = sentences(result, language)
    plain = re.sub(r"<[^>]+>", "", lead)
    return "\n".join([plain, *reasons, *trial_sentences(result, language)[:1]])


COMMAND = climb
