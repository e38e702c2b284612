"""Train word vectors of several sizes, measure each by your yardstick, say which to choose."""

import dataclasses
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InterruptedRunError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.language import current, translate
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.artefacts.recipe import Recipe
    from ziggurat.study.embedding_size import SizeEntry
    from ziggurat.study.size_result import EmbeddingSizes

__all__ = ["COMMAND", "SizeOptions", "embedding_size"]

REPORT = "report.html"
PICTURE = "report.png"


@dataclass(frozen=True)
class SizeOptions:
    """What sizes are tried, how they are trained and by what they are measured."""

    sizes: str = option("25,50,100,200,300", "numbers in a vector to try, ascending, separated by commas")
    task: tuple[str, ...] = option(
        ("loss",),
        "what to measure by: loss, analogies=FILE, similarity=FILE, labels=FILE; given again, the first decides",
    )
    seeds: int = option(3, "models of each size, each from a seed of its own", low=1, high=100)
    recipe: str = option("skipgram", "a recipe of word vectors by name (skipgram, cbow, glove), or a TOML file")
    seed: int = option(0, "first of the seeds", low=0)
    out: str | None = option(None, "folder of the study, to begin or to go on with; unless told, a new one below runs/")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(SizeOptions)
def embedding_size(
    context: typer.Context,
    texts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT…]", help="Files, folders, globs; - is standard input. Recipe keys: --training.epochs 3"
        ),
    ] = None,
    *,
    options: SizeOptions,
) -> None:
    """Choose the size of word vectors: the smallest that is not significantly worse than the best.

    Each size is trained from several seeds on the same text and measured by the same questions. The folder then holds
    the chosen bundle, study.json, and the report as HTML and PNG. The same command goes on where it was interrupted.
    """
    from ziggurat.study.embedding_size import study_embedding_size
    from ziggurat.surface.progress import ProgressDisplay

    names, flags = split_settings(texts or [], context)
    entry = _entry(options, names, flags)
    terminal = Terminal(quiet=options.quiet)
    terminal.say("run folder: {folder}", folder=entry.folder)
    try:
        with ProgressDisplay(terminal) as display:
            study = study_embedding_size(entry, listener=display)
    except (InterruptedRunError, KeyboardInterrupt) as error:
        raise InterruptedRunError(f"stopped; go on with: {entry.command}") from error
    _write_report(study, entry.folder, terminal)
    if options.json:
        terminal.write_json({"run": str(entry.folder), "study": dataclasses.asdict(study)})
        return
    terminal.write(_table(study))
    terminal.write("")
    terminal.write(_sentences(study))
    terminal.say("report: {path}", path=entry.folder / REPORT)
    terminal.next(f"ziggurat describe {shlex.quote(str(entry.folder / study.bundle))}")


def _entry(options: SizeOptions, names: list[str], flags: dict[str, str]) -> "SizeEntry":
    from ziggurat.artefacts.runs import new_folder
    from ziggurat.study.embedding_size import SizeEntry
    from ziggurat.study.yardstick import open_measure
    from ziggurat.surface.api import run_name
    from ziggurat.text.sources import resolve

    if not names:
        raise UsageError("no text was named: ziggurat study embedding-size TEXT…")
    sizes = _sizes(options.sizes)
    recipe = _recipe(options, flags).with_sources(names)
    for task in options.task:
        open_measure(task)  # a task's file that can't be used is said before anything is trained
    resolve(names)
    entry = SizeEntry(recipe, Path(), sizes, options.task, options.seeds, Path(names[0]).name, "")
    folder = Path(options.out) if options.out else new_folder(Path("runs"), run_name(names, "embedding-size"))
    return dataclasses.replace(entry, folder=folder, command=_command(options, names, flags, folder))


def _recipe(options: SizeOptions, flags: dict[str, str]) -> "Recipe":
    from ziggurat.artefacts.recipe import load_recipe
    from ziggurat.artefacts.settings import environment_settings, flag_settings

    given = {"seed": str(options.seed), **flags}
    return load_recipe(options.recipe, [*environment_settings(os.environ), *flag_settings(given)])


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--sizes: expected whole numbers separated by commas, like 25,50,100, not '{text}'") from None


def _command(options: SizeOptions, names: list[str], flags: dict[str, str], folder: Path) -> str:
    words = ["ziggurat", "study", "embedding-size", *names, "--sizes", options.sizes]
    for task in options.task:
        words += ["--task", task]
    words += ["--seeds", str(options.seeds), "--recipe", options.recipe, "--seed", str(options.seed)]
    for key, value in flags.items():
        words += [f"--{key}", value]
    return shlex.join([*words, "--out", str(folder)])


def _write_report(study: "EmbeddingSizes", folder: Path, terminal: Terminal) -> None:
    from ziggurat.core.errors import MissingExtraError
    from ziggurat.core.files import atomic_file, write_text
    from ziggurat.surface.map.drawing import draws
    from ziggurat.surface.report.size_page import picture, render, words

    language = current()
    try:
        write_text(folder / REPORT, render(study, lang=language, run=folder))
        if not draws("".join(words(language).values())):
            terminal.warn("{file} is in English: no font of this machine has Chinese characters", file=PICTURE)
            language = "en"
        with atomic_file(folder / PICTURE) as partial:
            partial.write_bytes(picture(study, lang=language))
    except MissingExtraError as error:
        terminal.warn("no report: {why}", why=error)


def _table(study: "EmbeddingSizes") -> str:
    from ziggurat.surface.report.size_page import score_text

    head = ["size", "score", "behind the best", "interval", "training", "bundle", "verdict"]
    blocks = []
    for verdict in study.verdicts:
        rows = [[translate(word) for word in head]]
        choice = verdict.choice
        for row in choice.rows:
            cost = study.cost(row.size)
            state = "chosen" if row.size == choice.chosen else "worse" if row.worse else "as good as the best"
            best = row.size == choice.best
            rows.append(
                [
                    str(row.size),
                    score_text(row.score),
                    "" if best else score_text(row.behind),
                    "" if best else f"{score_text(row.low)} – {score_text(row.high)}",
                    f"{cost.train_seconds:.1f} s",
                    f"{cost.bundle_bytes / 1e6:.1f} MB",
                    translate(state),
                ]
            )
        blocks.append(f"{verdict.label}\n{align(rows)}" if len(study.verdicts) > 1 else align(rows))
    return "\n\n".join(blocks)


def _sentences(study: "EmbeddingSizes") -> str:
    import re

    from ziggurat.surface.report.size_page import sentences, words

    lead, reasons = sentences(study, words(current()))
    return "\n".join([re.sub(r"<[^>]+>", "", lead), *reasons])


COMMAND = open_to_settings(embedding_size)
