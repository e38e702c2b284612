"""Sentences of words that a tagger is asked about: a word a line, columns, CoNLL-U or JSON lines."""

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from ziggurat.core.errors import InputError
from ziggurat.core.types import Example
from ziggurat.text.columns import Columns, sentences_in
from ziggurat.text.labelled_words import opening
from ziggurat.text.options import TextConfig
from ziggurat.text.tagged import Line, is_blank, one_source, read_lines
from ziggurat.text.universal import universal_in
from ziggurat.use.asked import asked_words

__all__ = ["read_word_lines"]

FORM = '{"tokens": ["in", "Paris"]}'


def read_word_lines(name: str, labels: Iterable[str] = (), options: TextConfig | None = None) -> Iterator[Example]:
    """Yield a file's sentences, without answers; ``-`` is standard input. Memory holds one sentence.

    A file whose first line is a JSON object, or a list of words, is one of JSON lines; any other is CoNLL-U, whose
    examples keep the sentence of the file, or one of columns (`ziggurat.text.labelled_words`). Where blanks part these,
    the last of each row must be a label: one of ``labels``, or one as schemes write it. So no word of a sentence on one
    line is lost.

    Raises:
        InputError: the file can't be used; the message names file and line.
    """
    source = one_source(name)
    lines = read_lines(source, options or TextConfig())
    head = list(itertools.islice(itertools.dropwhile(lambda line: is_blank(line.text), lines), 1))
    following: Iterator[Line] = itertools.chain(head, lines)
    if head and _is_record(head[0].text):
        yield from _records(following, source.label)
        return
    universal, following = opening(following, source.label)
    if universal:
        for one in universal_in(following, source.label):
            yield Example(one.id, tuple(word.form for word in one.words), None, one)
        return
    for sentence in sentences_in(following, source.label, Columns(label=None, known=frozenset(labels))):
        yield Example(sentence.id, sentence.tokens, None)


def _is_record(text: str) -> bool:
    """Return whether a line is JSON that holds something: a word of braces alone is a word."""
    found = _parsed(text) if text.lstrip(" \t")[:1] in ("{", "[") else None
    if isinstance(found, list):
        return bool(found) and all(isinstance(one, str) for one in found)
    return isinstance(found, dict) and bool(found)


def _parsed(text: str) -> Any:
    """Return what a line of JSON holds; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _records(lines: Iterable[Line], label: str) -> Iterator[Example]:
    for line in lines:
        if is_blank(line.text):
            continue
        where, record = f"{label}:{line.number}", _parsed(line.text)
        if isinstance(record, dict):
            if "tokens" not in record:
                keys = ", ".join(map(repr, list(record)[:5])) or "none"
                raise InputError(f"{where}: the key 'tokens' is missing (found {keys}); each line is {FORM}")
            record = record["tokens"]
        elif not isinstance(record, list):
            raise InputError(f"{where}: not a JSON object, as the lines before; each line is {FORM}; mend the line")
        yield Example(where, asked_words(record, where=where), None)
