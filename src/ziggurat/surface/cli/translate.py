"""Translate files line by line with a bundle that reads pairs, by beam search."""

import itertools
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InputError, UsageError
from ziggurat.surface.cli.options import naming_flags, with_options
from ziggurat.surface.cli.places import new_place
from ziggurat.surface.terminal import Terminal
from ziggurat.use.translation import TranslationConfig

if TYPE_CHECKING:
    from ziggurat.artefacts.bundle import Bundle
    from ziggurat.core.types import Continuation

__all__ = ["COMMAND", "TranslateOptions", "translate"]

LINES = 1024
"""Lines that are translated, and written, together."""
FAR = 3.0
"""A target is far off where its length by its source's is so many times the median, or so small a part of it."""

Line = tuple[str, str]
"""Where a line stands, and its text without white space at its ends."""


@dataclass(frozen=True)
class TranslateOptions(TranslationConfig):
    """How lines are translated, and where the targets go."""

    out: str | None = option(None, "file for the targets instead of standard output")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(TranslateOptions, without=("best",))
def translate(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE…|-]", help="Texts; without one, or by -, standard input")
    ] = None,
    *,
    options: TranslateOptions,
) -> None:
    """Print the target of each line, in the order of the lines; an empty line stays empty.

    Files are read and targets written bit by bit, so that they may be larger than memory.
    """
    from ziggurat.artefacts.bundle import load

    out = None if options.out is None else new_place(options.out)  # so it is none of the files either
    opened, terminal, told = load(bundle), Terminal(quiet=options.quiet), _Told()
    with naming_flags(TranslateOptions), _writing(out, terminal) as write:
        for batch in _batches(_lines(files or ["-"])):
            write("".join(f"{text}\n" for text in _targets(opened, batch, options, told)))
    _warn(terminal, told)
    terminal.say("{count} lines translated", count=len(told.ratios))


class _Told:
    """What is remembered of all lines."""

    def __init__(self) -> None:
        self.ratios = array("f")
        """Characters of each target by those of its source."""
        self.cut = 0
        """Targets that reached the limit."""


def _targets(bundle: "Bundle", batch: list[Line], options: TranslateOptions, told: _Told) -> Iterator[str]:
    """Yield the target of each line.

    Raises:
        UsageError: the bundle translates nothing.
        InputError: a line is too long; the message names it.
    """
    from ziggurat.core.protocols import ConditionalModel
    from ziggurat.judge.tasks import refuse_parser
    from ziggurat.use.translation import translate_beam

    if not isinstance(bundle.model, ConditionalModel):
        raise UsageError(
            f"{bundle.path}: a model of family {bundle.manifest.family} translates nothing: train one on pairs "
            "(--recipe article-transformer), or write on with ziggurat generate"
        )
    refuse_parser(bundle)
    full = [(where, text) for where, text in batch if text]
    try:
        found = translate_beam(
            bundle.model, bundle.tokenizer, [text for _, text in full], options, names=[where for where, _ in full]
        )
    except UsageError as error:
        raise InputError(str(error)) from error
    following = iter(found)
    for _, source in batch:
        yield _kept(source, next(following)[0], told) if source else ""


def _kept(source: str, target: "Continuation", told: _Told) -> str:
    text = " ".join(target.text.strip().splitlines())  # a target is one line, whatever was written
    told.ratios.append(len(text) / len(source))
    told.cut += target.reason == "length"
    return text


def _lines(names: list[str]) -> Iterator[Line]:
    """Yield each line of the files behind ``names``.

    Raises:
        InputError: a file can't be read as text; the message names file and line.
    """
    from ziggurat.text.decoding import lines, open_source
    from ziggurat.text.ledger import Ledger
    from ziggurat.text.options import TextConfig
    from ziggurat.text.pairs import refuse_pairs
    from ziggurat.text.sources import resolve

    sources = resolve(names)
    for source in sources:
        if source.reader:
            raise InputError(f"{source.label}: has no lines to translate; give text files")
        refuse_pairs(source)
    with Ledger(Path(os.devnull)) as ledger:
        for source in sources:
            with open_source(source) as stream:
                for number, line in enumerate(lines(stream, source, TextConfig(), ledger), start=1):
                    yield f"{source.label}:{number}", line.removeprefix("\ufeff").strip()


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    following = iter(lines)
    while batch := list(itertools.islice(following, LINES)):
        yield batch


@contextmanager
def _writing(out: Path | None, terminal: Terminal) -> Iterator[Callable[[str], object]]:
    """Yield what writes targets: to a file, which is there only when all of it is written, or as data."""
    from ziggurat.core.files import atomic_file

    if out is None:
        yield lambda text: terminal.write(text, end="")
        return
    with atomic_file(out) as path, path.open("w", encoding="utf-8", newline="\n") as stream:
        yield stream.write


def _warn(terminal: Terminal, told: _Told) -> None:
    import numpy as np

    if told.cut:
        terminal.warn("{count} targets reached the limit of tokens and may lack their end", count=told.cut)
    ratios = np.array(told.ratios)
    middle = float(np.median(ratios)) if len(ratios) else 0.0
    short, long = int((ratios * FAR < middle).sum()), int((ratios > FAR * middle).sum())
    if short or long:
        terminal.warn(
            "beside their sources, {short} targets are less than a third as long as is usual here, and {long} more "
            "than three times: look at them",
            short=short,
            long=long,
        )


COMMAND = translate
