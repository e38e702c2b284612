"""A model drawn with letters: its towers from the ids at the bottom to the logits at the top, then its figures."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ziggurat.core.anatomy import Load, Part
from ziggurat.surface.anatomy.figures import share
from ziggurat.surface.anatomy.words import called, held
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import width_of

__all__ = ["tower_lines"]

INSIDE = 32
"""Columns inside a box."""
STEM = 4
"""Columns before the line that joins the boxes."""
RIGHT = 6
"""Columns from a box to the residual path beside it."""


class _Line(NamedTuple):
    """One line of the drawing, from the bottom up, and what is said beside it."""

    art: str
    beside: tuple[str, ...] = ()


def tower_lines(tower: Part, load: Load, whole: int) -> list[str]:
    """Return the lines of a tower, from the top down: boxes, and beside each its parameters and share of operations.

    ``whole`` is the operations of all towers, of which shares are taken.
    """
    lines = [_Line(" " * STEM + f" {translate('ids')}  {_ids(tower)}")]
    for part in tower.parts:
        lines += list(_drawn(part, load, whole))
    top = tower.parts[-1]
    lines.append(_Line(" " * STEM + f" ↑  {top.gives}"))
    head = (translate("parameters"), translate("share of operations"))
    lines.append(_Line(called(tower), head))
    columns = max(width_of(line.art) for line in lines) + 2
    widths = [max(width_of(line.beside[i]) for line in lines if line.beside) for i in range(len(head))]
    return [_joined(line, columns, widths) for line in reversed(lines)]


def _drawn(part: Part, load: Load, whole: int) -> Iterator[_Line]:
    """Yield a part's lines from the bottom up."""
    if part.kind == "block":
        yield from _block(part, load, whole)
    elif part.kind == "memory":
        return
    elif part.kind in ("positions", "tables", "pooler"):
        yield from _beside(part, load, whole)
    else:
        yield _Line(_stem())
        yield from _box(part, load, whole)


def _box(part: Part, load: Load, whole: int, *, times: int = 1) -> Iterator[_Line]:
    """Yield a box from the bottom up, with the line of the tower through its edges."""
    label = called(part) + (f" × {part.times}" if part.times > 1 else "")
    inside = f" {label}{' ' * max(0, INSIDE - 1 - width_of(label))}"
    edge = "─" * (STEM - 2)
    yield _Line(f"  └{edge}┬{'─' * (INSIDE - STEM + 1)}┘")
    flops = times * part.reading_flops(load)
    for note in _notes(part):
        noted = f" {note}{' ' * max(0, INSIDE - 1 - width_of(note))}"
        yield _Line(f"  │{noted}│")
    yield _Line(f"  │{inside}│", (held(part), share(flops, whole)))
    yield _Line(f"  ┌{edge}┴{'─' * (INSIDE - STEM + 1)}┐")


def _notes(part: Part) -> list[str]:
    """Return what a box says beside its name: positions that turn queries, a source that is looked at."""
    notes = [called(inner) for inner in part.parts if inner.kind == "rotary"]
    return [*notes, *([translate("← keys, values of the encoder")] if part.kind == "cross" else [])]


def _beside(part: Part, load: Load, whole: int) -> Iterator[_Line]:
    """Yield vectors that are added from the side, or what is made of those of the tower."""
    yield _Line(_stem())
    yield _Line(
        f"{' ' * STEM} {'├─→' if part.kind == 'pooler' else '⊕ ←'} {called(part)}",
        (held(part), share(part.reading_flops(load), whole)),
    )


def _block(block: Part, load: Load, whole: int) -> Iterator[_Line]:
    """Yield the frame of blocks that are alike, its halves inside with their residual paths."""
    wide = INSIDE + RIGHT + 5
    title = f" {block.times} × "
    yield _Line(_stem())
    yield _Line(f"╚{'═' * STEM}╪{'═' * (wide - STEM - 1)}╝")
    for half in block.parts:
        for line in _half(half, load, whole, times=block.times):
            art = line.art[1:] if line.art.startswith(" ") else line.art
            yield _Line(f"║{art}{' ' * (wide - width_of(art))}║", line.beside)
    yield _Line(f"╔{'═' * STEM}╪{title}{'═' * (wide - STEM - 1 - width_of(title))}╗")


def _half(half: Part, load: Load, whole: int, *, times: int) -> Iterator[_Line]:
    """Yield one half of a block: a branch, the path around it, and the norm before (pre) or after (post) the sum."""
    pre = half.parts[0].kind == "norm"
    inner = half.parts if pre else half.parts[:-1]
    beyond = INSIDE - STEM + RIGHT
    yield _Line(f"{' ' * STEM} ├{'─' * beyond}┘")
    for part in inner:
        for line in _box(part, load, whole, times=times):
            yield _Line(f"{line.art}{' ' * (RIGHT - 2)}│", line.beside)
    yield _Line(f"{' ' * STEM} ⊕ ←{'─' * (beyond - 2)}┐")
    if not pre:
        yield from _box(half.parts[-1], load, whole, times=times)


def _stem() -> str:
    return " " * STEM + " │"


def _ids(tower: Part) -> str:
    return "m" if tower.parts[0].reads == "source" else "n"


def _joined(line: _Line, columns: int, widths: Sequence[int]) -> str:
    if not line.beside:
        return line.art.rstrip()
    art = line.art + " " * (columns - width_of(line.art))
    cells = [" " * (width - width_of(cell)) + cell for cell, width in zip(line.beside, widths, strict=True)]
    return art + "  ".join(cells)
