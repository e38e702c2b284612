"""The capped sample that pieces are learnt from: small, spread over the corpus, and the same everywhere."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.tokens.sampling import PIECE_CHARACTERS, sample

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=23), max_size=17)


def size(texts: list[str]) -> int:
    return sum(len(text.encode()) for text in texts)


@given(texts=TEXTS)
def test_a_corpus_below_the_cap_is_taken_whole_and_in_order(texts: list[str]) -> None:
    assert sample(iter(texts), max(1, size(texts))) == [text for text in texts if text]


@given(texts=TEXTS, cap=st.integers(1, 200))
def test_the_cap_holds_in_bytes_but_one_piece_is_always_there(texts: list[str], cap: int) -> None:
    drawn = sample(texts, cap)
    assert size(drawn) <= cap or len(drawn) == 1
    assert bool(drawn) == any(texts)


@given(texts=TEXTS, cap=st.integers(1, 200))
def test_a_sample_is_part_of_the_corpus_in_its_order(texts: list[str], cap: int) -> None:
    rest = iter(texts)
    assert all(piece in rest for piece in sample(texts, cap))


@given(texts=TEXTS, cap=st.integers(1, 200), seed=st.integers(0, 99))
def test_the_order_of_files_does_not_matter(texts: list[str], cap: int, seed: int) -> None:
    shuffled = texts.copy()
    random.Random(seed).shuffle(shuffled)
    assert sorted(sample(shuffled, cap)) == sorted(sample(texts, cap))


@given(texts=TEXTS, small=st.integers(1, 200), more=st.integers(0, 200))
def test_a_larger_sample_holds_the_smaller_one(texts: list[str], small: int, more: int) -> None:
    larger = sample(texts, small + more)
    for piece in sample(texts, small):
        larger.remove(piece)


# 1000 texts of 10 bytes under a cap of 1000 bytes: 100 are kept, of each tenth of the corpus 10 in the mean; a binomial
# of 100 draws with chance 1/10 lies within 10 ± 4 · 3 = −2 … 22 but for 6 in 100 000
def test_a_sample_is_spread_over_the_corpus() -> None:
    drawn = sample([f"text {number:05d}" for number in range(1000)], 1000)
    assert len(drawn) == 100
    tenths = [int(text[5:]) // 100 for text in drawn]
    assert all(1 <= tenths.count(tenth) <= 22 for tenth in range(10))


def test_a_long_text_is_cut_after_its_lines() -> None:
    line = "x" * 99 + "\n"
    pieces = sample([line * 200], 10**6)
    # 81 lines of 100 characters fit into 8192
    assert [len(piece) for piece in pieces] == [8100, 8100, 3800]
    assert PIECE_CHARACTERS == 8192
    assert all(piece.endswith("\n") for piece in pieces)


@pytest.mark.parametrize("letters", [8191, 8192, 8193, 20000])
def test_a_long_line_is_cut_where_a_piece_is_full(letters: int) -> None:
    text = "".join(chr(0x4E00 + index % 997) for index in range(letters))
    pieces = sample([text], 10**6)
    assert "".join(pieces) == text
    assert all(len(piece) == PIECE_CHARACTERS for piece in pieces[:-1])


def test_one_enormous_document_is_sampled_like_many_small_ones() -> None:
    lines = [f"{number:07d}\n" for number in range(50_000)]
    drawn = sample(["".join(lines)], 100_000)
    assert 90_000 < size(drawn) <= 100_000
    places = [int(piece[:7]) for piece in drawn]
    assert places == sorted(places)
    assert max(places) > 25_000 > min(places)


def test_a_sample_is_the_same_in_every_version() -> None:
    assert sample(["塔楼", "the tower", "", "river", "once more"], 16) == sample(
        ["塔楼", "the tower", "", "river", "once more"], 16
    )
    assert sample(["a", "b", "c", "d"], 2) == ["a", "c"]
