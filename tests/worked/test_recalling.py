"""What a text repeats, counted by hand and by a slow reading of the formula."""

import math

import numpy as np
import pytest

from ziggurat.core.types import FloatArray, IdArray
from ziggurat.models.recalling import Recall

SIZE, BOS = 7, 0
EVERYWHERE = np.log(np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], np.float32))


def read(ids: list[list[int]], before: list[list[int]] | None = None, *, reach: int = 100) -> FloatArray:
    asked = np.array(ids, np.int32)
    past = np.full((len(ids), 0), -1, np.int32) if before is None else np.array(before, np.int32)
    found = np.empty((*asked.shape, 2, SIZE), np.float32)
    Recall(EVERYWHERE, bos=BOS, reach=reach).fill(past, asked, found)
    return found


def slow(text: list[int], place: int, reach: int) -> tuple[list[float], list[float]]:
    """The formula, word by word."""
    begin = max((i + 1 for i in range(place + 1) if text[i] in (BOS, -1)), default=0)
    lift = [0.0] * SIZE
    for v in range(SIZE):
        count = sum(text[i] == v for i in range(max(begin, place - reach + 1), place + 1))
        lift[v] = math.log1p(count / (100 * math.exp(EVERYWHERE[v])))
    sums = [0.0] * SIZE
    for i in range(max(begin, place - reach), place):
        if place >= begin and text[i] == text[place]:
            m = 1
            while m < 5 and i - m >= max(begin, place - reach) and text[i - m] == text[place - m]:
                m += 1
            sums[text[i + 1]] += 4.0 ** (m - 1)
    return lift, [math.log1p(total) for total in sums]


def test_what_came_is_lifted_and_what_followed_echoes() -> None:
    found = read([[0, 3, 4, 5, 3, 4]])[0]
    # 3 came twice where 100·0.1 = 10 are expected in 100 tokens: log(1 + 2/10)
    np.testing.assert_allclose(found[5, 0], np.log1p([0, 0, 0, 0.2, 0.2, 0.1, 0]), rtol=1e-5)
    # after the second 3: once it was followed by 4, with nothing alike before it (bos is no id of the document)
    np.testing.assert_allclose(found[4, 1], np.log1p([0, 0, 0, 0, 1, 0, 0]), rtol=1e-5)
    # after the second 4: it was followed by 5, and the 3 before it is alike: 4
    np.testing.assert_allclose(found[5, 1], np.log1p([0, 0, 0, 0, 0, 4, 0]), rtol=1e-5)


def test_a_document_that_begins_forgets_the_one_before() -> None:
    found = read([[3, 4, 3, 0, 3]])[0]
    assert found[2, 1].any()
    assert not found[3].any()
    np.testing.assert_allclose(found[4, 0], np.log1p([0, 0, 0, 0.1, 0, 0, 0]), rtol=1e-5)
    assert not found[4, 1].any()


@pytest.mark.parametrize("reach", [1, 2, 5, 11, 100])
@pytest.mark.parametrize("past", [0, 3, 13])
def test_it_is_the_formula(reach: int, past: int) -> None:
    dice = np.random.default_rng(reach + 31 * past)
    for _ in range(11):
        text = dice.choice(SIZE, 29, p=[0.04, *[0.16] * 6]).tolist()
        text[: dice.integers(0, past + 1)] = [-1] * len(text[: dice.integers(0, past + 1)])
        text = [*text[:past], *(abs(word) for word in text[past:])]
        found = read([text[past:]], [text[:past]], reach=reach)[0]
        for place in range(past, len(text)):
            lift, echo = slow(text, place, reach)
            np.testing.assert_allclose(found[place - past, 0], lift, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(found[place - past, 1], echo, rtol=1e-4, atol=1e-6)


def test_rows_know_nothing_of_each_other() -> None:
    rows: list[list[int]] = np.random.default_rng(5).integers(0, SIZE, (3, 17)).tolist()
    together = read(rows)
    for number, row in enumerate(rows):
        np.testing.assert_array_equal(together[number], read([row])[0])


def test_what_is_far_more_than_expected_stays_a_number() -> None:
    never = np.full(SIZE, -200.0, np.float32)
    found = np.empty((1, 3, 2, SIZE), np.float32)
    ids: IdArray = np.array([[1, 1, 1]], np.int32)
    Recall(never, bos=BOS, reach=5).fill(np.empty((1, 0), np.int32), ids, found)
    assert np.isfinite(found).all()
