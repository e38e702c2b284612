"""Files of questions about words: analogies by section, and pairs of words with the similarity that people see."""

import csv
import math
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ziggurat.core.errors import InputError
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.sources import resolve

__all__ = ["AnalogySet", "SimilaritySet", "read_analogies", "read_similarity"]

SECTION_COLUMNS = ("type", "section", "category", "relation")
WORD_COLUMNS = (
    ("word1", "word 1", "a"),
    ("word2", "word 2", "b"),
    ("word3", "word 3", "c"),
    ("target", "word4", "word 4", "d"),
)
SCORE_COLUMNS = ("similarity", "score", "human (mean)", "mean", "rating", "simlex999", "relatedness")
COMMENTS = ("#", "//")
PART_OF_SPEECH = re.compile("-[nvajr]$")

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class AnalogySet:
    """Questions "a is to b as c is to …?", each with its answer."""

    name: str
    sections: tuple[str, ...]
    """Names of the sections, in the order in which they first appear."""
    section: tuple[int, ...]
    """The section of each question."""
    questions: tuple[tuple[str, str, str, str], ...]
    """a, b, c and the answer."""


@dataclass(frozen=True, slots=True)
class SimilaritySet:
    """Pairs of words with the similarity that people gave them."""

    name: str
    pairs: tuple[tuple[str, str], ...]
    scores: tuple[float, ...]
    """On whatever scale: only their order counts."""
    tagged: bool = False
    """Whether every word carried a part of speech (``sun-n``), which was taken off."""


def read_analogies(name: str | os.PathLike[str]) -> AnalogySet:
    """Read a file of analogies.

    *Forms.* Lines of four words under ``: section`` headings (word2vec's ``questions-words.txt``; questions before the
    first heading belong to a section called like the file), or a CSV or TSV whose first line names its columns: type,
    word1, word2, word3, target. Lines that begin with ``#`` or ``//`` are comments.

    Raises:
        InputError: there is no such file, a line is of another form, or there are no questions; the message names the
            file and the line.
    """
    label, stem, content = _content(name)
    rows = _table(label, content, WORD_COLUMNS, SECTION_COLUMNS) if _has_header(content) else _sections(label, content)
    places: dict[str, int] = {}
    section: list[int] = []
    questions: list[tuple[str, str, str, str]] = []
    for number, (heading, *words) in rows:
        if not all(words):
            raise InputError(f"{label}:{number}: a word is missing; an analogy is four words")
        a, b, c, answer = words
        section.append(places.setdefault(heading or stem, len(places)))
        questions.append((a, b, c, answer))
    if not questions:
        raise InputError(f"{label}: no analogies in it; each is a line of four words, under lines ': section'")
    return AnalogySet(stem, tuple(places), tuple(section), tuple(questions))


def read_similarity(name: str | os.PathLike[str]) -> SimilaritySet:
    """Read a file of word pairs with scores.

    *Forms.* Two words and a number a line, parted by tabs, commas or spaces, or a CSV or TSV whose first line names its
    columns: word1, word2, similarity (or score, mean, SimLex999 …). Lines that begin with ``#`` are comments. Where
    every word ends in a part of speech (``sun-n``, as in MEN), that is taken off.

    Raises:
        InputError: there is no such file, a line is of another form, or there are no pairs; the message names the file
            and the line.
    """
    label, stem, content = _content(name)
    if _has_header(content):
        rows = _table(label, content, (*WORD_COLUMNS[:2], SCORE_COLUMNS), ())
    else:
        rows = ((number, ["", *_cells(line)]) for number, line in content)
    pairs: list[tuple[str, str]] = []
    scores: list[float] = []
    for number, (_, *cells) in rows:
        if len(cells) != 3:
            raise InputError(f"{label}:{number}: {len(cells)} cells; a pair is two words and a number")
        if not all(cells):
            raise InputError(f"{label}:{number}: an empty cell; a pair is two words and a number")
        pairs.append((cells[0], cells[1]))
        scores.append(_number(cells[2], f"{label}:{number}"))
    if not pairs:
        raise InputError(f"{label}: no pairs of words in it; each is a line of two words and a number")
    tagged = all(PART_OF_SPEECH.search(word) for pair in pairs for word in pair)
    if tagged:
        pairs = [(one[:-2], other[:-2]) for one, other in pairs]
    return SimilaritySet(stem, tuple(pairs), tuple(scores), tagged)


def _content(name: str | os.PathLike[str]) -> tuple[str, str, list[tuple[int, str]]]:
    """Return what to call a file in errors, its stem, and its numbered lines without comments and empty ones."""
    sources = resolve([os.fspath(name)])
    if len(sources) != 1 or not sources[0].explicit:
        raise InputError(f"{os.fspath(name)}: not one file; give a file of questions")
    source = sources[0]
    stem = source.path.name.split(".")[0] if source.path else "standard-input"
    try:
        with Ledger(Path(os.devnull)) as ledger, open_source(source) as stream:
            numbered = enumerate(lines(stream, source, TextConfig(), ledger), start=1)
            each = [(number, unicodedata.normalize("NFC", line).strip(" \r\n")) for number, line in numbered]
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error
    return source.label, stem, [(n, line) for n, line in each if line.strip() and not line.startswith(COMMENTS)]


def _has_header(content: Sequence[tuple[int, str]]) -> bool:
    """Whether the first line names columns."""
    return bool(content) and any(name in WORD_COLUMNS[0][:2] for name in map(str.lower, _cells(content[0][1])))


def _sections(label: str, content: Sequence[tuple[int, str]]) -> Iterator[Row]:
    """Yield each question of a file with headings: its line, and [section, a, b, c, answer]."""
    heading = ""
    for number, line in content:
        if line.startswith(":"):
            heading = line[1:].strip()
            if not heading:
                raise InputError(f"{label}:{number}: a section without a name; write ': name'")
            continue
        words = _cells(line)
        if len(words) != 4:
            raise InputError(f"{label}:{number}: {len(words)} words; an analogy is four, a section is ': name'")
        yield number, [heading, *words]


def _table(
    label: str, content: Sequence[tuple[int, str]], wanted: Sequence[Sequence[str]], heading: Sequence[str]
) -> Iterator[Row]:
    """Yield each row of a table with a header: its line, and [section, cells of the wanted columns…]."""
    names = [name.lower() for name in _cells(content[0][1])]
    columns = []
    for choices in wanted:
        column = next((names.index(choice) for choice in choices if choice in names), None)
        if column is None:
            raise InputError(f"{label}:{content[0][0]}: no column '{choices[0]}' among {', '.join(names)}")
        columns.append(column)
    section = next((names.index(choice) for choice in heading if choice in names), None)
    for number, line in content[1:]:
        cells = _cells(line, like=content[0][1])
        if len(cells) != len(names):
            raise InputError(f"{label}:{number}: {len(cells)} cells, but the first line names {len(names)} columns")
        found = [cells[column] for column in columns]
        if any(found):  # a spreadsheet's empty last row is no question
            yield number, ["" if section is None else cells[section], *found]


def _cells(line: str, *, like: str | None = None) -> list[str]:
    """Return the cells of a line, parted by tabs, else by commas, else by spaces, as in the line ``like``."""
    model = line if like is None else like
    if "\t" in model:
        return [cell.strip() for cell in line.split("\t")]
    if "," in model:
        csv.field_size_limit(min(sys.maxsize, 1 << 31))
        return [cell.strip() for cell in next(csv.reader([line], skipinitialspace=True))]
    return line.split()


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: '{text[:40]}' is no number; a pair is two words and a number")
    return value
