"""Questions and queries as a model reads and writes them: words parted by blanks, and values that have names.

*Idea.* What a question names of a database (`ziggurat.text.linking`) gets a name, ``"value0"``, behind the columns that
hold it; the query has the same name in its place. So every state is one word, and a model that copies
(`ziggurat.models.blocks.copying`) writes it without knowing it. Where a value has another inside (the Ohio River, Ohio)
that one has a name of its own behind it: which of them is meant is for the model to say. Chinese and Japanese are read
as single characters; but a column or table that is called so in the question is one word there as it is in the query.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ziggurat.core.spacing import HAN, KANA
from ziggurat.text.linking import NUMBER_KIND, UNSPACED, Link, ValueLinker
from ziggurat.text.sql import Piece, pieces, spaced

__all__ = ["Constants", "LinkedQuestion", "QuestionLinker"]

WORD = re.compile(rf"[{HAN}{KANA}]|[^\W{HAN}{KANA}]+(?:['’][^\W{HAN}{KANA}]+)*|[^\w\s]")
WORD_OR_RUN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
"""The same where a run of Han or kana is one word."""
NAME = "value"
AND = "_or_"
"""Between the columns that hold a value (`ziggurat.text.databases.stored_values`)."""


@dataclass(frozen=True, slots=True)
class LinkedQuestion:
    """A question, and perhaps its query, as a model has them."""

    source: str
    target: str
    """Empty where there was no query."""
    values: Mapping[str, str]
    """What each name stands for, of texts."""
    numbers: Mapping[str, str]
    """The same of numbers."""

    def restored(self, target: str) -> str:
        """Return a query with its values in place of their names; a name that stands for nothing here stays."""

        def back(piece: Piece) -> str:
            if piece.kind == "text" and piece.content in self.values:
                return "'" + self.values[piece.content].replace("'", "''") + "'"
            return self.numbers.get(piece.text, piece.text) if piece.kind == "word" else piece.text

        return spaced((piece, back(piece)) for piece in pieces(target))


@dataclass(frozen=True, slots=True)
class Constants:
    """What queries compare with that no question names."""

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    @classmethod
    def of(cls, questions: Iterable[LinkedQuestion]) -> "Constants":
        """Return the constants of queries, each once."""
        texts: set[str] = set()
        numbers: set[str] = set()
        for question in questions:
            for piece in pieces(question.target):
                if piece.kind == "text" and piece.content not in question.values:
                    texts.add(piece.content)
                elif piece.kind == "number":
                    numbers.add(piece.text)
        return cls(tuple(sorted(texts)), tuple(sorted(numbers)))


class QuestionLinker:
    """Makes `LinkedQuestion` of questions, always in the same way, whether their query is known or not.

    >>> linker = QuestionLinker({"ohio river": "river", "ohio": "state_name_or_name"})
    >>> linked = linker.linked("How long is the Ohio River?", 'SELECT len FROM river WHERE name = "ohio"')
    >>> linked.source
    'how long is the river "value0" state_name name "value1" river ?'
    >>> linked.target
    'SELECT len FROM river WHERE name = "value1"'
    >>> linked.restored(linked.target)
    "SELECT len FROM river WHERE name = 'ohio'"
    >>> QuestionLinker({"北京": "名称"}, ["人口"]).linked("北京的人口是多少？").source
    '名称 "value0" 的 人口 是 多 少 ？'
    """

    def __init__(self, values: Mapping[str, str], names: Iterable[str] = (), *, whole_runs: bool = False) -> None:
        """Know ``values``, each with the columns that hold it, and the ``names`` of columns and tables.

        ``whole_runs`` says that a run of Han or kana is one word, as it was to models that have learnt so.
        """
        self._linker = ValueLinker(values, whole_runs=whole_runs)
        self._word = WORD_OR_RUN if whole_runs else WORD
        longest_first = sorted(set(filter(UNSPACED.fullmatch, names)), key=lambda name: (-len(name), name))
        self._named_word = re.compile("|".join([*longest_first, self._word.pattern]))

    def linked(self, utterance: str, sql: str = "") -> LinkedQuestion:
        """Return a question as a model reads it, and its query as a model writes it."""
        names: dict[tuple[str, str], str] = {}
        numbers: dict[str, str] = {}
        words: list[str] = []
        last = 0
        for link in self._linker.links(utterance):
            words += self._words(utterance[last : link.start])
            last = link.stop
            if _kind(link) == NUMBER_KIND:
                numbers[link.name] = link.value
                words.append(link.name)
                continue
            words += _named(link.value, _kind(link), names)
            for first, inner, behind in self._inside(utterance[link.start : link.stop]):
                words += [*self._words(first), *_named(inner.value, _kind(inner), names), *self._words(behind)]
        words += self._words(utterance[last:])
        values = {name: value for (_, value), name in names.items()}
        return LinkedQuestion(" ".join(words), _renamed(sql, values, numbers), values, numbers)

    def _words(self, text: str) -> list[str]:
        return self._named_word.findall(text.lower())

    def _inside(self, text: str) -> Iterator[tuple[str, Link, str]]:
        """Yield the values that a value of several words has inside but for its last or first word."""
        words = list(self._word.finditer(text))
        for start, stop in ((0, len(words) - 1), (1, len(words))) if len(words) > 1 else ():
            part = text[words[start].start() : words[stop - 1].end()]
            for link in self._linker.links(part):
                if (link.start, link.stop) == (0, len(part)) and _kind(link) != NUMBER_KIND:
                    yield text[: words[start].start()], link, text[words[stop - 1].end() :]


def _kind(link: Link) -> str:
    return link.name.rstrip("0123456789")


def _named(value: str, kind: str, names: dict[tuple[str, str], str]) -> list[str]:
    """Return a value's columns and its name, which is the same wherever it stands."""
    name = names.setdefault((kind, value), f"{NAME}{len(names)}")
    return [*kind.split(AND), f'"{name}"']


def _renamed(sql: str, values: Mapping[str, str], numbers: Mapping[str, str]) -> str:
    """Return a query with blanks between its pieces, names in place of values, and no semicolon."""
    named: dict[Any, str] = {value: f'"{name}"' for name, value in reversed(list(values.items()))}
    counted = {number: name for name, number in numbers.items()}
    found = list(pieces(sql))
    while found and found[-1].text == ";":
        found.pop()

    def written(piece: Piece) -> str:
        if piece.kind == "text":
            return named.get(piece.content, piece.text)
        return counted.get(piece.text, piece.text) if piece.kind == "number" else piece.text

    return spaced((piece, written(piece)) for piece in found)
