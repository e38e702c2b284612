"""Show the words nearest to a word."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.vectors.asking import (
    BUNDLE_HELP,
    AnswerOptions,
    facts,
    listed,
    opened,
    questions,
    show_near,
)
from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "nearest"]


@with_options(AnswerOptions)
def nearest(
    bundle: Annotated[Path, typer.Argument(help=BUNDLE_HELP)],
    words: Annotated[
        list[str], typer.Argument(metavar="WORD…", help="Words, each a question of its own; - reads one a line")
    ],
    options: AnswerOptions,
) -> None:
    """Show the words whose vectors point most nearly the same way: the cosine of the angle is 1 where they agree.

    A word that the vocabulary lacks is made of its character n-grams where the vectors have them.
    """
    terminal = Terminal(quiet=options.quiet)
    vectors = opened(bundle, terminal)
    given = [word for question in questions(words, vectors, least=1) for word in question.words]
    answers = vectors.answers(
        [([word], []) for word in given], options.count, restrict=options.restrict, method=options.method
    )
    for word in given:
        if vectors.id_of(word) is None:
            terminal.say("'{word}' is not in the vocabulary: its vector is made of its character n-grams", word=word)
    if options.json:
        found = [{"word": word, "nearest": listed(near)} for word, near in zip(given, answers, strict=True)]
        terminal.write_json({**facts(bundle, vectors, options), "answers": found})
        return
    show_near(terminal, zip(given, answers, strict=True))
    terminal.next(f"ziggurat vectors map {shlex.quote(str(bundle))} {shlex.join(given[:3])}")


COMMAND = nearest
