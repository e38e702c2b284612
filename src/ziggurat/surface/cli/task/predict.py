"""Have a model of a task answer what stands in files, one answer a line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ziggurat.core.config import option
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.settings import open_to_settings, split_reading
from ziggurat.surface.cli.task.evaluate import about
from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "TaskPredictOptions", "predict"]


@dataclass(frozen=True)
class TaskPredictOptions:
    """How answers are printed."""

    database: str | None = option(None, "SQLite file to ask, instead of the one that the model was trained on")
    json: bool = option(False, "print JSON, a line a text")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TaskPredictOptions)
def predict(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE…|-]",
            help="What is asked: tables or JSONL with texts, a text a line, words (columns, CoNLL-U, JSONL); "
            "-: standard input. How it is read: --text.encoding gb18030, --text.field review",
        ),
    ] = None,
    *,
    task: str,
    options: TaskPredictOptions,
) -> None:
    """Print the answers in the order of the files: label and text, words with labels, sentences with roles, or texts.

    Files are read and answers printed bit by bit, so that they may be larger than memory.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.core.tasks import AsksDatabase
    from ziggurat.judge.tasks import informed, told
    from ziggurat.use.tasks import TASKS

    names, text = split_reading(files or [], context)
    opened, terminal = load(bundle), Terminal(quiet=options.quiet)
    chosen = informed(about(TASKS.get(task), options.database), opened)
    count = 0
    for example, said in told(chosen, opened, chosen.read(names or ["-"], text, labelled=False)):
        count += 1
        if options.json:
            found = {"id": example.id, "answer": said.answer, "confidence": said.confidence}
            more = chosen.found(said) if isinstance(chosen, AsksDatabase) else {}
            terminal.write_json({**found, "probabilities": dict(said.probabilities), **more})
            continue
        terminal.write(chosen.written(example, said), end="")
    terminal.say("{count} answers", count=count)


COMMAND = open_to_settings(predict)
