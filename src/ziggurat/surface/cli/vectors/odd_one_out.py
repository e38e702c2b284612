"""Find the word that does not belong to the others."""

from pathlib import Path
from typing import Annotated

import typer

from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.vectors.asking import BUNDLE_HELP, QuietOptions, listed, opened, questions
from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "odd_one_out"]


@with_options(QuietOptions)
def odd_one_out(
    bundle: Annotated[Path, typer.Argument(help=BUNDLE_HELP)],
    words: Annotated[list[str], typer.Argument(metavar="WORD…", help="Three words or more; - reads a set a line")],
    options: QuietOptions,
) -> None:
    """Print the word whose vector points least the way of all the words' mean: the one that fits least."""
    terminal = Terminal(quiet=options.quiet)
    vectors = opened(bundle, terminal)
    ranked = [vectors.belonging(question.words) for question in questions(words, vectors, least=3)]
    if options.json:
        found = [{"odd": near[-1][0], "belonging": listed(near)} for near in ranked]
        terminal.write_json({"bundle": str(bundle), "answers": found})
        return
    for near in ranked:
        terminal.write(near[-1][0])
        if len(ranked) == 1:
            others = ", ".join(f"{word} {score:.3f}" for word, score in near)
            terminal.say("cosine to the mean of all: {others}", others=others)


COMMAND = odd_one_out
