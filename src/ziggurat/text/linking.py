"""Values that a question names, linked with those in its query: both with names in their place, and back again.

*Idea.* A parser that has seen ``how big is texas`` should also know what to do with Utah. So each stretch of the
question that is a known value (of a database, or of the queries learnt from) or a number gets a name, ``state_name0``,
and so does the same value in the query. What is left is a template; a value is copied back by its name. Linking looks
at the question only, so that it does for a new question what it did for those learnt from (the entity anonymisation
of Dong & Lapata 2016, section 3.6, and the variables of Finegan-Dollak et al. 2018). Chinese and Japanese have no
blanks between words: there each character is a word of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ziggurat.core.spacing import HAN, KANA
from ziggurat.text.queries import QueryPair
from ziggurat.text.sql import Piece, pieces

__all__ = ["Anonymised", "Coverage", "Link", "ValueLinker", "coverage", "queried_names", "queried_values"]

WORD = re.compile(rf"\d+(?:\.\d+)?|[{HAN}{KANA}]|[^\W\d_{HAN}{KANA}]+|[^\s\w]|_|\d")
WORD_OR_RUN = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+|[^\s\w]|_|\d")
"""The same where a run of Han or kana is one word."""
UNSPACED = re.compile(f"[{HAN}{KANA}]+")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
ALONE = re.compile(r"(?<![A-Za-z_])\d+(?:\.\d+)?(?![A-Za-z_])")
"""A number that is no part of a name: of ``DC10`` nothing."""
SHORT = 3
"""Letters of a value that is only found in its own case: ``IN`` is a state, ``in`` is not."""
NUMBER_KIND = "number"
NOT_A_NAME = re.compile(r"\W+|^(?=\d)")


class Link(NamedTuple):
    """A stretch of a question that is a value."""

    start: int
    stop: int
    """Exclusive."""
    value: str
    """As a query writes it."""
    name: str
    """What stands in its place."""


@dataclass(frozen=True, slots=True)
class Anonymised:
    """A question, and perhaps its query, with names in place of values."""

    utterance: str
    template: str
    """The query with names; empty where there was none."""
    links: tuple[Link, ...]
    """Where in the original question which value stood, in its order."""
    original: str
    """The question as it was."""

    def restored(self, template: str) -> str:
        """Return a template with its values back; a name that stands for nothing here stays.

        >>> linker = ValueLinker({"texas": "state_name"})
        >>> asked = linker.anonymised("how big is texas")
        >>> asked.utterance, asked.restored('SELECT area FROM state WHERE state_name = "state_name0"')
        ('how big is state_name0', 'SELECT area FROM state WHERE state_name = "texas"')
        """
        values = {link.name: link.value for link in self.links}

        def back(piece: Piece) -> str | None:
            value = values.get(piece.content)
            if value is None or piece.kind not in ("text", "word"):
                return None
            return piece.saying(value) if piece.kind == "text" else value

        return _replaced(template, back)


class ValueLinker:
    """Finds known values and numbers in questions.

    ``values`` says of each value which kind it is, a word that its names begin with (a column's, usually). Where one
    spelling folds to the same as another (``Texas``, ``TEXAS``), the first is the one that is written. ``whole_runs``
    says that a run of Han or kana is one word, as it was to models that have learnt so.

    *Cost.* A look-up for each start and length in words, up to the longest value's.
    """

    def __init__(self, values: Mapping[str, str], *, numbers: bool = True, whole_runs: bool = False) -> None:
        """Index ``values`` by their words."""
        self._numbers = numbers
        self._word = WORD_OR_RUN if whole_runs else WORD
        self._known: dict[tuple[str, ...], tuple[str, str]] = {}
        self._longest = 1
        for value, kind in values.items():
            words = tuple(self._word.findall(value))
            if words and not NUMBER.fullmatch(value):
                self._known.setdefault(_key(words), (value, NOT_A_NAME.sub("_", kind.lower()) or "value"))
                self._longest = max(self._longest, len(words))

    def links(self, utterance: str, *, taken: str = "") -> tuple[Link, ...]:
        """Return the values in a question from left to right: the longest where several begin, none inside another.

        Equal values have one name; no name is one that stands in the question, or in ``taken``, already.
        """
        text = f"{utterance}\0{taken}".lower()
        names: dict[tuple[str, str], str] = {}
        counts: Counter[str] = Counter()
        found = []
        for start, stop, value, kind in self._stretches(utterance):
            if (kind, value) not in names:
                while f"{kind}{counts[kind]}" in text or f"{kind}{counts[kind]}" in names.values():
                    counts[kind] += 1
                names[kind, value] = f"{kind}{counts[kind]}"
                counts[kind] += 1
            found.append(Link(start, stop, value, names[kind, value]))
        return tuple(found)

    def anonymised(self, utterance: str, sql: str = "") -> Anonymised:
        """Return a question and its query with names in place of the values that stand in both and of those only asked.

        A value of the query that the question does not name stays. `Anonymised.restored` of the template is the query.
        """
        links = self.links(utterance, taken=sql)
        parts, last = [], 0
        for link in links:
            parts += [utterance[last : link.start], link.name]
            last = link.stop
        names = {link.value: link.name for link in links}

        def named(piece: Piece) -> str | None:
            name = names.get(piece.content)
            if name is None or piece.kind not in ("text", "number"):
                return None
            if piece.kind == "number":
                return name
            return piece.saying(name) if piece.saying(piece.content) == piece.text else None

        template = _replaced(sql, named)
        return Anonymised("".join([*parts, utterance[last:]]), template, links, utterance)

    def _stretches(self, utterance: str) -> Iterator[tuple[int, int, str, str]]:
        words = list(self._word.finditer(utterance))
        place = 0
        while place < len(words):
            length, value, kind = self._at(words, place)
            if length:
                yield words[place].start(), words[place + length - 1].end(), value, kind
            place += max(1, length)

    def _at(self, words: Sequence[re.Match[str]], place: int) -> tuple[int, str, str]:
        """Return how many words from ``place`` on are a value, which, and its kind; 0 where none is."""
        for length in range(min(self._longest, len(words) - place), 0, -1):
            found = self._known.get(_key([word.group() for word in words[place : place + length]]))
            if found is not None:
                return length, *found
        alone = ALONE.match(words[place].string, words[place].start()) if self._numbers else None
        return (1, alone.group(), NUMBER_KIND) if alone and alone.end() == words[place].end() else (0, "", "")


class Coverage(NamedTuple):
    """How many of the values in queries their questions name."""

    queries: int
    whole: int
    """Queries of which every quoted text is linked."""
    texts: int
    """Quoted texts in all queries."""
    linked_texts: int
    numbers: int
    linked_numbers: int


def coverage(pairs: Iterable[QueryPair], linker: ValueLinker) -> Coverage:
    """Return how much of the values in ``pairs`` a linker finds."""
    queries = whole = 0
    every: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for pair in pairs:
        asked = linker.anonymised(pair.utterance, pair.sql)
        names = {link.name for link in asked.links}
        before = Counter(piece.kind for piece in pieces(pair.sql))
        after = Counter(piece.kind for piece in pieces(asked.template) if piece.content not in names)
        queries += 1
        whole += not after["text"]
        every += before
        left += after
    texts, numbers = every["text"], every["number"]
    return Coverage(queries, whole, texts, texts - left["text"], numbers, numbers - left["number"])


def queried_values(pairs: Iterable[QueryPair]) -> dict[str, str]:
    """Return the quoted texts of queries, and the column that each is most often compared with; the commonest first.

    What a `ValueLinker` knows where there is no database.
    """
    found: dict[str, Counter[str]] = {}
    for pair in pairs:
        column = ""
        for piece in pieces(pair.sql):
            if piece.kind == "text" and piece.content.strip():
                found.setdefault(piece.content, Counter())[column or "value"] += 1
            elif piece.kind == "word" and piece.text.upper() not in ("LIKE", "IN", "NOT", "BETWEEN", "AND", "OR"):
                column = piece.text.lower()
    ordered = sorted(found, key=lambda value: (-found[value].total(), value))
    return {value: found[value].most_common(1)[0][0] for value in ordered}


def queried_names(pairs: Iterable[QueryPair]) -> list[str]:
    """Return the names of tables and columns in queries that are all Han or kana, each once, sorted."""
    words = {piece.text for pair in pairs for piece in pieces(pair.sql) if piece.kind == "word"}
    return sorted(filter(UNSPACED.fullmatch, words))


def _key(words: Sequence[str]) -> tuple[str, ...]:
    """Return what two spellings of a value have in common; a short value keeps its case."""
    short = len(words) == 1 and len(words[0]) <= SHORT
    return tuple(words) if short else tuple(word.casefold() for word in words)


def _replaced(sql: str, change: Callable[[Piece], str | None]) -> str:
    parts, last = [], 0
    for piece in pieces(sql):
        new = change(piece)
        if new is not None:
            parts += [sql[last : piece.start], new]
            last = piece.start + len(piece.text)
    return "".join([*parts, sql[last:]])
