"""Questions turned into queries by a model that writes what follows from a source: linked, searched for, tried out."""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ziggurat.core.config import option
from ziggurat.core.errors import InputError
from ziggurat.core.protocols import ConditionalModel, LanguageModel, Tokenizer
from ziggurat.core.types import Continuation, Told
from ziggurat.text.databases import Schema, is_database, read_schema
from ziggurat.text.queries import Query
from ziggurat.text.query_answers import ExecutionLimits, QueryFailedError, answer, asking
from ziggurat.text.question_links import Constants, LinkedQuestion
from ziggurat.text.questions import linker_of
from ziggurat.use.constraints import ConstrainedModel, Constraint, RowConstraints, followed
from ziggurat.use.sql_grammar import sql_grammar
from ziggurat.use.translation import TranslationConfig, translate_beam

__all__ = ["ParsingConfig", "QueryParser", "first_answered"]

TRIED = ExecutionLimits(seconds=1.0, rows=1)
"""What it may cost to see whether a query has an answer at all."""


@dataclass(frozen=True)
class ParsingConfig(TranslationConfig):
    """How queries are searched for."""

    beams: int = option(5, "hypotheses that are followed at once", low=1)
    best: int = option(5, "how many of the best are tried on the database", low=1)
    length_exponent: float = option(0.0, "α: 0 compares log-probabilities as they are, more favours the long", low=0.0)
    max_tokens: int = option(500, "most tokens to write, the end included", low=1)
    longest_ratio: float = option(50.0, "most tokens to write for each token of the source, and 20 more", low=0.0)
    grammar: Literal["needed", "always", "never"] = option(
        "needed", "hold queries to the grammar of SQL and the names of the database: where nothing else has an answer"
    )


class QueryParser:
    """What a corpus of questions and its database say of new questions.

    *Idea.* A question is linked as those learnt from were (`ziggurat.text.question_links`), and queries are searched
    for by beams. Where there is a database, the likeliest query that it has an answer to is the answer
    (execution-guided decoding, Wang et al. 2018): that needs no knowledge of what is right. Where none has an answer,
    it is searched again among what the grammar of SQL and the names of the database allow
    (`ziggurat.use.sql_grammar`). So a query that the database understands and the grammar does not is never forbidden.
    Where only a schema is known nothing says that a query fails, and none is held to the grammar unless ``grammar`` is
    ``always``: its aliases are written ``CITYalias0``, as in the collection of Finegan-Dollak et al. (2018).
    """

    def __init__(self, facts: Mapping[str, Any], database: str = "", *, search: ParsingConfig | None = None) -> None:
        """Read what a corpus' ``facts`` say; another ``database`` may stand in the place of its own.

        Raises:
            InputError: the database is not there, or can't be read.
        """
        known = facts["questions"]
        named = database or known["database"]
        if named and not database and not Path(named).is_file():
            raise InputError(f"{named}: the database of these questions is not there; name it by --database")
        self.schema = read_schema(named) if named else None
        self.database = named if named and is_database(named) else ""
        """The SQLite file; empty where there is none."""
        self.search = search or ParsingConfig()
        self._constants = Constants(tuple(known["texts"]), tuple(known["numbers"]))
        self._linker = linker_of(facts, named)

    def parse(self, model: ConditionalModel, tokenizer: Tokenizer, utterances: Sequence[str]) -> list[Told]:
        """Return the query that each question asks for, and how probable the model finds it.

        Raises:
            UsageError: a question is longer than the model's context.
        """
        asked = [self._linker.linked(utterance) for utterance in utterances]
        first = self.search.grammar == "always"
        found = self._searched(model, tokenizer, asked, held=first)
        told = [self._chosen(one, candidates) for one, candidates in zip(asked, found, strict=True)]
        failed = [number for number, (_, answered) in enumerate(told) if not answered]
        if failed and self.database and self.search.grammar == "needed" and followed():
            again = self._searched(model, tokenizer, [asked[number] for number in failed], held=True)
            for number, candidates in zip(failed, again, strict=True):
                if candidates:  # none where every way was a dead end
                    told[number] = self._chosen(asked[number], candidates)
        return [one for one, _ in told]

    def _searched(
        self, model: ConditionalModel, tokenizer: Tokenizer, asked: Sequence[LinkedQuestion], *, held: bool
    ) -> list[list[Continuation]]:
        """Return candidates for each question, ``held`` to the grammar of its own values where that can be followed."""
        sources = [one.source for one in asked]
        search = functools.partial(translate_beam, model, tokenizer, sources, self.search)
        if not held or self.schema is None or not followed():
            return search()
        some = Constraint(tokenizer, self._grammar(self.schema, asked[0]))
        constraints = [some.with_grammar(self._grammar(self.schema, one)) for one in asked]

        def within(conditioned: LanguageModel, batch: Sequence[int]) -> LanguageModel:
            return ConstrainedModel(conditioned, RowConstraints([constraints[number] for number in batch]))

        return search(within=within)

    def _grammar(self, schema: Schema, asked: LinkedQuestion) -> str:
        """Return the grammar of queries with the names of a question and what the queries learnt from compare with."""
        constants = self._constants
        return sql_grammar(
            schema, values=[*constants.texts, *asked.values], numbers=[*constants.numbers, *asked.numbers]
        )

    def _chosen(self, asked: LinkedQuestion, candidates: Sequence[Continuation]) -> tuple[Told, bool]:
        """Return the first candidate that the database answers, or else the first; and whether it does."""
        if not candidates:
            return Told(Query("", self.database), 0.0), False
        queries = [asked.restored(candidate.text) for candidate in candidates]
        place = first_answered(queries, self.database) if self.database else None
        told = Told(Query(queries[place or 0], self.database), float(np.exp(candidates[place or 0].logprob)))
        return told, place is not None


def first_answered(queries: Sequence[str], database: str | os.PathLike[str]) -> int | None:
    """Return the place of the first query that a database has an answer to; None where it has none to any.

    Raises:
        InputError: the database can't be read.
    """
    with asking(database, TRIED) as connection:
        for place, query in enumerate(queries):
            try:
                answer(query, connection, TRIED)
            except QueryFailedError:
                continue
            return place
    return None
