"""A model as a picture: its towers, and what it computes and takes of memory beside them."""

from importlib import resources
from pathlib import Path
from typing import Any

from ziggurat.core.errors import UnknownNameError
from ziggurat.core.files import atomic_file
from ziggurat.surface.anatomy.canvas import INK, QUIET, Canvas
from ziggurat.surface.anatomy.figures import count, size
from ziggurat.surface.anatomy.subject import Subject
from ziggurat.surface.anatomy.tables import NAMES, memories, memory_rows, operation_rows, part_rows
from ziggurat.surface.anatomy.towers import Frame, draw_towers
from ziggurat.surface.anatomy.words import explained, form, symbols
from ziggurat.surface.language import current, speaking, translate
from ziggurat.surface.map.drawing import converter, draws
from ziggurat.surface.map.labels import text_width

__all__ = ["ENDINGS", "WIDTH", "picture", "write_picture"]

ENDINGS = (".svg", ".png", ".html")
WIDTH = 1200
EDGE, HEAD = 40, 92
SHARPNESS = 2.0
ROW = 22
SEGMENTS = {
    "weights": "#3d5a80",
    "gradients": "#c8553d",
    "moments": "#b07d12",
    "copies": "#7b506f",
    "activations": "#0b6e4f",
    "logits": "#9a8f78",
}
"""The colours of what training keeps in memory."""


def write_picture(subject: Subject, path: Path, *, fonts: Path | None = None) -> bool:
    """Draw a subject as ``path``'s ending says; return whether it could be written in the language spoken.

    A page uses the fonts of who opens it, and so does a drawing of lines (SVG); only a PNG needs them here.

    Raises:
        UnknownNameError: another ending than .svg, .png and .html.
        MissingExtraError: the extra ``report`` is not installed.
        DiskFullError: the disk is full.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UnknownNameError("file ending", path.suffix or path.name, ENDINGS, where=str(path))
    canvas, height = picture(subject)
    spoken = ending != ".png" or draws(canvas.words, fonts=fonts)
    if not spoken:
        with speaking("en"):
            canvas, height = picture(subject)
    spec = canvas.specification(WIDTH, height)
    if ending == ".png":
        content = converter().vegalite_to_png(spec, scale=SHARPNESS)
    else:
        drawn = str(converter().vegalite_to_svg(spec))
        content = (drawn if ending == ".svg" else _page(subject, drawn)).encode()
    with atomic_file(path) as partial:
        partial.write_bytes(content)
    return spoken


def picture(subject: Subject) -> tuple[Canvas, int]:
    """Return the drawing of a subject and its height in pixels."""
    canvas = Canvas()
    towers = subject.anatomy.towers
    side_by_side = len(towers) > 1
    frames = (Frame(EDGE, 240, 352, 70), Frame(640, 240, 956, 92)) if side_by_side else (Frame(EDGE, 290, 412, 130),)
    tall = draw_towers(canvas, towers, frames, subject.training)
    canvas.moved(HEAD + tall)
    title = f"{subject.name}: {form(subject.anatomy)}"
    parameters = translate("{count} parameters").format(count=f"{subject.anatomy.parameters:,}")
    canvas.text(EDGE, 36, title, size=22, bold=True)
    canvas.text(EDGE + text_width(title, 22) + 24, 38, parameters, size=15, ink=QUIET)
    if side_by_side:
        top = HEAD + tall + 46
        columns = ((EDGE, 330), (EDGE + 365, 350), (EDGE + 750, 370))
        bottoms = [
            draw(canvas, left, top, wide, subject)
            for draw, (left, wide) in zip((_symbols, _training, _rest), columns, strict=True)
        ]
        return canvas, int(max(bottoms) + EDGE)
    left, wide = 770, WIDTH - EDGE - 770
    y = _symbols(canvas, left, HEAD + 4, wide, subject) + 26
    y = _rest(canvas, left, y, wide, subject) + 26
    if subject.trains:
        y = _training(canvas, left, y, wide, subject)
    return canvas, int(max(HEAD + tall, y) + EDGE)


def _symbols(canvas: Canvas, left: float, top: float, wide: float, subject: Subject) -> float:
    """Write what the symbols stand for; return where it ends."""
    y = _headline(canvas, left, top, wide, translate("symbols"))
    for name, value, meaning in explained(symbols(subject.anatomy, subject.training)):
        canvas.text(left, y, name, size=12.5, bold=True)
        y = _row(canvas, left + 72, y, wide - 72, (meaning, value))
    return y - ROW / 2


def _rest(canvas: Canvas, left: float, top: float, wide: float, subject: Subject) -> float:
    """Write the operations and the memory of generation; return where it ends."""
    y = top
    if subject.trains:
        y = _headline(canvas, left, y, wide, translate("floating-point operations"))
        for what, flops, _ in operation_rows(subject):
            y = _row(canvas, left, y, wide, (what, flops))
        y += 14
    _, generation = memory_rows(subject, memories(subject))
    for number, row in enumerate(generation):
        y = _row(canvas, left, y, wide, (row[0], row[1])) if number else _headline(canvas, left, y, wide, row[0])
    return y - ROW / 2


def _training(canvas: Canvas, left: float, top: float, wide: float, subject: Subject) -> float:
    """Write the memory of training, and draw it as one bar of its parts; return where it ends."""
    memory = memories(subject)
    found = memory.training
    said = translate("memory for training, {rows} × {tokens} tokens, {precision}")
    batch = subject.training
    headline = said.format(rows=batch.rows, tokens=f"{batch.text:,}", precision=memory.chosen)
    y = _headline(canvas, left, top, wide, headline)
    at = left
    for name, colour in SEGMENTS.items():
        long = wide * getattr(found, name) / found.total
        if long:
            canvas.bar(at, y - 9, at + long, y + 9, fill=colour)
            at += long
    y += ROW + 6
    for name, colour in SEGMENTS.items():
        if held := getattr(found, name):
            canvas.bar(left, y - 6, left + 12, y + 6, fill=colour)
            y = _row(canvas, left + 18, y, wide - 18, (translate(NAMES[name]), size(held)))
    for name in ("total", "peak"):
        y = _row(canvas, left + 18, y, wide - 18, (translate(NAMES[name]), size(getattr(found, name))), bold=True)
    return y - ROW / 2


def _headline(canvas: Canvas, left: float, y: float, wide: float, text: str) -> float:
    canvas.text(left, y, text, size=13.5, bold=True)
    canvas.path([(left, y + 13), (left + wide, y + 13)], stroke="#d8d2c4")
    return y + 32


def _row(canvas: Canvas, left: float, y: float, wide: float, cells: tuple[str, str], *, bold: bool = False) -> float:
    room = wide - text_width(cells[1], 12.5) - 10
    letters = 12.0
    while text_width(cells[0], letters) > room and letters > 9:
        letters -= 0.25
    canvas.text(left, y, cells[0], size=letters, ink=INK if bold else QUIET, bold=bold)
    canvas.text(left + wide, y, cells[1], size=12.5, align="right", bold=bold)
    return y + ROW


def _page(subject: Subject, drawing: str) -> str:
    """Return a page with the drawing, and where its numbers come from."""
    import jinja2

    template = resources.files(__package__).joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    training, generation = memory_rows(subject, memories(subject))
    tables: list[list[tuple[str, ...]]] = [part_rows(subject)]
    if subject.trains:
        tables.append([(translate("floating-point operations"), "", ""), *operation_rows(subject)])
    tables += [table for table in (training, generation) if table]
    title = f"{subject.name}: {form(subject.anatomy)}"
    facts: dict[str, Any] = {"title": title, "count": count(subject.anatomy.parameters)}
    return environment.from_string(template).render(
        **facts, tables=tables, drawing=drawing[drawing.index("<svg") :], lang=current()
    )
