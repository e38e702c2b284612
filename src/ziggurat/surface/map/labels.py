"""Where the labels of a map go, so that none covers another or a dot.

*Idea.* Labels are placed greedily, the most important first, each on the first of eight sides of its dot where it
covers nothing. Those that find no room are tried again as if one had zoomed in, so that a picture that can be zoomed
shows more and more of them; one that can't leaves their dots unnamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["CORNER", "SIDES", "Labels", "place_labels", "text_width"]

Floats: TypeAlias = npt.NDArray[np.float64]
Boxes: TypeAlias = Floats
"""(…, 4): left, top, right, bottom in pixels."""

SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
"""Right, left, above, below, and the corners: steps to the right and down."""
CORNER = 0.5
"""Part of the distance from its dot that a label keeps on both axes where it stands at a corner."""
DOT = 2.5
MARGIN = 1.5
ZOOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
NARROW, WIDE = "iljtfrI.,:;'’|!()[]-1", "mwMW@%—"


@dataclass(frozen=True)
class Labels:
    """How each word is labelled."""

    side: npt.NDArray[np.int64]
    """(N,) which of `SIDES`; −1 where there is no room at any zoom."""
    zoom: Floats
    """(N,) from which zoom on there is room; 1 where it is in the whole picture, ∞ where there is none."""


def place_labels(
    dots: Floats, sizes: Floats, gaps: Floats, *, frame: tuple[float, float], order: Sequence[int]
) -> Labels:
    """Place the labels of ``dots`` (N, 2), pixels to the right and down, in a picture of ``frame`` width and height.

    ``sizes`` (N, 2) are the labels' widths and heights, ``gaps`` (N,) how far they keep from the middle of their dots;
    ``order`` says whose turn it is when.

    *Cost.* N² comparisons a zoom: a second for some thousands.
    """
    count = len(dots)
    side, zoom = np.full(count, -1), np.full(count, np.inf)
    offsets = _offsets(sizes, gaps)
    inside = np.array([0, 0, *frame], np.float64)
    for factor in ZOOMS:
        places = dots * factor
        named = np.flatnonzero(side >= 0)
        taken = list(places[named].repeat(2, axis=0).reshape(-1, 4) + offsets[named, side[named]])
        for one in order:
            if side[one] >= 0:
                continue
            boxes = np.tile(places[one], 2) + offsets[one]
            free = ~_covers_dot(boxes, places, one)
            if factor == 1:
                free &= (boxes[:, :2] >= inside[:2]).all(axis=1) & (boxes[:, 2:] <= inside[2:]).all(axis=1)
            if taken:
                free &= ~_overlap(boxes[:, None], np.array(taken)[None]).any(axis=1)
            if free.any():
                side[one], zoom[one] = int(free.argmax()), factor
                taken.append(boxes[side[one]])
    return Labels(side, zoom)


def text_width(text: str, size: float) -> float:
    """Return about how many pixels a text takes at a font size, rather more than less.

    >>> text_width("wide", 10) > text_width("till", 10), round(text_width("国王", 10))
    (True, 21)
    """
    return size * 1.03 * sum(map(_width, text))


def _width(character: str) -> float:
    if ord(character) > 0x2E80:
        return 1.0
    if character in NARROW:
        return 0.4
    return 0.95 if character in WIDE else 0.75 if character.isupper() else 0.62


def _offsets(sizes: Floats, gaps: Floats) -> Floats:
    """Return (N, 8, 4): each label's box on each side, seen from its dot."""
    steps = np.array(SIDES, np.float64)
    corner = np.where((steps != 0).all(axis=1), CORNER, 1.0)
    half = sizes[:, None] / 2
    centres = steps * (gaps[:, None, None] * corner[:, None] + half)
    return np.concatenate([centres - half, centres + half], axis=2)


def _covers_dot(boxes: Boxes, places: Floats, own: int) -> npt.NDArray[np.bool_]:
    x, y = places[:, 0], places[:, 1]
    found = (x > boxes[:, :1] - DOT) & (x < boxes[:, 2:3] + DOT) & (y > boxes[:, 1:2] - DOT) & (y < boxes[:, 3:] + DOT)
    found[:, own] = False
    return np.asarray(found.any(axis=1))


def _overlap(boxes: Boxes, others: Boxes) -> npt.NDArray[np.bool_]:
    apart = (boxes[..., 0] > others[..., 2] + MARGIN) | (others[..., 0] > boxes[..., 2] + MARGIN)
    apart |= (boxes[..., 1] > others[..., 3] + MARGIN) | (others[..., 1] > boxes[..., 3] + MARGIN)
    return np.asarray(~apart)
