"""SQL cut into its pieces, and the one form of queries that differ in nothing but their writing.

Double quotes hold a text here, as in most collections of questions and as SQLite reads them where no column has that
name; names with blanks stand in backquotes or brackets.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

__all__ = ["Piece", "is_ordered", "normal_form", "pieces", "spaced"]

Kind: TypeAlias = Literal["text", "number", "word", "sign"]

PIECE = re.compile(
    r"""
    (?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<text>"(?:[^"]|"")*(?:"|\Z)|[xX]?'(?:[^']|'')*(?:'|\Z))
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<word>`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|[^\W\d]\w*)
    | (?P<sign>->>|->|<<|>>|<>|<=|>=|!=|==|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
NUMBERED = re.compile(r"[^\W\d]\w*\d")
SAME_SIGN = {"!=": "<>", "==": "="}


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, number, quoted text or sign of a query, and where it stands."""

    kind: Kind
    text: str
    """As it is written, quotes included."""
    start: int
    """Its first character in the query."""

    @property
    def content(self) -> str:
        """What a quoted text says: without its quotes, and each doubled quote inside once."""
        if self.kind != "text":
            return self.text
        quote = self.text[0]
        return self.text[1:].removesuffix(quote).replace(quote * 2, quote)

    def saying(self, content: str) -> str:
        """Return a quoted text that says ``content``, in this one's kind of quotes."""
        quote = self.text[0]
        return quote + content.replace(quote, quote * 2) + quote


def pieces(sql: str) -> Iterator[Piece]:
    """Yield a query's pieces; blanks and comments are none. Every text can be cut: a quote left open ends with it.

    >>> [piece.text for piece in pieces('SELECT MAX( a.b ) FROM c WHERE d>="x y"')][-4:]
    ['WHERE', 'd', '>=', '"x y"']
    """
    for found in PIECE.finditer(sql):
        kind = found.lastgroup
        if kind is not None and kind != "blank":
            yield Piece(cast(Kind, kind), found.group(), found.start())


def spaced(written: Iterable[tuple[Piece, str]]) -> str:
    """Return a query of pieces, each as it is to be written, with a blank between any two but round a dot.

    >>> spaced((piece, piece.text) for piece in pieces("SELECT MAX(a.b)FROM c"))
    'SELECT MAX ( a.b ) FROM c'
    """
    words: list[str] = []
    joins = False
    for piece, text in written:
        dot = piece.text == "."
        if words and (dot or joins):
            words[-1] += text
        else:
            words.append(text)
        joins = dot
    return " ".join(words)


def normal_form(sql: str) -> str:
    """Return a query as all those are written that differ from it in writing only.

    *Idea.* Blanks, comments, the case of what is not quoted, the kind of quotes of a text, ``!=`` for ``<>`` and a
    closing semicolon make no difference; nor do the numbers in names that ``AS`` gives: ``CITYalias3`` and
    ``CITYalias7`` are the same where each is its query's first. Equal forms mean equal queries; the reverse does not
    hold: conditions in another order differ.

    >>> normal_form("select T2.a from city as T2;") == normal_form("SELECT t1.A FROM CITY AS t1")
    True
    """
    found = list(pieces(sql))
    while found and found[-1].text == ";":
        found.pop()
    written = [_written(piece) for piece in found]
    given = {
        name
        for before, piece, name in zip(written, found[1:], written[1:], strict=False)
        if before == "AS" and piece.kind == "word" and NUMBERED.fullmatch(name)
    }
    numbers: dict[str, str] = {}
    counts: dict[str, int] = {}
    for place, (piece, name) in enumerate(zip(found, written, strict=True)):
        if piece.kind == "word" and name in given:
            if name not in numbers:
                stem = name.rstrip("0123456789")
                numbers[name] = f"{stem}#{counts.get(stem, 0)}"
                counts[stem] = counts.get(stem, 0) + 1
            written[place] = numbers[name]
    return " ".join(written)


def is_ordered(sql: str) -> bool:
    """Whether the order of a query's rows is asked for: ``ORDER BY`` outside all parentheses."""
    depth = 0
    last = ""
    for piece in pieces(sql):
        name = piece.text.upper()
        depth += (name == "(") - (name == ")")
        if depth == 0 and (last, name) == ("ORDER", "BY"):
            return True
        last = name
    return False


def _written(piece: Piece) -> str:
    if piece.kind == "text":
        return "'" + piece.content.replace("'", "''") + "'"
    if piece.kind == "word":
        bare = piece.text[1:-1] if piece.text[0] in "`[" and len(piece.text) > 1 else piece.text
        return bare.upper() if re.fullmatch(r"[^\W\d]\w*", bare) else piece.text.upper()
    return SAME_SIGN.get(piece.text, piece.text.upper())
