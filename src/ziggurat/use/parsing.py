"""Questions turned into queries by a model that writes what follows from a source: linked, searched for, tried out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ziggurat.core.errors import InputError
from ziggurat.core.protocols import ConditionalModel, Tokenizer
from ziggurat.core.types import Continuation, Told
from ziggurat.text.databases import is_database, read_schema
from ziggurat.text.queries import Query
from ziggurat.text.query_answers import ExecutionLimits, QueryFailedError, answer, asking
from ziggurat.text.question_links import Constants, LinkedQuestion
from ziggurat.text.questions import linker_of
from ziggurat.use.translation import TranslationConfig, translate_beam

__all__ = ["QueryParser"]

SEARCH = TranslationConfig(beams=5, best=5, length_exponent=1.0, max_tokens=400, longest_ratio=40.0)
TRIED = ExecutionLimits(seconds=1.0, rows=1)
"""What it may cost to see whether a query has an answer at all."""


class QueryParser:
    """What a corpus of questions and its database say of new questions.

    *Idea.* A question is linked as those learnt from were (`ziggurat.text.question_links`), and queries are searched
    for by beams. Where there is a database, the likeliest query that it has an answer to is the answer
    (execution-guided decoding, Wang et al. 2018): that needs no knowledge of what is right.
    """

    def __init__(self, facts: Mapping[str, Any], database: str = "") -> None:
        """Read what a corpus' ``facts`` say; another ``database`` may stand in the place of its own.

        Raises:
            InputError: the database is not there, or can't be read.
        """
        known = facts["questions"]
        named = database or known["database"]
        if named and not Path(named).is_file():
            raise InputError(f"{named}: the database of these questions is not there; name it by --database")
        self.schema = read_schema(named) if named else None
        self.database = named if named and is_database(named) else ""
        """The SQLite file; empty where there is none."""
        self.constants = Constants(tuple(known["texts"]), tuple(known["numbers"]))
        self._linker = linker_of(facts, named)

    def parse(self, model: ConditionalModel, tokenizer: Tokenizer, utterances: Sequence[str]) -> list[Told]:
        """Return the query that each question asks for.

        Raises:
            UsageError: a question is longer than the model's context.
        """
        asked = [self._linker.linked(utterance) for utterance in utterances]
        found = translate_beam(model, tokenizer, [one.source for one in asked], SEARCH)
        return [self._told(one, candidates) for one, candidates in zip(asked, found, strict=True)]

    def _told(self, asked: LinkedQuestion, candidates: Sequence[Continuation]) -> Told:
        queries = [asked.restored(candidate.text) for candidate in candidates]
        place = self._first_answered(queries)
        return Told(Query(queries[place], self.database), float(np.exp(candidates[place].logprob)))

    def _first_answered(self, queries: Sequence[str]) -> int:
        """Return the place of the first query that the database answers, or 0."""
        if self.database:
            with asking(self.database, TRIED) as connection:
                for place, query in enumerate(queries):
                    try:
                        answer(query, connection, TRIED)
                    except QueryFailedError:
                        continue
                    return place
        return 0
