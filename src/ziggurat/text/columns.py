"""CoNLL columns: a token a line with its label in another column, and an empty line after each sentence.

*Forms.* Columns are parted by tabs where the first row has one, else by blanks. The token stands in the first column
and the label in the last, unless told otherwise: so files of CoNLL-2000, CoNLL-2003 and WNUT, and Chinese ones of a
character a line, are read alike. Labels are kept as they stand, in whichever scheme. Lines of ``-DOCSTART-`` are passed
over, and so are comments: what begins with ``#`` and a blank before a sentence's first token, and is no row. Source of
the form: Tjong Kim Sang and De Meulder 2003, section 2.
"""

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.spacing import HAN, KANA
from ziggurat.text.decoding import refuse_lone_return
from ziggurat.text.options import TextConfig
from ziggurat.text.relabelling import Block, Labeller, RawLines, relabelled, write_pieces
from ziggurat.text.tagged import Line, TaggedSentence, is_blank, one_source, read_lines

__all__ = ["Columns", "add_labels", "is_numbered", "read_columns", "sentences_in", "write_columns"]

FORM = "a line is TOKEN<TAB>LABEL"
TABS, BLANKS = "tabs", "blanks"
BREAKS = re.compile("[\t\n\r\ud800-\udfff]")
"""What no cell can hold: ends of cells and lines, and what UTF-8 can't write."""
_DOCUMENT = re.compile(r"-DOCSTART-(?:[ \t]|$)")
_COMMENT = re.compile(r"#+ +[^\t]*$|#(?:begin|end) document")
"""OntoNotes' have no blank after the sign; others need one, or a hashtag that lost its label would be one."""
_ASSIGNMENT = re.compile(r"#\s*[\w.:\[\]-]+ = ")
"""A comment as CoNLL-U has them, whatever the number of its words: ``# sent_id = 12``."""
_PARTS = re.compile("[ \t]+")
_NUMBER = re.compile(r"1(-\d+)?|0\.1")
"""How CoNLL-U numbers the first row of a sentence: a word, several that are written as one, or one that is not."""
_HEAD = re.compile(r"_|\d+")
_SPAN = re.compile("O$|[BIESMLU]-.")
"""How every scheme writes a label with a type (`ziggurat.core.schemes`)."""
_CLAUSES = re.compile(f"[{HAN}{KANA}][，。！？；：、…]+[{HAN}{KANA}]")
"""What no word of Chinese or Japanese has: a sign between letters."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds the token and which the label, counted from 0, or from the last by -1, -2 …."""

    token: int = 0
    label: int | None = -1
    """None where there is none, or it is of no interest."""
    known: frozenset[str] | None = None
    """Where no label is read and blanks part the columns, the last must be one of these, or as schemes write labels.

    So the words of a sentence are not taken for columns. None: anything may stand there."""


USUAL = Columns()
UNLABELLED = Columns(label=None)


def read_columns(
    name: str | os.PathLike[str], columns: Columns = USUAL, options: TextConfig | None = None
) -> Iterator[TaggedSentence]:
    """Yield a file's sentences one after another; ``-`` is standard input. Memory holds one sentence.

    Raises:
        InputError: there is no such file, it has no sentence, a column is missing, a row has more or fewer columns than
            the first, or a token or label is empty; the message names file and line.
    """
    source = one_source(name)
    yield from sentences_in(read_lines(source, options or TextConfig()), source.label, columns)


def sentences_in(lines: Iterable[Line], label: str, columns: Columns = USUAL) -> Iterator[TaggedSentence]:
    """Yield the sentences in the lines of a file, which errors call ``label``.

    Raises:
        InputError: as `read_columns`.
    """
    for block in _Table(label, columns).blocks(lines):
        if block.sentence is not None:
            yield block.sentence


def write_columns(path: str | os.PathLike[str], sentences: Iterable[TaggedSentence]) -> None:
    """Write sentences as ``TOKEN<TAB>LABEL``, or only tokens where there are no labels, in UTF-8.

    What was read from columns is read from here the same, but for its line.

    Raises:
        InputError: a token or label can't stand in a column, since it would be read otherwise.
        UsageError: some sentences have labels and some don't.
    """
    write_pieces(Path(path), _written(sentences))


def add_labels(
    name: str | os.PathLike[str],
    label: Labeller,
    *,
    columns: Columns = UNLABELLED,
    options: TextConfig | None = None,
) -> Iterator[bytes]:
    """Yield a file's bytes with a further column: the labels that ``label`` gives; all else stays byte for byte.

    Compressed files come out plain. The new column is parted from the others as they are from each other.

    Raises:
        InputError: as `read_columns`; or a label can't stand in the file.
        UsageError: ``label`` gives not as many labels as there are tokens.
    """
    source = one_source(name)
    raw, table = RawLines(source, options or TextConfig()), _Table(source.label, columns)

    def edit(line: Line, new: str) -> bytes:
        if is_blank(new) or BREAKS.search(new) or (table.separator == BLANKS and " " in new):
            raise InputError(f"{source.label}:{line.number}: the label {new!r} can't stand in a column; give another")
        row, end = raw.cut(line, blanks=table.separator == BLANKS)
        between = " " if table.separator == BLANKS and table.width > 1 else "\t"
        return row + raw.bytes_of(between) + raw.bytes_of(new) + end

    return relabelled(table.blocks(raw), label, edit)


class _Table:
    """Rows of one file: how their cells are parted, how many there are, which are of interest."""

    def __init__(self, label: str, columns: Columns) -> None:
        self._label, self._columns = label, columns
        self.separator, self.width, self._first = TABS, 0, 0
        self._token, self._tag = 0, 0

    def blocks(self, lines: Iterable[Line]) -> Iterator[Block]:
        """Yield the sentences, each with the lines since the one before."""
        lines = iter(lines)
        head = self._opening(lines)
        kept: list[Line] = []
        rows: list[int] = []
        cells: list[list[str]] = []
        for line in itertools.chain(head, lines):
            outside = is_blank(line.text) or _DOCUMENT.match(line.text)
            if outside and rows:
                yield self._block(kept, rows, cells)
                kept, rows, cells = [], [], []
            kept.append(line)
            if outside:
                continue
            row = self._split(line.text)
            if rows or not self._is_comment(line.text, row):
                self._check(line, row)
                rows.append(len(kept) - 1)
                cells.append(row)
        yield self._block(kept, rows, cells) if rows else Block(tuple(kept))

    def _opening(self, lines: Iterator[Line]) -> list[Line]:
        """Return the lines up to the first row, and learn from it."""
        head: list[Line] = []
        for line in lines:
            head.append(line)
            if not (is_blank(line.text) or _DOCUMENT.match(line.text) or _COMMENT.match(line.text)):
                self._learn(line)
                return head
        raise InputError(f"{self._label}: no sentence; {FORM}, and an empty line ends a sentence")

    def _learn(self, row: Line) -> None:
        self.separator = TABS if "\t" in row.text.rstrip(" \t") else BLANKS
        self._first, self.width = row.number, len(self._split(row.text))
        where = f"{self._label}:{row.number}"
        self._token = self._place(self._columns.token, where)
        if self._token == 0 and is_numbered(row.text):
            raise InputError(
                f"{where}: CoNLL-U, whose first column numbers the words; read it by read_universal, or name two others"
            )
        self._tag = self._token if self._columns.label is None else self._place(self._columns.label, where)
        if self._tag == self._token and self._columns.label is not None:
            if self.width > 1:
                raise UsageError(f"{where}: column {self._tag + 1} can't hold both token and label; name two columns")
            raise InputError(f"{where}: 1 column, no label; {FORM}: mend the file, or read it without labels")

    def _place(self, column: int, where: str) -> int:
        if not -self.width <= column < self.width:
            asked = f"column {column + 1}" if column >= 0 else f"column {-column} from the last"
            raise InputError(f"{where}: {self.width} columns, no {asked}; name another column or mend the file")
        return column % self.width

    def _split(self, text: str) -> list[str]:
        # Not `str.split`: U+3000, U+00A0 and others of its white space are tokens.
        return text.split("\t") if self.separator == TABS else _PARTS.split(text.rstrip(" \t"))

    def _is_comment(self, text: str, row: list[str]) -> bool:
        return bool(_COMMENT.match(text)) and (len(row) != self.width or bool(_ASSIGNMENT.match(text)))

    def _check(self, line: Line, row: list[str]) -> None:
        where = f"{self._label}:{line.number}"
        refuse_lone_return(line.text, where)
        if self._columns.known is not None and self.separator == BLANKS:
            self._check_words(where, row, self._columns.known)
        if len(row) != self.width:
            raise InputError(
                f"{where}: {len(row)} columns, the first row (line {self._first}) has {self.width}, "
                f"parted by {self.separator}; mend the line"
            )
        if not row[self._token]:
            raise InputError(f"{where}: no token in column {self._token + 1}; mend or remove the line")
        if self._columns.label is not None and is_blank(row[self._tag]):
            raise InputError(f"{where}: no label in column {self._tag + 1}; mend the line (O is no entity)")

    def _check_words(self, where: str, row: list[str], known: frozenset[str]) -> None:
        if len(row) == 1 and _CLAUSES.search(row[0]):
            raise InputError(
                f"{where}: '{row[0][:40]}' is a sentence and no word; give a word or a character a line with an empty "
                'line after each sentence, or {"tokens": ["in", "Paris"]} a line'
            )
        if len(row) > 1 and row[-1] not in known and not _SPAN.match(row[-1]):
            raise InputError(
                f"{where}: {len(row)} words parted by blanks, and the last, '{row[-1][:40]}', is no label; give a word "
                'a line with an empty line after each sentence, or {"tokens": ["in", "Paris"]} a line; '
                "or part columns by tabs"
            )

    def _block(self, lines: list[Line], rows: list[int], cells: list[list[str]]) -> Block:
        number = lines[rows[0]].number
        tokens = tuple(row[self._token] for row in cells)
        labels = () if self._columns.label is None else tuple(row[self._tag].strip(" ") for row in cells)
        sentence = TaggedSentence(f"{self._label}:{number}", tokens, labels, number)
        return Block(tuple(lines), tuple(rows), sentence)


def is_numbered(text: str) -> bool:
    """Return whether a file's first row is one of CoNLL-U: ten columns, of which the first and seventh are numbers."""
    row = text.split("\t")
    return len(row) == 10 and bool(_NUMBER.fullmatch(row[0])) and bool(_HEAD.fullmatch(row[6]))


def _written(sentences: Iterable[TaggedSentence]) -> Iterator[bytes]:
    labelled: bool | None = None
    for sentence in sentences:
        first, labelled = labelled is None, bool(sentence.labels) if labelled is None else labelled
        if labelled != bool(sentence.labels):
            raise UsageError(f"{sentence.id}: some sentences have labels and some have none; write them to two files")
        for place, token in enumerate(sentence.tokens):
            if first and not place and token.startswith("\ufeff"):
                raise InputError(f"{sentence.id}: a file can't begin with the token {token!r}; change it")
            alone = "" if labelled else " "  # one column is cut at blanks
            if not token or BREAKS.search(token) or _DOCUMENT.match(token) or (alone and alone in token):
                raise InputError(f"{sentence.id}: the token {token!r} can't stand in a column; change it")
            new = sentence.labels[place] if labelled else ""
            if labelled and (not new or new.strip(" ") != new or BREAKS.search(new)):
                raise InputError(f"{sentence.id}: the label {new!r} can't stand in a column; change it")
            yield f"{token}\t{new}\n".encode() if labelled else f"{token}\n".encode()
        yield b"\n"
