"""Suggest what comes next while somebody types, and tell how many keys it saves."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align, one_line
from ziggurat.use.suggesting import SuggestConfig

if TYPE_CHECKING:
    from ziggurat.judge.keystrokes import Keystrokes

__all__ = ["COMMAND", "CompleteOptions", "complete"]


@dataclass(frozen=True)
class CompleteOptions(SuggestConfig):
    """What is suggested, whether it is measured, and how it is printed."""

    measure: bool = option(False, "type the texts again, and tell how many keys suggestions save")
    characters: int | None = option(None, "measure on so many characters of each text, the first", low=1)
    minutes: float | None = option(None, "begin no other text after so many minutes of measuring", low=0)
    seed: int | None = option(None, "seed of the bootstrap of what is measured; 0 unless told", low=0)
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(CompleteOptions)
def complete(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE…|-]", help="Texts; without one, or by -, standard input")
    ] = None,
    *,
    options: CompleteOptions,
) -> None:
    """Print what may follow each text, what saves most keys first: probability and continuation, separated by a tab.

    With --measure each text is typed again instead: before each key the bundle sees what stands there and offers
    --suggestions continuations; of those that agree wholly with the text the longest is taken, which costs one key, and
    where none agrees the next character is typed, which costs one too. Nothing is ever deleted. Measure on texts that
    the model was not trained on.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.surface.documents import read_documents
    from ziggurat.use.suggesting import Suggester

    _check(options)
    opened, terminal = load(bundle), Terminal(quiet=options.quiet)
    model, documents = opened.language_model, read_documents(files or ["-"], stripped=options.measure)
    if not options.measure:
        for document in documents:
            suggester = Suggester(model, opened.tokenizer, options)
            suggester.type(document.text)
            found = suggester.suggest()
            if options.json:
                told = [{"text": one.text, "probability": one.probability} for one in found]
                terminal.write_json({"id": document.id, "suggestions": told})
                continue
            for one in found:
                terminal.write(f"{one.probability:.4f}\t{one_line(one.text)}")
        return
    from ziggurat.core.types import Document
    from ziggurat.judge.keystrokes import keystrokes

    cut = (Document(one.id, one.text[: options.characters]) for one in documents)
    seconds = float("inf") if options.minutes is None else 60 * options.minutes
    measured = keystrokes(model, opened.tokenizer, cut, options, max_seconds=seconds)
    if options.json:
        facts = {"bundle": str(opened.path), "suggestions": options.suggestions}
        terminal.write_json({**facts, **measured.figures(seed=options.seed or 0)})
        return
    _write(terminal, measured, options)


def _check(options: CompleteOptions) -> None:
    """Refuse options that go with ``--measure`` only.

    Raises:
        UsageError: the message names the option.
    """
    for name in ("characters", "minutes", "seed"):
        if getattr(options, name) is not None and not options.measure:
            raise UsageError(f"--{name}: goes with --measure only")


def _write(terminal: Terminal, measured: "Keystrokes", options: CompleteOptions) -> None:
    head = [translate(word) for word in ("text", "characters", "typed", "taken", "keys saved")]
    columns = zip(measured.ids, measured.characters, measured.typed, measured.accepts, strict=True)
    rows = [
        (one_line(name), f"{characters:,}", f"{typed:,}", f"{taken:,}", f"{1 - (typed + taken) / characters:.1%}")
        for name, characters, typed, taken in columns
        if characters
    ]
    terminal.write(align([head, *rows]))
    told = measured.figures(seed=options.seed or 0)
    terminal.write(
        translate(
            "keys saved: {saved:.1%} (95 % interval {low:.1%} to {high:.1%}); {accepted:.1%} of offers are taken, "
            "{milliseconds:.1f} ms a key"
        ).format(
            saved=told["keystrokes_saved"],
            low=told["low"],
            high=told["high"],
            accepted=told["accepted"],
            milliseconds=told["milliseconds_per_key"],
        )
    )


COMMAND = complete
