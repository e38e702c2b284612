"""Which examples are held out: a part of the different texts, by their hashes, and none that is learnt from too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import TooLittleTextError
from ziggurat.text.options import TextConfig
from ziggurat.text.splits import DEV, TEST, TRAIN, UNDECIDED, hold_out

UNDECIDEDS = st.lists(st.integers(0, 60), max_size=80)
SPLITS = st.sampled_from([TRAIN, DEV, TEST, UNDECIDED])


def arrays(split: list[int], hashes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(split, np.uint8), np.array(hashes, np.uint64)


def test_the_first_by_hash_measure_and_the_next_tune() -> None:
    split, hashes = arrays([UNDECIDED] * 20, [97 * number % 101 for number in range(20)])
    assert hold_out(split, hashes, TextConfig(dev=0.15, test=0.1), set()).all()
    # of 20 texts 2 and 3: those of the smallest hashes
    order = np.argsort(hashes)
    assert split[order].tolist() == [TEST] * 2 + [DEV] * 3 + [TRAIN] * 15


@pytest.mark.parametrize("given_splits", [{"dev"}, {"test"}, {"dev", "test"}])
def test_a_split_that_has_a_file_gets_no_more(given_splits: set[str]) -> None:
    split, hashes = arrays([UNDECIDED] * 30, list(range(30)))
    hold_out(split, hashes, TextConfig(), given_splits)
    held = {"dev": int((split == DEV).sum()), "test": int((split == TEST).sum())}
    assert held == {name: 0 if name in given_splits else 3 for name in ("dev", "test")}


def test_of_fewer_than_ten_texts_none_is_held_out() -> None:
    split, hashes = arrays([UNDECIDED] * 18, list(range(9)) * 2)
    assert hold_out(split, hashes, TextConfig(dev=0.5, test=0.3), set()).all()
    assert (split == TRAIN).all()


@given(rows=st.lists(st.tuples(SPLITS, st.integers(0, 40)), max_size=90))
def test_equal_texts_are_never_on_both_sides(rows: list[tuple[int, int]]) -> None:
    before, hashes = arrays([split for split, _ in rows], [text for _, text in rows])
    split = before.copy()
    try:
        kept = hold_out(split, hashes, TextConfig(), set())
    except TooLittleTextError:
        held_out = hashes[(before == DEV) | (before == TEST)]
        assert np.isin(hashes, held_out).all()
        return
    assert UNDECIDED not in split
    decided = before != UNDECIDED
    assert (split[decided] == before[decided]).all()
    learnt = set(hashes[kept & (split == TRAIN)].tolist())
    held = set(hashes[split != TRAIN].tolist())
    assert not learnt & held
    # nothing but what is learnt from is ever left out, and only where it is held out too
    assert (split[~kept] == TRAIN).all()
    assert set(hashes[~kept].tolist()) <= held


@given(texts=UNDECIDEDS, seed=st.integers(0, 9))
def test_the_order_of_examples_decides_nothing(texts: list[int], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(texts))
    split, hashes = arrays([UNDECIDED] * len(texts), texts)
    other, turned = split.copy()[order], hashes[order]
    hold_out(split, hashes, TextConfig(), set())
    hold_out(other, turned, TextConfig(), set())
    assert split[order].tolist() == other.tolist()


@pytest.mark.parametrize("held", [DEV, TEST])
def test_what_one_file_holds_out_is_in_no_other_split(held: int) -> None:
    # the text of the smallest hash would be the first to be held out for the other split
    split, hashes = arrays([held, *[UNDECIDED] * 20], [5, 5, *range(6, 25)])
    kept = hold_out(split, hashes, TextConfig(), {"dev" if held == DEV else "test"})
    assert kept.tolist() == [True, False, *[True] * 19]
    other = TEST if held == DEV else DEV
    assert not set(hashes[kept & (split == held)]) & set(hashes[kept & (split == other)])
    assert (split[kept] == other).sum() > 0


def test_texts_that_are_all_held_out_too_are_no_texts_to_learn_from() -> None:
    split, hashes = arrays([UNDECIDED, TRAIN, TEST, TEST], [1, 2, 1, 2])
    with pytest.raises(TooLittleTextError, match="all of it stands in what is held out too"):
        hold_out(split, hashes, TextConfig(), {"test"})


def test_parts_that_leave_nothing_are_said_to_be_too_large() -> None:
    split, hashes = arrays([UNDECIDED] * 20, list(range(20)))
    with pytest.raises(TooLittleTextError, match=r"make text\.dev and text\.test smaller"):
        hold_out(split, hashes, TextConfig(dev=0.5, test=0.5), set())
