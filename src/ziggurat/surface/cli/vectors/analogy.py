"""Complete an analogy: A is to B as C is to which word?"""

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

__all__ = ["COMMAND", "analogy"]


@with_options(AnswerOptions)
def analogy(
    bundle: Annotated[Path, typer.Argument(help=BUNDLE_HELP)],
    words: Annotated[
        list[str], typer.Argument(metavar="A B C", help="Three words, for example man king woman; - reads three a line")
    ],
    options: AnswerOptions,
) -> None:
    """Show what is to C as B is to A: the words nearest to B − A + C, none of these three.

    man king woman asks: man is to king as woman is to what?
    """
    terminal = Terminal(quiet=options.quiet)
    vectors = opened(bundle, terminal)
    given = questions(words, vectors, least=3, most=3)
    answers = vectors.answers(
        [((b, c), (a,)) for a, b, c in (question.words for question in given)],
        options.count,
        restrict=options.restrict,
        method=options.method,
    )
    if options.json:
        found = [{"words": list(q.words), "nearest": listed(near)} for q, near in zip(given, answers, strict=True)]
        terminal.write_json({**facts(bundle, vectors, options), "answers": found})
        return
    show_near(terminal, zip(("{} : {} = {} : ?".format(*q.words) for q in given), answers, strict=True))


COMMAND = analogy
