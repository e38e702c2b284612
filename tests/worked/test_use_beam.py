"""Beam search on a model whose probabilities stand in a table: what it keeps, when it stops, what it refuses."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.use.beam import BeamConfig, beam_search, length_penalty

END, A, B, C = 0, 1, 2, 3
START = np.zeros(1, dtype=np.int32)


@dataclass
class Table:
    """Next-id probabilities by what was written; `rest` where nothing is said. It counts its steps and their rows."""

    probabilities: dict[tuple[int, ...], tuple[float, ...]]
    rest: tuple[float, ...] = (0.97, 0.01, 0.01, 0.01)
    context: int | None = None
    rows: list[int] = field(default_factory=list)
    vocabulary = Vocabulary(size=4, bos=END, eos=END)

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, Any]:
        state = [tuple(row[1:length].tolist()) for row, length in zip(ids, lengths, strict=True)]
        return self._told(state), state

    def step(self, state: Any, ids: IdArray) -> tuple[FloatArray, Any]:
        state = [(*written, index) for written, index in zip(state, ids.tolist(), strict=True)]
        self.rows.append(len(state))
        return self._told(state), state

    def reorder(self, state: Any, rows: IdArray) -> Any:
        return [state[row] for row in rows.tolist()]

    def _told(self, state: Any) -> FloatArray:
        with np.errstate(divide="ignore"):
            return np.log([self.probabilities.get(written, self.rest) for written in state]).astype(np.float32)


GARDEN = Table(
    {
        (): (0.0, 0.5, 0.4, 0.1),  # A looks best at first,
        (A,): (0.1, 0.4, 0.3, 0.2),  # but leads to nothing likely: A, A and an end have 0.5 · 0.4 · 0.97 = 0.19
        (B,): (0.9, 0.05, 0.03, 0.02),  # B and an end have 0.4 · 0.9 = 0.36
    }
)


def search(model: Table, *prompts: IdArray, **options: Any) -> Any:
    limits, ends = options.pop("limits", None), options.pop("ends", ())
    config = BeamConfig(**({"length_exponent": 0.0} | options))
    return beam_search(model, prompts or [START], config, limits=limits, ends=ends)  # type: ignore[arg-type]


def test_two_beams_find_what_the_likeliest_token_misses() -> None:
    ((greedy,),) = search(GARDEN, beams=1)
    assert greedy.ids == (A, A, END)
    assert greedy.logprob == pytest.approx(np.log(0.5 * 0.4 * 0.97))
    ((wide,),) = search(GARDEN, beams=2)
    assert (wide.ids, wide.reason) == ((B, END), "end")
    assert wide.logprob == wide.score == pytest.approx(np.log(0.36))


def test_the_length_penalty_is_that_of_the_equation() -> None:
    # (5 + 7)^1 / 6^1 = 2; (5 + 1) / 6 = 1 whatever the exponent
    assert length_penalty(7, 1.0) == 2.0
    assert length_penalty(1, 3.0) == 1.0
    assert length_penalty(7, 2.0) == 4.0


def test_a_higher_exponent_favours_the_longer() -> None:
    # "A end" has log 0.4 = −0.92, "B B B B end" has log 0.3 = −1.20; lp of 2 is 7/6, of 5 it is 10/6
    table: dict[tuple[int, ...], tuple[float, ...]] = {
        (): (0.0, 0.4, 0.3, 0.3),
        (A,): (1, 0, 0, 0),
        (B,): (0, 0, 1, 0),
        (B, B): (0, 0, 1, 0),
    }
    table |= {(B, B, B): (0, 0, 1, 0), (B, B, B, B): (1, 0, 0, 0)}
    model = Table(table, rest=(0.01, 0.33, 0.33, 0.33))
    assert search(model, beams=3)[0][0].ids == (A, END)
    (long,) = search(model, beams=3, length_exponent=1.0)[0]
    assert long.ids == (B, B, B, B, END)
    assert long.score == pytest.approx(np.log(0.3) / (10 / 6))


def test_the_search_stops_when_nothing_open_can_win() -> None:
    model = Table({(): (0.9, 0.05, 0.03, 0.02)}, rest=(0.01, 0.33, 0.33, 0.33))
    ((found,),) = search(model, beams=3, max_tokens=50)
    assert (found.ids, model.rows) == ((END,), [])  # log 0.05 can only fall
    # with an exponent the bound is log 0.05 / lp(limit): at 50 that is −3.0 / 9.2, below −0.105 / 1, so it stops too;
    # at an exponent of 2 it is −3.0 / 84: still possible, so the search goes on until the sums have fallen below it
    assert search(Table(model.probabilities, model.rest), beams=3, max_tokens=50, length_exponent=1.0)[0][0].ids == (0,)
    longer = Table(model.probabilities, model.rest)
    search(longer, beams=3, max_tokens=50, length_exponent=2.0)
    assert len(longer.rows) > 3


def test_several_are_given_in_order_with_why_they_ended() -> None:
    (found,) = search(GARDEN, beams=4, best=4, max_tokens=2)
    assert [one.ids for one in found[:1]] == [(B, END)]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert {one.reason for one in found} == {"end", "length"}
    assert all((one.ids[-1] == END) == (one.reason == "end") for one in found)


def test_prompts_that_are_done_leave_the_batch() -> None:
    model = Table({(): (0.97, 0.01, 0.01, 0.01), (C,): (0, 1, 0, 0), (C, A): (0, 0, 1, 0), (C, A, B): (1, 0, 0, 0)})
    first, second = search(model, START, np.array([END, C], dtype=np.int32), beams=1)
    assert (first[0].ids, second[0].ids) == ((END,), (A, B, END))
    assert model.rows == [1, 1]


def test_other_ids_may_end_too() -> None:
    assert search(GARDEN, beams=1, ends={A})[0][0].ids == (A,)


def test_limits_and_the_context_end_a_continuation() -> None:
    endless = Table({}, rest=(0.0, 1.0, 0.0, 0.0), context=5)
    assert search(endless, beams=1)[0][0].ids == (A,) * 5  # the fifth need not be read
    long, short = search(endless, START, np.array([0, 1, 2], dtype=np.int32), beams=1)
    assert (len(long[0].ids), len(short[0].ids)) == (5, 3)
    assert [len(one[0].ids) for one in search(endless, START, START, beams=1, limits=[2, 0])] == [2, 1]
    assert search(endless, beams=1, max_tokens=4)[0][0].reason == "length"


def test_what_is_impossible_is_not_followed() -> None:
    (found,) = search(Table({(): (0.0, 1.0, 0.0, 0.0)}, rest=(1.0, 0.0, 0.0, 0.0)), beams=4, best=4)
    assert [one.ids for one in found] == [(A, END)]


def test_nothing_to_search_is_nothing() -> None:
    assert beam_search(GARDEN, [], BeamConfig()) == []  # type: ignore[arg-type]


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="best: 3 of 2 beams"):
        BeamConfig(beams=2, best=3)
    with pytest.raises(UsageError, match="prompt 2 has no ids"):
        search(GARDEN, START, np.zeros(0, dtype=np.int32))
    with pytest.raises(UsageError, match=r"prompt 1: 3 tokens are more .* \(its context is 2\): shorten it"):
        search(Table({}, context=2), np.zeros(3, dtype=np.int32))


def test_what_has_ended_early_does_not_end_the_search_for_what_is_better() -> None:
    # A is nearly sure for four steps, and then the end: (0.97)^5 = 0.86. At each step the end, with 0.01, is among the
    # three best, so that three have ended, with 0.01 and less, before the likeliest text has come to its end.
    sure = {tuple([A] * length): (0.01, 0.97, 0.01, 0.01) for length in range(4)}
    model = Table({**sure, (A, A, A, A): (0.97, 0.01, 0.01, 0.01)})
    for beams in (1, 2, 3, 5):
        ((found,),) = search(model, beams=beams, max_tokens=20)
        assert found.ids == (A, A, A, A, END), beams
        assert found.logprob == pytest.approx(5 * np.log(0.97))


def test_where_enough_have_ended_better_the_search_stops() -> None:
    # after A and the end, with 0.5 · 0.97, and B and the end, with 0.4 · 0.9, nothing open comes near: two steps
    model = Table({**GARDEN.probabilities, (A,): (0.97, 0.01, 0.01, 0.01)})
    found = search(model, beams=2, best=2, max_tokens=50)[0]
    assert [one.ids for one in found] == [(A, END), (B, END)]
    assert len(model.rows) <= 2
