"""What the commands of this group share: opening vectors, reading questions, showing what is near."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ziggurat.core.config import option
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.surface.terminal import Terminal, align

if TYPE_CHECKING:
    from ziggurat.use.vectors import Near, Vectors

__all__ = [
    "BUNDLE_HELP",
    "AnswerOptions",
    "Question",
    "QuietOptions",
    "facts",
    "listed",
    "opened",
    "questions",
    "show_near",
]

BUNDLE_HELP = "A bundle of word vectors or its run folder, or a file of vectors that other software made"
STANDARD_INPUT = "-"


@dataclass(frozen=True)
class QuietOptions:
    """How an answer is printed."""

    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@dataclass(frozen=True)
class AnswerOptions:
    """Which words may be answers, how many, and by what rule."""

    count: int = option(10, "words in an answer", low=1, high=100_000)
    restrict: int | None = option(None, "allow only the so many most frequent words as answers", low=1)
    method: Literal["add", "multiply"] = option("add", "add: 3CosAdd; multiply: 3CosMul, where no word decides alone")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@dataclass(frozen=True)
class Question:
    """The words of one question, and where they were given."""

    words: tuple[str, ...]
    where: str = ""


def opened(path: Path, terminal: Terminal) -> "Vectors":
    """Open a bundle or file of vectors; say what is opened where that takes a while."""
    from ziggurat.use.vectors import open_vectors

    if path.is_file():
        terminal.say("reading {file} … ('ziggurat import' makes a bundle of it, which opens at once)", file=path)
    return open_vectors(path)


def questions(words: Sequence[str], vectors: "Vectors", *, least: int, most: int | None = None) -> list[Question]:
    """Return the words as one question, or each line of standard input as one where they are ``-``.

    Raises:
        UsageError: a question has fewer than ``least`` words or more than ``most``.
        UnknownWordError: a word has no vector; the message says on which line.
        TooLittleTextError: standard input has no words.
    """
    found = [Question(tuple(words))] if list(words) != [STANDARD_INPUT] else _lines()
    for question in found:
        count = len(question.words)
        if count < least or (most is not None and count > most):
            wanted = f"{least} words" if most == least else f"{least} words or more"
            raise UsageError(f"{question.where and question.where + ': '}give {wanted}, not {count}")
        for word in question.words:
            vectors.vector(word, where=question.where)
    return found


def show_near(terminal: Terminal, answers: Iterable[tuple[str, "Sequence[Near]"]]) -> None:
    """Print each answer: its words with how near they are; under its question where there are several."""
    answers = list(answers)
    for number, (title, near) in enumerate(answers):
        table = align((word, f"{score:.4f}") for word, score in near)
        if not table:
            terminal.warn("no word is left that could be an answer; allow more with --restrict")
        if len(answers) == 1:
            terminal.write(table, end="\n" if table else "")
        else:
            indented = "\n".join(f"  {line}" for line in table.splitlines())
            terminal.write(f"{'' if not number else chr(10)}{title}\n{indented}")


def facts(path: Path, vectors: "Vectors", options: AnswerOptions) -> dict[str, Any]:
    """Return what JSON says of an answer beside the answer: of which vectors, among which words, by which rule."""
    return {
        "bundle": str(path),
        "vocabulary": len(vectors),
        "restrict": options.restrict,
        "method": options.method,
    }


def listed(near: "Sequence[Near]") -> list[dict[str, Any]]:
    """Return near words as JSON shows them."""
    return [{"word": word, "score": round(score, 6)} for word, score in near]


def _lines() -> list[Question]:
    """Return each line of standard input that has words, whatever its encoding."""
    from ziggurat.text.decoding import lines, open_source
    from ziggurat.text.ledger import Ledger
    from ziggurat.text.options import TextConfig
    from ziggurat.text.records import Source

    source = Source("standard input")
    with Ledger(Path(os.devnull)) as ledger:
        read = enumerate(lines(open_source(source), source, TextConfig(), ledger), start=1)
        found = [Question(tuple(line.split()), f"{source.label}:{number}") for number, line in read]
    asked = [question for question in found if question.words]
    if not asked:
        raise TooLittleTextError(f"{source.label}: no words in it")
    return asked
