"""Measure how alike words are."""

from pathlib import Path
from typing import Annotated

import typer

from ziggurat.surface.cli.options import with_options
from ziggurat.surface.cli.vectors.asking import BUNDLE_HELP, QuietOptions, opened, questions
from ziggurat.surface.terminal import Terminal, align

__all__ = ["COMMAND", "similarity"]


@with_options(QuietOptions)
def similarity(
    bundle: Annotated[Path, typer.Argument(help=BUNDLE_HELP)],
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORD WORD…", help="Two words, or more for a table; - reads a set a line"),
    ],
    options: QuietOptions,
) -> None:
    """Print the cosine between two words' vectors, −1 to 1; of more words, a table of every pair."""
    terminal = Terminal(quiet=options.quiet)
    vectors = opened(bundle, terminal)
    given = [question.words for question in questions(words, vectors, least=2)]
    tables = [[[vectors.similarity(one, other) for other in group] for one in group] for group in given]
    if options.json:
        found = [
            {"words": list(group), "similarities": [[round(value, 6) for value in row] for row in table]}
            for group, table in zip(given, tables, strict=True)
        ]
        terminal.write_json({"bundle": str(bundle), "answers": found})
        return
    for group, table in zip(given, tables, strict=True):
        if len(group) == 2:
            terminal.write(f"{table[0][1]:.4f}")
        else:
            rows = [[word, *(f"{value:.4f}" for value in row)] for word, row in zip(group, table, strict=True)]
            terminal.write(align([["", *group], *rows]))


COMMAND = similarity
