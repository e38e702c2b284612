"""Where the labels of a map go."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ziggurat.surface.map.labels import CORNER, SIDES, Labels, place_labels, text_width

FRAME = (100.0, 80.0)


def placed(dots: list[tuple[float, float]], *, size: tuple[float, float] = (20, 8), gap: float = 4) -> Labels:
    count = len(dots)
    sizes, gaps = np.tile(np.array(size, float), (count, 1)), np.full(count, float(gap))
    return place_labels(np.array(dots, float), sizes, gaps, frame=FRAME, order=range(count))


def box(dot: tuple[float, float], side: int, *, zoom: float = 1) -> tuple[float, float, float, float]:
    right, down = SIDES[side]
    gap = 4 * (CORNER if right and down else 1)
    x, y = dot[0] * zoom + right * (gap + 10), dot[1] * zoom + down * (gap + 4)
    return x - 10, y - 4, x + 10, y + 4


def test_a_label_stands_to_the_right_where_it_can() -> None:
    assert placed([(50, 40)]).side.tolist() == [0]
    assert placed([(50, 40)]).zoom.tolist() == [1]


def test_at_an_edge_it_stands_inside() -> None:
    # right of (90, 40) it would end at 90 + 4 + 20 > 100, left it begins at 66; right of (1, 1) its top would be at −3
    # below (1, 1) it would begin at −9; the first that fits is the lower right corner, from (3, 3) to (23, 11)
    assert [SIDES[side] for side in placed([(90, 40)]).side] == [(-1, 0)]
    assert [SIDES[side] for side in placed([(1, 1)]).side] == [(1, 1)]


def test_the_second_of_two_gives_way() -> None:
    # the first takes 54 … 74 to its right; the second, 3 below it, can't stand there, but to its left
    assert placed([(50, 40), (50, 43)]).side.tolist() == [0, 1]


def test_what_finds_no_room_waits_for_a_zoom() -> None:
    crowd = [(40.0 + 3 * x, 40.0 + 3 * y) for x in range(4) for y in range(4)]
    labels = placed(crowd)
    assert (labels.zoom == 1).any()
    assert (labels.zoom > 1).any()
    # where the dots are 48 apart, each has room
    assert np.isfinite(labels.zoom).all()
    for zoom in {*labels.zoom.tolist()}:
        kept = zip(crowd, labels.side, labels.zoom, strict=True)
        shown = [box(dot, int(side), zoom=zoom) for dot, side, at in kept if at <= zoom]
        for one, other in itertools.combinations(shown, 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_dots_that_lie_on_each_other_leave_some_without_a_label() -> None:
    labels = placed([(50, 40)] * 11)  # eight sides, and eleven labels
    assert 1 <= np.isinf(labels.zoom).sum() <= 10
    assert (labels.side[np.isinf(labels.zoom)] == -1).all()


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 80)), min_size=1, max_size=40, unique=True))
@settings(deadline=None, max_examples=60)
def test_no_label_covers_another_or_a_dot_or_leaves_the_picture(dots: list[tuple[int, int]]) -> None:
    labels = placed([(float(x), float(y)) for x, y in dots])
    shown = [
        (dot, box(dot, int(side))) for dot, side, zoom in zip(dots, labels.side, labels.zoom, strict=True) if zoom == 1
    ]
    for (_, one), (_, other) in itertools.combinations(shown, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for own, (left, top, right, bottom) in shown:
        assert 0 <= left < right <= 100
        assert 0 <= top < bottom <= 80
        for x, y in dots:
            assert (x, y) == own or not (left < x < right and top < y < bottom)


@pytest.mark.parametrize(("narrow", "wide"), [("till", "wide"), ("mmm", "国王国"), ("abc", "ABC")])
def test_widths_follow_the_letters(narrow: str, wide: str) -> None:
    assert text_width(narrow, 12) < text_width(wide, 12)
    assert text_width(wide, 24) == pytest.approx(2 * text_width(wide, 12))
