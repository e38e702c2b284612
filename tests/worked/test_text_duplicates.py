"""Near duplicates: similarities by hand, candidates against all pairs, and which twin stays."""

import itertools
import random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from ziggurat.text.duplicates import candidate_pairs, near_pairs, twins
from ziggurat.text.kernels.shingles import jaccard, shingle_hashes, signatures

Places = npt.NDArray[np.int64]


def laid_out(texts: list[str]) -> tuple[npt.NDArray[np.uint8], Places, Places]:
    """Texts one after another as bytes, and where each begins and ends."""
    raw = [text.encode() for text in texts]
    stops = np.cumsum([len(r) for r in raw])
    return np.frombuffer(b"".join(raw), np.uint8), stops - [len(r) for r in raw], stops


def similarity(first: str, second: str, width: int) -> float:
    text, starts, stops = laid_out([first, second])
    return float(jaccard(text, starts, stops, np.array([[0, 1]]), width)[0])


@pytest.mark.parametrize(
    ("first", "second", "width", "expected"),
    [
        ("a b c d", "a b c d", 2, 1.0),
        ("a b c d", "A, B! (C) -- d", 2, 1.0),  # case and signs say nothing
        ("a b c d", "a b c e", 2, 2 / 4),  # {ab, bc, cd} and {ab, bc, ce}: 2 common of 4
        ("a b c d", "e f g h", 2, 0.0),
        ("a b c d e", "b c d e a", 1, 1.0),  # single words are a set
        ("a b", "a b", 5, 1.0),  # fewer words than a shingle: one of all
        ("一二三四", "一二三五", 2, 2 / 4),  # without spaces each character is a unit
        ("我用Python写", "我用 python 写", 2, 1.0),
        ("a b c", "c b a", 2, 0.0),
    ],
)
def test_similarity_by_hand(first: str, second: str, width: int, expected: float) -> None:
    assert similarity(first, second, width) == pytest.approx(expected)


WORDS = st.lists(st.sampled_from(["ab", "cd", "ef", "gh", "ij", "山", "水"]), min_size=1, max_size=17)


@given(WORDS, WORDS, st.integers(1, 5))
@settings(deadline=None)
def test_similarity_is_that_of_sets(first: list[str], second: list[str], width: int) -> None:
    def shingles(words: list[str]) -> set[tuple[str, ...]]:
        size = max(1, min(width, len(words)))
        return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}

    a, b = shingles(first), shingles(second)
    found = similarity(" ".join(first), " ".join(second), width)
    assert found == pytest.approx(len(a & b) / len(a | b))
    assert found == similarity(" ".join(second), " ".join(first), width)


def test_a_text_has_as_many_shingles_as_places() -> None:
    text = np.frombuffer(b"a b c d e f g", np.uint8)
    assert [len(shingle_hashes(text, 0, text.size, width)) for width in (1, 2, 5, 7, 11)] == [7, 6, 3, 1, 1]
    assert len(shingle_hashes(text, 0, 0, 3)) == 0


def test_signatures_agree_about_as_often_as_texts_are_alike() -> None:
    # two texts of 400 words that share 300: J = 300 / 500 = 0.6; over 64 bins the share of equal ones has a standard
    # deviation of √(0.6 · 0.4 / 64) = 0.061, over 40 seeds 0.0097 (bins are not quite independent: allow 0.05)
    words = [f"w{number}" for number in range(500)]
    text, starts, stops = laid_out([" ".join(words[:400]), " ".join(words[100:])])
    shares = []
    for seed in range(40):
        first, second = signatures(text, starts, stops, 1, 64, np.uint64(seed))
        shares.append(float((first == second).mean()))
    assert np.mean(shares) == pytest.approx(0.6, abs=0.05)


def test_an_empty_text_has_a_signature_too() -> None:
    text, starts, stops = laid_out(["...", "a b"])
    assert signatures(text, starts, stops, 2, 8, np.uint64(0)).shape == (2, 8)


def test_candidates_agree_in_a_band() -> None:
    signature = np.array([[1, 2, 3, 4], [1, 2, 9, 9], [7, 7, 9, 9], [5, 2, 3, 5]], np.uint32)
    assert candidate_pairs(signature, 2).tolist() == [[0, 1], [1, 2]]
    assert candidate_pairs(signature, 4).tolist() == []
    assert candidate_pairs(signature[:1], 2).tolist() == []


def test_a_crowd_of_equals_is_compared_with_its_first_members_only() -> None:
    signature = np.ones((1000, 4), np.uint32)
    pairs = candidate_pairs(signature, 4)
    assert len(pairs) == 64 * 999 - 64 * 63 // 2  # each of 64 leaders with all behind it
    assert set(pairs[:, 1].tolist()) == set(range(1, 1000))


def edited(text: str, changes: int, dice: random.Random) -> str:
    words = text.split()
    for _ in range(changes):
        words[dice.randrange(len(words))] = f"new{dice.randrange(99)}"
    return " ".join(words)


def test_the_search_finds_what_comparing_all_pairs_finds() -> None:
    dice = random.Random(0)
    originals = documents(31)
    texts = [t for text in originals for t in (text, edited(text, 2, dice), edited(text, 40, dice))]
    text, starts, stops = laid_out(texts)
    every = np.array(list(itertools.combinations(range(len(texts)), 2)))
    similarities = jaccard(text, starts, stops, every, 5)
    expected = {tuple(pair) for pair in every[similarities >= 0.8].tolist()}
    pairs, found, compared = near_pairs(text, (starts, stops), width=5, similarity=0.8, seed=0)
    assert {tuple(pair) for pair in pairs.tolist()} == expected
    assert len(expected) >= 25
    assert compared < len(every) / 2
    assert found.min() >= 0.8


def test_nothing_is_near_nothing() -> None:
    text, starts, stops = laid_out([])
    pairs, similarities, compared = near_pairs(text, (starts, stops), width=5, similarity=0.8, seed=0)
    assert (pairs.shape, similarities.shape, compared) == ((0, 2), (0,), 0)


@pytest.mark.parametrize(
    ("pairs", "sizes", "expected"),
    [
        ([[0, 1]], [3, 5], {0: 1}),  # the longer stays
        ([[0, 1]], [5, 5], {1: 0}),  # equals: the lower hash stays (hashes are 0, 1, 2 …)
        ([[0, 1], [1, 2]], [3, 5, 3], {0: 1, 2: 1}),
        ([[0, 1], [1, 2]], [5, 3, 4], {1: 0}),  # 0 and 2 are no pair: both stay
        ([], [1, 2], {}),
    ],
)
def test_which_twin_stays(pairs: list[list[int]], sizes: list[int], expected: dict[int, int]) -> None:
    places = np.array(pairs, np.int64).reshape(-1, 2)
    assert twins(places, np.array(sizes), np.arange(len(sizes), dtype=np.uint64)) == expected


@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] < p[1])), st.randoms())
def test_what_stays_has_no_pair_and_what_goes_has_a_twin(pairs: set[tuple[int, int]], dice: random.Random) -> None:
    places = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    sizes = np.array([dice.randrange(5) for _ in range(12)])
    digests = np.array(dice.sample(range(99), 12), np.uint64)
    removed = twins(places, sizes, digests)
    stays = set(range(12)) - set(removed)
    assert not any(a in stays and b in stays for a, b in pairs)
    assert all(kept in stays and tuple(sorted((gone, kept))) in pairs for gone, kept in removed.items())
    assert all(sizes[kept] >= sizes[gone] for gone, kept in removed.items())


def test_texts_without_units_are_not_alike() -> None:
    text, starts, stops = laid_out(["!!!", "???", "a b", "... --"])
    pairs = np.array([[0, 1], [0, 2], [1, 3]], np.int64)
    assert jaccard(text, starts, stops, pairs, 5).tolist() == [0.0, 0.0, 0.0]
    assert near_pairs(text, (starts, stops), width=5, similarity=0.5, seed=0)[0].tolist() == []
