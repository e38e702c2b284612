"""A map of words as a Vega-Lite specification, and the files that are made of it: PNG, SVG, and a page that zooms."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import MissingExtraError, UnknownNameError
from ziggurat.core.files import atomic_file
from ziggurat.surface.map.labels import CORNER, SIDES, Labels, place_labels, text_width

__all__ = ["ASPECT", "ENDINGS", "WordMap", "converter", "draws", "specification", "write_map"]

ENDINGS = (".html", ".png", ".svg")
WIDTH, HEIGHT, EDGE = 1000, 720, 14
SIZE, SEED_SIZE, FEW_SIZE = 12, 16, 15
FEW = 40
"""Up to so many words, labels are larger."""
ASPECT = (WIDTH - 2 * EDGE) / (HEIGHT - 2 * EDGE)
"""Width for a height of 1 of what is drawn in."""
GAP, SEED_GAP = 5.0, 9.0
LINE = 1.15
DOT_AREA, SEED_AREA = 22, 90
NEVER = 1e9
FONT = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
PALETTE = (
    "#0b6e4f", "#c8553d", "#3d5a80", "#b07d12", "#7b506f", "#4f6d1f", "#1b7f9c", "#a23e6d",
    "#6b4f2a", "#5a5ac2", "#8a3324", "#2f7d5b", "#9a6fb0", "#566573",
)  # fmt: skip
SHARPNESS = 2.0


@dataclass(frozen=True)
class WordMap:
    """What a map shows."""

    title: str
    notes: Sequence[str]
    """What distances mean and what was lost, a sentence a line."""
    words: Sequence[str]
    places: npt.NDArray[np.float64]
    """(N, 2) in any unit."""
    groups: Sequence[str]
    """The group of each word; all empty where there are none."""
    seeds: frozenset[str]
    """Words that were asked for: drawn larger, and labelled first."""
    near: Sequence[str]
    """What is said of each word when one points at it."""

    @cached_property
    def dots(self) -> npt.NDArray[np.float64]:
        """(N, 2) pixels to the right and down; both directions keep one scale."""
        low, high = self.places.min(axis=0), self.places.max(axis=0)
        frame = np.array([WIDTH, HEIGHT])
        extent = np.maximum(high - low, 1e-9)
        scale = float(((frame - 2 * EDGE) / extent).min())
        return np.asarray((self.places - (low + high) / 2) * (scale, -scale) + frame / 2)

    @property
    def size(self) -> int:
        """Height in pixels of the letters of words that were not asked for."""
        return FEW_SIZE if len(self.words) <= FEW else SIZE

    @cached_property
    def labels(self) -> Labels:
        """Where the labels go: those of seeds first, then in the order of the words."""
        seeds = [word in self.seeds for word in self.words]
        fonts = np.where(seeds, SEED_SIZE, self.size)
        widths = [text_width(word, size) for word, size in zip(self.words, fonts, strict=True)]
        sizes = np.stack([np.array(widths), LINE * fonts], axis=1)
        order = sorted(range(len(self.words)), key=lambda one: not seeds[one])
        return place_labels(self.dots, sizes, np.where(seeds, SEED_GAP, GAP), frame=(WIDTH, HEIGHT), order=order)

    @property
    def unnamed(self) -> int:
        """How many words have a dot without a label in the whole picture."""
        return int((self.labels.zoom > 1).sum())


def write_map(drawn: WordMap, path: Path, *, texts: Mapping[str, str], lang: str) -> None:
    """Write a map as ``path``'s ending says; ``texts`` are the words of the page around it.

    Raises:
        UnknownNameError: another ending than .png, .svg and .html.
        MissingExtraError: the extra ``report`` is not installed.
        DiskFullError: the disk is full.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UnknownNameError("file ending", path.suffix or path.name, ENDINGS, where=str(path))
    renderer = converter()
    if ending == ".png":
        content = renderer.vegalite_to_png(specification(drawn), scale=SHARPNESS)
    elif ending == ".svg":
        content = renderer.vegalite_to_svg(specification(drawn)).encode()
    else:
        content = _page(drawn, renderer, texts, lang).encode()
    with atomic_file(path) as partial:
        partial.write_bytes(content)


def draws(text: str, *, fonts: Path | None = None) -> bool:
    """Return whether pictures can be drawn with the ideographs of ``text``, after those in the folder ``fonts`` joined.

    *Idea.* A renderer without a glyph draws the same box for every character, so two that look the same are missing.
    """
    renderer = converter()
    if fonts is not None:
        renderer.register_font_directory(str(fonts if fonts.is_dir() else fonts.parent))
    wide = sorted({character for character in text if ord(character) > 0x2E80})[:2]
    if not wide:
        return True
    others = [character for character in "文字" if character not in wide]
    pictures = {renderer.vegalite_to_png(_one(character)) for character in [*wide, *others][:2]}
    return len(pictures) == 2


def specification(drawn: WordMap, *, interactive: bool = False) -> dict[str, Any]:
    """Return the Vega-Lite specification of a map, with what lets one zoom, search and pick where ``interactive``."""
    names = list(dict.fromkeys(group for group in drawn.groups if group))
    colours = [PALETTE[number % len(PALETTE)] for number in range(max(1, len(names)))]
    colour: dict[str, Any] = {"value": PALETTE[0]}
    if names:
        columns = max(1, int(WIDTH // (35 + max(text_width(name, SIZE) for name in names))))
        legend = {
            "title": None,
            "orient": "top",
            "columns": columns,
            "labelLimit": 300,
            "symbolSize": 80,
            "symbolOpacity": 1,
        }
        scale = {"domain": names, "range": colours}
        colour = {"field": "group", "type": "nominal", "scale": scale, "legend": legend}
    place = {
        axis: {"field": axis, "type": "quantitative", "axis": None, "scale": {"domain": [0, extent], "nice": False}}
        for axis, extent in (("x", WIDTH), ("y", HEIGHT))
    }
    shared = {**place, "color": colour}
    spec: dict[str, Any] = {
        "width": WIDTH,
        "height": HEIGHT,
        "background": "white",
        "padding": 16,
        "data": {"values": _rows(drawn)},
        "layer": [_dots(shared, interactive=interactive), *_texts(drawn, shared, interactive=interactive)],
        "config": {
            "font": FONT,
            "view": {"stroke": "#e2ddd2"},
            "legend": {"labelFontSize": 12},
            "text": {"font": FONT},
        },
    }
    if interactive:
        spec["params"] = [{"name": "wanted", "value": "", "bind": {"element": "#wanted", "event": "input"}}]
        return spec
    spec["title"] = {
        "text": drawn.title,
        "subtitle": list(drawn.notes),
        "anchor": "start",
        "fontSize": 20,
        "subtitleFontSize": 12.5,
        "subtitleColor": "#6d675c",
        "subtitlePadding": 6,
        "offset": 12,
    }
    return spec


def _rows(drawn: WordMap) -> list[dict[str, Any]]:
    rows = zip(drawn.words, drawn.groups, drawn.near, drawn.dots, drawn.labels.side, drawn.labels.zoom, strict=True)
    return [
        {
            "word": word,
            "group": group,
            "near": near,
            "x": round(float(x), 2),
            "y": round(HEIGHT - float(y), 2),
            "seed": word in drawn.seeds,
            "side": int(side),
            "zoom": min(NEVER, float(zoom)),
        }
        for word, group, near, (x, y), side, zoom in rows
    ]


def _dots(shared: Mapping[str, Any], *, interactive: bool) -> dict[str, Any]:
    sizes = {"condition": {"test": "datum.seed", "value": SEED_AREA}, "value": DOT_AREA}
    layer: dict[str, Any] = {
        "mark": {"type": "circle"},
        "encoding": {**shared, "size": sizes, "opacity": {"value": 0.85}},
    }
    if interactive:
        layer["mark"]["cursor"] = "pointer"
        layer["params"] = [
            {"name": "frame", "select": {"type": "interval", "encodings": ["x", "y"]}, "bind": "scales"},
            {"name": "picked", "select": {"type": "point", "fields": ["group"]}, "bind": "legend"},
        ]
        layer["encoding"]["opacity"] = {"condition": {"test": _chosen(), "value": 0.85}, "value": 0.08}
        layer["encoding"]["tooltip"] = [
            {"field": "word", "type": "nominal", "title": " "},
            {"field": "near", "type": "nominal", "title": "≈"},
        ]
    return layer


def _texts(drawn: WordMap, shared: Mapping[str, Any], *, interactive: bool) -> list[dict[str, Any]]:
    """Return a layer of labels for each side that has any, those of seeds apart: what a side sets holds for a layer."""
    layers = []
    sides = drawn.labels.side
    seeds = np.array([word in drawn.seeds for word in drawn.words], bool)
    for side, (right, down) in enumerate(SIDES):
        for seed in (False, True):
            if not ((sides == side) & (seeds == seed)).any():
                continue
            size = SEED_SIZE if seed else drawn.size
            gap = (SEED_GAP if seed else GAP) * (CORNER if right and down else 1)
            mark = {
                "type": "text",
                "align": ("center", "left", "right")[right],
                "baseline": "middle",
                "dx": right * gap,
                "dy": down * (gap + LINE * size / 2),
                "fontSize": size,
                "fontWeight": "bold" if seed else "normal",
            }
            encoding = {**shared, "text": {"field": "word", "type": "nominal"}}
            wanted = f"datum.side === {side} && datum.seed === {str(seed).lower()}"
            if interactive:
                room = f"(frame.x ? {WIDTH} / abs(frame.x[1] - frame.x[0]) : 1) >= datum.zoom"
                sought = "wanted && indexof(lower(datum.word), lower(wanted)) >= 0"
                test = {"or": [{"and": [_chosen(), room]}, sought]}
                encoding["opacity"] = {"condition": {"test": test, "value": 1}, "value": 0}
            else:
                wanted += " && datum.zoom <= 1"
            layers.append({"transform": [{"filter": wanted}], "mark": mark, "encoding": encoding})
    return layers


def _chosen() -> dict[str, Any]:
    """Return the test of whether a word is of a group that was picked and holds the letters that were searched."""
    return {"and": [{"param": "picked"}, "!wanted || indexof(lower(datum.word), lower(wanted)) >= 0"]}


def _page(drawn: WordMap, renderer: Any, texts: Mapping[str, str], lang: str) -> str:
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("a page with a map", "report") from error
    template = resources.files(__package__).joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    # "<" can neither close the script element nor open a comment in it when it is escaped, which JSON allows
    spec = json.dumps(specification(drawn, interactive=True), ensure_ascii=False).replace("<", "\\u003c")
    bundle = renderer.javascript_bundle("window.embed = vegaEmbed;")
    return environment.from_string(template).render(
        map=drawn, rows=list(zip(drawn.words, drawn.near, strict=True)), w=texts, lang=lang, spec=spec, bundle=bundle
    )


def _one(character: str) -> dict[str, Any]:
    mark = {"type": "text", "text": character, "fontSize": 24, "font": FONT}
    return {"data": {"values": [{}]}, "mark": mark, "width": 40, "height": 40}


def converter() -> Any:
    """Return the library that renders Vega-Lite.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise MissingExtraError("drawing a picture", "report") from error
    return vl_convert
