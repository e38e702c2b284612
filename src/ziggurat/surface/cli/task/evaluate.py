"""Measure a model of a task on labelled files: metrics with intervals, each class, confusions, the surest errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align, one_line

if TYPE_CHECKING:
    from ziggurat.core.tasks import Task
    from ziggurat.judge.tasks import TaskReport

__all__ = ["COMMAND", "TaskEvaluateOptions", "details", "evaluate", "headline"]

SHOWN_CLASSES = 30
SHOWN_CONFUSIONS = 10
LONGEST_INPUT = 100
NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "span_f1": "span F1",
    "argument_f1": "argument F1, predicates given",
    "argument_f1_found": "argument F1, predicates found",
}


@dataclass(frozen=True)
class TaskEvaluateOptions:
    """How it is measured and printed."""

    seed: int = option(0, "seed of the bootstrap", low=0)
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TaskEvaluateOptions)
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…", help="Files of labelled examples (texts: CSV, TSV, JSONL; words: columns; roles: JSONL)"
        ),
    ],
    *,
    task: str,
    options: TaskEvaluateOptions,
) -> None:
    """Print what the model's answers are worth; a label that the model never learnt is said, and counts as missed."""
    from ziggurat.artefacts.bundle import load
    from ziggurat.judge.tasks import judge_task
    from ziggurat.use.tasks import TASKS

    opened, chosen = load(bundle), TASKS.get(task)
    report = judge_task(chosen, opened, chosen.read(files, labelled=True), seed=options.seed)
    terminal = Terminal(quiet=options.quiet)
    if options.json:
        terminal.write_json({"bundle": str(opened.path), **report.figures()})
        return
    terminal.write(align(headline([(opened.manifest.family, report)])))
    terminal.write("")
    details(terminal, chosen, report)


def headline(reports: "Sequence[tuple[str, TaskReport]]") -> list[tuple[str, ...]]:
    """Return a table of models: their metrics with 95 % intervals, and their calibration errors."""
    names = [translate(NAMES.get(name, name)) for name, _ in reports[0][1].metrics]
    rows: list[tuple[str, ...]] = [("", *names, translate("calibration error"))]
    for label, report in reports:
        cells = [f"{one.value:.1%} ({one.low:.1%} – {one.high:.1%})" for _, one in report.metrics]
        sure = report.reliability
        rows.append((label, *cells, "" if sure is None else f"{sure.expected_calibration_error:.3f}"))
    return rows


def details(terminal: Terminal, task: "Task", report: "TaskReport") -> None:
    """Write each class, what is confused with what, and the surest errors."""
    labels = report.labels
    if labels.unknown:
        terminal.warn("labels that the model never learnt: {labels}", labels=", ".join(labels.unknown))
    head = [translate(word) for word in ("label", "precision", "recall", "F1", "examples")]
    rows = [
        (one_line(row.label), f"{row.precision:.1%}", f"{row.recall:.1%}", f"{row.f1:.1%}", f"{row.support:,}")
        for row in labels.classes[:SHOWN_CLASSES]
    ]
    terminal.write(align([head, *rows]))
    confused = [one for one in labels.confusions if one.gold != one.predicted][:SHOWN_CONFUSIONS]
    if confused:
        head = [translate(word) for word in ("right label", "said instead", "times")]
        terminal.write("")
        terminal.write(align([head, *((one.gold or "–", one.predicted or "–", f"{one.count:,}") for one in confused)]))
    if labels.errors:
        terminal.write("")
        terminal.write(translate("The surest errors: how sure, what was said, what is right, the text"))
        for error in labels.errors:
            sure = "" if error.confidence is None else f"{error.confidence:.3f}  "
            asked = report.inputs[error.id]
            text = one_line(asked if isinstance(asked, str) else " ".join(asked))
            cut = text if len(text) <= LONGEST_INPUT else text[: LONGEST_INPUT - 1] + "…"
            said, right = (task.shown(asked, answer) or "–" for answer in (error.predicted, error.gold))
            terminal.write(f"  {sure}{said}  {right}  {cut}")


COMMAND = evaluate
