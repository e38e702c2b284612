"""Boxes, paths and texts at places in pixels, and the Vega-Lite specification that draws them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

__all__ = ["FONT", "INK", "LINE", "QUIET", "Canvas"]

FONT = "system-ui, 'DejaVu Sans', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
INK, QUIET, LINE = "#22201c", "#6d675c", "#5c574d"
ARROW_AREA = 60


@dataclass
class Canvas:
    """What is drawn, in the order of its drawing: areas below paths, paths below boxes, texts above all.

    Pixels count from the left and from the top.
    """

    areas: list[dict[str, Any]] = field(default_factory=list)
    paths: list[dict[str, Any]] = field(default_factory=list)
    arrows: list[dict[str, Any]] = field(default_factory=list)
    boxes: list[dict[str, Any]] = field(default_factory=list)
    bars: list[dict[str, Any]] = field(default_factory=list)
    sums: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)

    def area(self, left: float, top: float, right: float, bottom: float, *, fill: str, stroke: str) -> None:
        """Lay a large area behind everything."""
        self.areas.append(_rectangle(left, top, right, bottom, fill, stroke))

    def box(self, left: float, top: float, right: float, bottom: float, *, fill: str, stroke: str) -> None:
        """Draw a box over the paths."""
        self.boxes.append(_rectangle(left, top, right, bottom, fill, stroke))

    def bar(self, left: float, top: float, right: float, bottom: float, *, fill: str) -> None:
        """Draw a bar without an edge."""
        self.bars.append(_rectangle(left, top, right, bottom, fill, "white"))

    def path(self, points: Sequence[tuple[float, float]], *, stroke: str = LINE, arrow: bool = False) -> None:
        """Draw straight lines from point to point, with an arrow head at the last where told."""
        number = len(self.paths)
        self.paths += [
            {"path": number, "step": step, "x": x, "y": y, "stroke": stroke} for step, (x, y) in enumerate(points)
        ]
        if arrow:
            (from_x, from_y), (x, y) = points[-2:]
            angle = (90 if x > from_x else -90) if abs(x - from_x) > abs(y - from_y) else (180 if y > from_y else 0)
            self.arrows.append({"x": x, "y": y, "angle": angle, "stroke": stroke})

    def sum(self, x: float, y: float) -> None:
        """Draw the sign of two vectors that are added."""
        self.sums.append({"x": x, "y": y, "text": "+"})

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 12,
        bold: bool = False,
        align: str = "left",
        ink: str = INK,
    ) -> None:
        """Write a line whose middle is at the height ``y``."""
        self.texts.append({"x": x, "y": y, "text": text, "size": size, "bold": bold, "align": align, "ink": ink})

    @property
    def words(self) -> str:
        """All that is written."""
        return "".join(text["text"] for text in self.texts)

    def moved(self, down: float) -> None:
        """Move everything down."""
        for things in (self.areas, self.paths, self.arrows, self.boxes, self.bars, self.sums, self.texts):
            for thing in things:
                thing["y"] += down
                if "y2" in thing:
                    thing["y2"] += down

    def specification(self, width: int, height: int) -> dict[str, Any]:
        """Return the Vega-Lite specification of a picture of this size."""
        return {
            "width": width,
            "height": height,
            "background": "white",
            "padding": 0,
            "view": {"stroke": None},
            "config": {"font": FONT, "text": {"font": FONT}, "axis": None},
            "layer": list(self._layers(width, height)),
        }

    def _layers(self, width: int, height: int) -> Iterator[dict[str, Any]]:
        place = {
            axis: {"field": axis, "type": "quantitative", "axis": None, "scale": scale}
            for axis, scale in (
                ("x", {"domain": [0, width], "nice": False}),
                ("y", {"domain": [height, 0], "nice": False}),
            )
        }
        yield from _rectangles(self.areas, place, radius=12, thick=1.2)
        if self.paths:
            yield {
                "data": {"values": self.paths},
                "mark": {"type": "line", "strokeWidth": 1.6, "strokeJoin": "round"},
                "encoding": {**place, "detail": {"field": "path", "type": "nominal"},
                             "order": {"field": "step", "type": "quantitative"}, "stroke": _as_it_is("stroke")},
            }  # fmt: skip
        yield from _rectangles(self.boxes, place, radius=7, thick=1.5)
        yield from _rectangles(self.bars, place, radius=3, thick=1.0)
        if self.arrows:
            yield {
                "data": {"values": self.arrows},
                "mark": {"type": "point", "shape": "triangle", "size": ARROW_AREA, "filled": True, "opacity": 1},
                "encoding": {**place, "angle": {"field": "angle", "type": "quantitative", "scale": None},
                             "color": _as_it_is("stroke")},
            }  # fmt: skip
        if self.sums:
            circle = {"type": "point", "shape": "circle", "size": 330, "filled": True, "fill": "white",
                      "stroke": LINE, "strokeWidth": 1.6, "opacity": 1}  # fmt: skip
            plus = {"type": "point", "shape": "cross", "size": 90, "filled": True, "fill": LINE, "opacity": 1}
            for mark in (circle, plus):
                yield {"data": {"values": self.sums}, "mark": mark, "encoding": place}
        yield from _texts(self.texts, place)


def _rectangle(left: float, top: float, right: float, bottom: float, fill: str, stroke: str) -> dict[str, Any]:
    return {"x": left, "y": top, "x2": right, "y2": bottom, "fill": fill, "stroke": stroke}


def _rectangles(
    things: Sequence[dict[str, Any]], place: dict[str, Any], *, radius: int, thick: float
) -> Iterator[dict[str, Any]]:
    if things:
        yield {
            "data": {"values": list(things)},
            "mark": {"type": "rect", "cornerRadius": radius, "strokeWidth": thick, "opacity": 1},
            "encoding": {**place, "x2": {"field": "x2"}, "y2": {"field": "y2"},
                         "fill": _as_it_is("fill"), "stroke": _as_it_is("stroke")},
        }  # fmt: skip


def _texts(texts: Sequence[dict[str, Any]], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a layer for each look: what a mark says of its letters holds for all of them."""

    def look(text: dict[str, Any]) -> tuple[Any, ...]:
        return text["align"], text["size"], text["bold"], text["ink"]

    for (align, size, bold, ink), group in groupby(sorted(texts, key=look), key=look):
        mark = {"type": "text", "align": align, "baseline": "middle", "fontSize": size, "fill": ink,
                "fontWeight": "bold" if bold else "normal"}  # fmt: skip
        rows = [{key: text[key] for key in ("x", "y", "text")} for text in group]
        yield {
            "data": {"values": rows},
            "mark": mark,
            "encoding": {**place, "text": {"field": "text", "type": "nominal"}},
        }


def _as_it_is(name: str) -> dict[str, Any]:
    return {"field": name, "type": "nominal", "scale": None, "legend": None}
