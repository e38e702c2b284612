"""Turn questions into queries to a database (SQL)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ConditionalModel, Model, ReadsPairs, Tokenizer
from ziggurat.core.types import Example, Told
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import check_options
from ziggurat.text.queries import Query, read_queries, read_utterances
from ziggurat.text.query_answers import ExecutionLimits, QueryFailedError, answer, asking
from ziggurat.text.questions import QuestionSet
from ziggurat.use.asked import asked_text
from ziggurat.use.parsing import QueryParser

__all__ = ["TASK", "Parsing"]

SHOWN = ExecutionLimits(rows=1_000)
"""Of what a database says to an answer."""


class Parsing:
    """Questions with their queries, as JSON lines (`ziggurat.text.queries`), about an SQLite database or its schema."""

    name: ClassVar[str] = "parsing"
    learns: ClassVar[type[Any]] = ReadsPairs
    recipes: ClassVar[tuple[str, ...]] = ("lstm-parser",)
    baseline: ClassVar[str] = ""

    def __init__(self, database: str = "", parser: QueryParser | None = None) -> None:
        """Take a ``database`` instead of the one that a model was trained on; the ``parser`` is what that comes to."""
        self._database = database
        self._parser = parser

    @property
    def metrics(self) -> tuple[str, ...]:
        """Whether queries have the right answer, where there is a database that says so; and how they are written."""
        executed = self._parser is None or bool(self._parser.database)
        return ("execution_match", "query_match") if executed else ("query_match",)

    def about(self, database: str) -> "Parsing":
        """Return the task about another database."""
        return Parsing(database)

    def informed(self, corpus: Mapping[str, Any]) -> "Parsing":
        """Return the task as it is done by a model that was trained on ``corpus``.

        Raises:
            InputError: the database can't be read.
            UsageError: the model was not trained on questions.
        """
        if self._parser is not None:
            return self
        if "questions" not in corpus:
            raise UsageError("this model was not trained on questions: train one with ziggurat task parsing train")
        return Parsing(self._database, QueryParser(corpus, self._database))

    def read(self, names: Sequence[str], options: TextConfig | None = None, *, labelled: bool) -> Iterator[Example]:
        """Yield questions with their queries; or without where they need not be ``labelled``, then also a line each.

        Raises:
            InputError: a file can't be used; the message names file and line.
        """
        check_options(options or TextConfig(), of="questions")
        for name in names:
            if labelled:
                for pair in read_queries(name, options):
                    yield Example(pair.id, pair.utterance, Query(pair.sql, place=pair.id))
            else:
                for where, utterance in read_utterances(name, options):
                    yield Example(where, utterance)

    def asked(self, value: Any, *, where: str) -> str:
        """Return a question.

        Raises:
            InputError: it is no text.
        """
        return asked_text(value, where=where)

    def examples(self, split: QuestionSet) -> Iterator[Example]:
        """Yield the questions of a split with their queries."""
        return split.examples()

    def decode(
        self, model: Model, tokenizer: Tokenizer, inputs: Sequence[Any], *, temperature: float = 1.0
    ) -> list[Told]:
        """Return the query that each question asks for, and how probable the model finds it.

        Raises:
            UsageError: the model writes no queries.
        """
        del temperature  # nothing is tuned
        if not isinstance(model, ConditionalModel) or self._parser is None:
            raise UsageError("this model writes no queries: train one with ziggurat task parsing train")
        return self._parser.parse(model, tokenizer, inputs)

    def tune(self, model: Model, tokenizer: Tokenizer, examples: Sequence[Example]) -> None:
        """Do nothing: a query is as probable as the model finds it."""

    def shown(self, asked: Any, answer: Any) -> str:
        """Return the query."""
        del asked
        return " ".join(str(answer).split())

    def written(self, example: Example, told: Told) -> str:
        """Return the query on a line of its own."""
        return f"{self.shown(example.input, told.answer)}\n"

    def found(self, told: Told) -> dict[str, Any]:
        """Return the first rows that the database says to a query, or what is wrong with it; nothing without one."""
        if not isinstance(told.answer, Query) or not told.answer.database:
            return {}
        with asking(told.answer.database, SHOWN) as connection:
            try:
                rows = answer(told.answer, connection, SHOWN)
            except QueryFailedError as error:
                return {"fault": str(error)}
        return {"rows": [[_plain(value) for value in row] for row in rows]}


def _plain(value: Any) -> Any:
    """Return a value of a database as JSON has it: bytes as hexadecimal digits, broken UTF-8 mended, ∞ as a text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return value.encode(errors="surrogateescape").decode(errors="replace")
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


TASK = Parsing()
