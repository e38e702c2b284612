"""A model's towers as boxes on a canvas: ids at the bottom, logits at the top, residual paths at the side.

*Idea.* The picture is that of Vaswani et al. 2017 (figure 1), turned into one that any configuration draws: where the
norm stands inside the path around a branch, it is pre-norm; where it stands behind the sum, post-norm.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ziggurat.core.anatomy import Load, Part
from ziggurat.surface.anatomy.canvas import INK, QUIET, Canvas
from ziggurat.surface.anatomy.figures import count, share
from ziggurat.surface.anatomy.words import called, held
from ziggurat.surface.language import translate
from ziggurat.surface.map.labels import text_width

__all__ = ["COLOURS", "Frame", "Tower", "draw_towers"]

COLOURS = {
    "embedding": ("#fbe9dc", "#c8553d"),
    "positions": ("#fdf3dc", "#b07d12"),
    "tables": ("#fbe9dc", "#c8553d"),
    "norm": ("#f1efe9", "#8d877a"),
    "attention": ("#dcefe6", "#0b6e4f"),
    "cross": ("#dfe8f3", "#3d5a80"),
    "feedforward": ("#fcefd2", "#b07d12"),
    "cells": ("#dcefe6", "#0b6e4f"),
    "pooler": ("#eceaf6", "#5a5ac2"),
    "output": ("#f0e2ea", "#7b506f"),
}
"""Fill and edge of each kind of part."""
NAME_SIZE, FORMULA_SIZE = 13.5, 11
GAP, SUM_GAP = 18, 22
RESIDUAL = "#9a5b2e"
CROSS = "#3d5a80"


class Frame(NamedTuple):
    """Where a tower stands: the left edge of its blocks' frame, the width of its boxes, and what is beside it."""

    left: float
    box: float
    notes: float
    """Left edge of the numbers beside it."""
    bar: float
    """Longest bar of a share."""

    @property
    def inner(self) -> float:
        """Left edge of the boxes."""
        return self.left + 20

    @property
    def middle(self) -> float:
        """Where the tower's line goes up."""
        return self.inner + self.box / 2

    @property
    def path(self) -> float:
        """Where residual paths go up."""
        return self.inner + self.box + 22

    @property
    def right(self) -> float:
        """Right edge of the blocks' frame."""
        return self.path + 18


@dataclass
class Tower:
    """One tower while it is drawn, from the bottom at height 0 upwards, to negative heights."""

    canvas: Canvas
    frame: Frame
    load: Load
    whole: int
    """Operations of all towers."""
    longest: float
    """The largest share of them that a part has."""
    y: float = 0.0
    """How far it is drawn."""
    top: float = 0.0
    """Where the uppermost box ends."""
    crossings: list[tuple[float, float]] | None = None
    """Where cross-attention waits for what the encoder gives: the left edges of its boxes."""

    def draw(self, tower: Part) -> None:
        """Draw all parts, and what goes in and comes out."""
        canvas, middle = self.canvas, self.frame.middle
        ids = translate("source ids") if tower.parts[0].reads == "source" else translate("ids")
        shape = "m" if tower.parts[0].reads == "source" else "n"
        canvas.text(middle, self.y, f"{ids} · {shape}", align="center", ink=QUIET)
        self.y -= 10
        for part in tower.parts:
            self._part(part)
        self.top = self.y
        top = tower.parts[-1]
        if top.kind != "memory":
            canvas.path([(middle, self.y), (middle, self.y - GAP)], arrow=True)
            self.y -= GAP + 14
            canvas.text(middle, self.y, top.gives, align="center", ink=QUIET)
        self.y -= 30
        canvas.text(self.frame.left, self.y, called(tower), size=16, bold=True)
        notes = self.frame.notes
        canvas.text(notes + 62, self.y, translate("parameters"), size=11, align="right", ink=QUIET)
        canvas.text(notes + 78, self.y, translate("share of operations"), size=11, ink=QUIET)
        self.y -= 16

    def _part(self, part: Part) -> None:
        if part.kind == "block":
            self._block(part)
        elif part.kind in ("positions", "tables", "pooler"):
            self._beside(part)
        elif part.kind != "memory":
            self._rise(GAP)
            self._box(part)

    def _rise(self, far: float) -> None:
        """Go up along the tower's line."""
        middle = self.frame.middle
        self.canvas.path([(middle, self.y), (middle, self.y - far)])
        self.y -= far

    def _box(self, part: Part, *, times: int = 1) -> None:
        """Draw one box with its name, its formula and, beside it, its figures."""
        frame, canvas = self.frame, self.canvas
        times = max(times, part.times)
        lines = _wrapped(part.formula, frame.box - 16)
        lines += [translate("q and k turned by rotary positions") for p in part.parts if p.kind == "rotary"]
        size = NAME_SIZE
        name = called(part)
        while text_width(name, size) > frame.box - 16 and size > 9:
            size -= 0.5
        slim = part.kind == "norm"
        height = 28 if slim else 26 + 15 * len(lines) + (6 if lines else 2)
        fill, stroke = COLOURS.get(part.kind, COLOURS["norm"])
        top = self.y - height
        canvas.box(frame.inner, top, frame.inner + frame.box, self.y, fill=fill, stroke=stroke)
        if slim:
            canvas.text(frame.middle, top + 14, name, size=12.5, align="center")
        else:
            canvas.text(frame.middle, top + 15, name, size=size, bold=True, align="center")
            for number, line in enumerate(lines):
                canvas.text(frame.middle, top + 33 + 15 * number, line, size=FORMULA_SIZE, align="center", ink=QUIET)
        if part.kind == "cells":
            self._loop(top, self.y)
        if part.kind == "cross" and self.crossings is not None:
            self.crossings.append((frame.inner, (top + self.y) / 2))
        if part.times > 1:
            canvas.text(frame.inner - 6, (top + self.y) / 2, f"{part.times} ×", size=14, bold=True, align="right")
        self._figures(part, (top + self.y) / 2, times=1 if part.times > 1 else times)
        self.y = top

    def _figures(self, part: Part, y: float, *, times: int) -> None:
        """Write a part's parameters, and draw its share of the operations as a bar."""
        notes, canvas = self.frame.notes, self.canvas
        canvas.text(notes + 62, y, held(part), size=12.5, align="right")
        flops = times * part.reading_flops(self.load)
        if flops:
            wide = max(2.0, self.frame.bar * flops / self.whole / self.longest)
            _, stroke = COLOURS.get(part.kind, COLOURS["norm"])
            canvas.bar(notes + 78, y - 6, notes + 78 + wide, y + 6, fill=stroke)
            canvas.text(notes + 84 + wide, y, share(flops, self.whole), size=11, ink=QUIET)

    def _loop(self, top: float, bottom: float) -> None:
        """Draw what a cell hands on to itself from one token to the next."""
        edge, far, middle = self.frame.inner + self.frame.box, self.frame.path + 6, (top + bottom) / 2
        points = [(edge, middle - 10), (far, middle - 10), (far, middle + 10), (edge + 5, middle + 10)]
        self.canvas.path(points, stroke=RESIDUAL, arrow=True)
        self.canvas.text(far + 5, middle, "h, c", size=11, ink=RESIDUAL)

    def _beside(self, part: Part) -> None:
        """Draw what stands beside the tower: vectors that are added to it, or what is made of its vectors."""
        frame, canvas = self.frame, self.canvas
        self._rise(SUM_GAP)
        y, name = self.y, called(part)
        fill, stroke = COLOURS[part.kind]
        left = frame.middle + 34
        right = max(frame.right, left + text_width(name, 11.5) + 14)
        canvas.box(left, y - 13, right, y + 13, fill=fill, stroke=stroke)
        canvas.text((left + right) / 2, y, name, size=11.5, align="center")
        if part.kind != "pooler":
            canvas.path([(left, y), (frame.middle + 12, y)], stroke=stroke, arrow=True)
            canvas.sum(frame.middle, y)
        else:
            canvas.path([(frame.middle, y), (left - 5, y)], stroke=stroke, arrow=True)
        self._figures(part, y, times=1)
        self._rise(8)

    def _block(self, block: Part) -> None:
        """Draw the frame of blocks that are alike, with the halves of one inside."""
        frame, canvas = self.frame, self.canvas
        self._rise(GAP)
        bottom = self.y
        for half in block.parts:
            self._half(half, times=block.times)
        post = block.parts[-1].parts[-1].kind == "norm"
        self._rise(40 if post else 16)  # room for the number of blocks above a box
        canvas.area(frame.left, self.y, frame.right, bottom, fill="#fbfaf6", stroke="#cfc8b8")
        canvas.text(frame.left + 16, self.y + 22, f"{block.times} ×", size=18, bold=True, ink=INK)
        said = translate("{times} blocks: {count}").format(times=block.times, count=count(block.total))
        canvas.text(frame.notes, self.y + 14, said, size=11, ink=QUIET)

    def _half(self, half: Part, *, times: int) -> None:
        """Draw a branch and the path around it."""
        frame, canvas = self.frame, self.canvas
        pre = half.parts[0].kind == "norm"
        self._rise(14)
        start = self.y
        for part in half.parts if pre else half.parts[:-1]:
            self._rise(14)
            self._box(part, times=times)
        self._rise(SUM_GAP)
        around = [(frame.middle, start), (frame.path, start), (frame.path, self.y), (frame.middle + 12, self.y)]
        canvas.path(around, stroke=RESIDUAL, arrow=True)
        canvas.sum(frame.middle, self.y)
        if not pre:
            self._rise(18)
            self._box(half.parts[-1], times=times)


def draw_towers(canvas: Canvas, towers: tuple[Part, ...], frames: tuple[Frame, ...], load: Load) -> float:
    """Draw the towers side by side, their bottoms at height 0; return the height of the tallest."""
    whole = max(1, sum(tower.reading_flops(load) for tower in towers))
    longest = max(1e-9, max(_shares(towers, load)) / whole)
    drawn = []
    for tower, frame in zip(towers, frames, strict=True):
        one = Tower(canvas, frame, load, whole, longest, crossings=[])
        one.draw(tower)
        drawn.append(one)
    if len(drawn) > 1:
        _joined(canvas, drawn[0], drawn[1])
    return -min(one.y for one in drawn)


def _joined(canvas: Canvas, encoder: Tower, decoder: Tower) -> None:
    """Draw the way of the encoder's vectors into each cross-attention of the decoder."""
    top, level = encoder.top, encoder.y - 6
    middle, lane = encoder.frame.middle, decoder.frame.left - 26
    for left, y in decoder.crossings or ():
        points = [(middle, top), (middle, level), (lane, level), (lane, y), (left - 5, y)]
        canvas.path(points, stroke=CROSS, arrow=True)
    canvas.text(lane - 8, level - 13, translate("memory") + " · m × d_model", size=11.5, align="right", ink=CROSS)


def _shares(towers: tuple[Part, ...], load: Load) -> list[int]:
    """Return the operations of every box: those of all that are alike together."""
    found = [0]
    for tower in towers:
        for part in tower.parts:
            inner = [branch for half in part.parts for branch in half.parts] if part.kind == "block" else [part]
            found += [(part.times if part.kind == "block" else 1) * one.reading_flops(load) for one in inner]
    return found


def _wrapped(formula: str, width: float) -> list[str]:
    """Return a formula in lines that fit, cut before a plus that stands in no bracket."""
    lines: list[str] = []
    for piece in re.split(r" \+ (?![^(]*\))", formula) if formula else []:
        joined = f"{lines[-1]} + {piece}" if lines else piece
        if lines and text_width(joined, FORMULA_SIZE) > width:
            lines.append(f"+ {piece}")
        elif lines:
            lines[-1] = joined
        else:
            lines.append(piece)
    return lines
