"""Tokens as people read them: fragments of one character are shown together."""

from dataclasses import dataclass

from ziggurat.core.types import Encoding

__all__ = ["Piece", "pieces"]


@dataclass(frozen=True, slots=True)
class Piece:
    """The shortest stretch of whole characters that whole tokens cover."""

    text: str
    start: int
    """First token of the piece."""
    stop: int
    """The token after its last."""


def pieces(text: str, encoding: Encoding) -> list[Piece]:
    """Return ``text`` cut between tokens, but never inside a character.

    *Idea.* A byte-level tokenizer may spread one Chinese character over three tokens. Tokens whose characters overlap
    are one piece, so that a picture shows 中 and not three broken bytes.

    *Shapes and units.* Pieces are in order and their tokens cover ``encoding`` exactly once. Text that no token
    covers (spaces of a word tokenizer) belongs to no piece.
    """
    found: list[Piece] = []
    begin, first, last = 0, -1, -1
    for index, (start, stop) in enumerate(encoding.offsets.tolist()):
        if index > begin and start >= last:
            found.append(Piece(text[first:last], begin, index))
            begin, first = index, -1
        first = start if first < 0 else min(first, start)
        last = max(last, stop)
    if len(encoding.ids):
        found.append(Piece(text[first:last], begin, len(encoding.ids)))
    return found
