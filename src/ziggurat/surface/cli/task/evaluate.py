"""Measure a model of a task on labelled files: metrics with intervals, each class, confusions, the surest errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.spacing import joined
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.places import fonts_at, pictures_at
from ziggurat.surface.cli.settings import open_to_settings, split_reading
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align, one_line

if TYPE_CHECKING:
    from ziggurat.artefacts.bundle import Bundle
    from ziggurat.core.tasks import Task
    from ziggurat.judge.answers import AnswersReport
    from ziggurat.judge.significance import Interval
    from ziggurat.judge.tasks import TaskReport

__all__ = ["COMMAND", "TaskEvaluateOptions", "about", "details", "evaluate", "headline"]

SHOWN_CLASSES = 30
SHOWN_CONFUSIONS = 10
LONGEST_INPUT = 100
EXAMPLES = (
    "Files of labelled examples (texts: CSV, TSV, JSONL; words: columns, CoNLL-U; roles: JSONL; "
    "pairs: news.de,news.en, TSV, TMX). How they are read: --text.encoding gb18030, --text.label_field mood"
)
NAMES = {
    "accuracy": "accuracy",
    "argument_f1": "argument F1, predicates given",
    "argument_f1_found": "argument F1, predicates found",
    "bleu": "BLEU",
    "chrf": "chrF",
    "exact_match": "exact match",
    "execution_match": "execution match",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "query_match": "exact match",
    "span_f1": "span F1",
}


@dataclass(frozen=True)
class TaskEvaluateOptions:
    """How it is measured and printed."""

    picture: tuple[str, ...] = option((), "draw what is confused with what: a file .png or .svg; repeat it for both")
    fonts: str | None = option(None, "font file, or folder of fonts, to draw with beside those of this machine")
    seed: int = option(0, "seed of the bootstrap", low=0)
    database: str | None = option(None, "SQLite file to ask, instead of the one that the model was trained on")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TaskEvaluateOptions)
def evaluate(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help=EXAMPLES),
    ],
    *,
    task: str,
    options: TaskEvaluateOptions,
) -> None:
    """Print what the model's answers are worth; a label that the model never learnt is said, and counts as missed."""
    from ziggurat.artefacts.bundle import load
    from ziggurat.judge.answers import ANSWER_METRICS, PLACES
    from ziggurat.judge.tasks import informed, judge_task
    from ziggurat.surface.confusions import ENDINGS, write_confusions
    from ziggurat.use.tasks import TASKS

    pictures = pictures_at(options.picture, ENDINGS, where="--picture")
    fonts = fonts_at(options.fonts)
    names, text = split_reading(files, context)
    opened, chosen = load(bundle), about(TASKS.get(task), options.database)
    if pictures and ANSWER_METRICS.get(chosen.metrics[0]).reads not in PLACES:
        raise UsageError(f"--picture: answers of {task} have no labels to confuse; leave it out")
    chosen = informed(chosen, opened)
    report = judge_task(chosen, opened, chosen.read(names, text, labelled=True), seed=options.seed)
    terminal = Terminal(quiet=options.quiet)
    _write(terminal, opened, chosen, report, json=options.json)
    for picture in pictures:
        if not write_confusions(report.answers, picture, fonts=fonts):
            terminal.warn("{file}: no font of this machine has all its characters; give some by --fonts", file=picture)
        terminal.say("picture: {file}", file=picture)


def _write(terminal: Terminal, opened: "Bundle", task: "Task", report: "TaskReport", *, json: bool) -> None:
    if json:
        terminal.write_json({"bundle": str(opened.path), **report.figures()})
        return
    terminal.write(align(headline([(opened.manifest.family, report)])))
    terminal.write("")
    details(terminal, task, report)


def about(task: "Task", database: str | None) -> "Task":
    """Return a task about a database that the user named.

    Raises:
        UsageError: its answers are no queries.
    """
    from ziggurat.core.tasks import AsksDatabase

    if database is None:
        return task
    if not isinstance(task, AsksDatabase):
        raise UsageError(f"--database: task {task.name} asks no database; leave it out")
    return task.about(database)


def headline(reports: "Sequence[tuple[str, TaskReport]]") -> list[tuple[str, ...]]:
    """Return a table of models: their metrics with 95 % intervals, calibration errors, how many examples measured."""
    names = [translate(NAMES.get(name, name)) for name, _ in reports[0][1].metrics]
    calibrated = any(report.reliability is not None for _, report in reports)
    last = [*([translate("calibration error")] if calibrated else []), translate("examples")]
    rows: list[tuple[str, ...]] = [("", *names, *last)]
    for label, report in reports:
        cells = [_cell(name, one) for name, one in report.metrics]
        sure = report.reliability
        if calibrated:
            cells.append("" if sure is None else f"{sure.expected_calibration_error:.3f}")
        rows.append((label, *cells, f"{report.answers.examples:,}"))
    return rows


def _cell(name: str, one: "Interval") -> str:
    """Return a metric with its interval: parts of 1 as percentages, and what goes to 100 as it is."""
    from ziggurat.judge.answers import ANSWER_METRICS
    from ziggurat.judge.tasks import FOUND

    form = ".1%" if ANSWER_METRICS.get(name.removesuffix(FOUND)).highest == 1 else ".1f"
    return f"{one.value:{form}} ({one.low:{form}} – {one.high:{form}})"


def details(terminal: Terminal, task: "Task", report: "TaskReport") -> None:
    """Write how the metrics are computed, each class, what is confused with what, and the surest errors."""
    answers = report.answers
    for signature in answers.signatures.values():
        terminal.write(signature)
    if report.oddities is not None:
        odd = report.oddities
        words = {"length ratio": f"{odd.length_ratio:.2f}", "empty": odd.empty, "copies of what was asked": odd.copied}
        words["going in circles"] = odd.repeated
        terminal.write("  ".join(f"{translate(word)}: {count}" for word, count in words.items()))
    if answers.classes:
        _write_classes(terminal, answers)
    if not answers.errors:
        return
    if answers.signatures or answers.classes or report.oddities is not None:
        terminal.write("")
    sure = any(error.confidence is not None for error in answers.errors)
    told = "The surest errors: how sure, what was said, what is right, the text"
    terminal.write(translate(told if sure else "The worst errors: what was said, what is right, the text"))
    for error in answers.errors:
        asked = error.asked
        text = one_line(asked if isinstance(asked, str) else joined(asked)[0])
        said, right = (_cut(task.shown(asked, answer)) or "–" for answer in (error.predicted, error.gold))
        confidence = "" if error.confidence is None else f"{error.confidence:.3f}  "
        terminal.write(f"  {confidence}{said}  {right}  {_cut(text)}")


def _write_classes(terminal: Terminal, answers: "AnswersReport") -> None:
    if answers.unknown:
        terminal.warn("labels that the model never learnt: {labels}", labels=", ".join(answers.unknown))
    head = [translate(word) for word in ("label", "precision", "recall", "F1", "examples")]
    rows = [
        (one_line(row.label), f"{row.precision:.1%}", f"{row.recall:.1%}", f"{row.f1:.1%}", f"{row.support:,}")
        for row in answers.classes[:SHOWN_CLASSES]
    ]
    terminal.write(align([head, *rows]))
    confused = [one for one in answers.confusions if one.gold != one.predicted][:SHOWN_CONFUSIONS]
    if confused:
        head = [translate(word) for word in ("right label", "said instead", "times")]
        terminal.write("")
        terminal.write(align([head, *((one.gold or "–", one.predicted or "–", f"{one.count:,}") for one in confused)]))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_INPUT else text[: LONGEST_INPUT - 1] + "…"


COMMAND = open_to_settings(evaluate)
