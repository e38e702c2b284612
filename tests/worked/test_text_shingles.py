"""Units and shingles by hand: what a word is in each script, and hashes against published ones."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from ziggurat.text import duplicates
from ziggurat.text.duplicates import near_pairs
from ziggurat.text.kernels.shingles import shingle_hashes, signatures

Hashes = npt.NDArray[np.uint64]
EMPTY = 0xFFFFFFFF
WORD = (1 << 64) - 1


def hashes(text: str, width: int = 1) -> Hashes:
    raw = np.frombuffer(text.encode(), np.uint8)
    return shingle_hashes(raw, 0, raw.size, width)


def laid_out(texts: list[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    raw = [text.encode() for text in texts]
    stops = np.cumsum([len(r) for r in raw])
    return np.frombuffer(b"".join(raw), np.uint8), stops - [len(r) for r in raw], stops


def mixed(value: int) -> int:
    """The finaliser of SplitMix64, in numbers of any size."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & WORD
    return value ^ (value >> 31)


# FNV-1a, 64 bits: test vectors of Fowler, Noll and Vo
FNV = {"a": 0xAF63DC4C8601EC8C, "b": 0xAF63DF4C8601F1A5, "foobar": 0x85944171F73967E8}


@pytest.mark.parametrize("word", FNV)
def test_a_word_is_hashed_by_fnv_1a_and_mixed(word: str) -> None:
    assert [int(value) for value in hashes(word)] == [mixed(FNV[word])]


def test_a_shingle_joins_its_units_in_order() -> None:
    # a · φ + b, then mixed; φ = 2^64 / golden ratio
    joined = (FNV["a"] * 0x9E3779B97F4A7C15 + FNV["foobar"]) & WORD
    assert [int(value) for value in hashes("a foobar", 2)] == [mixed(joined)]
    assert hashes("foobar a", 2)[0] != mixed(joined)


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("one two three", 3),
        ("one,two;three-four", 4),
        ("don't", 2),
        ("GPT2 4you", 2),  # letters and digits are one run
        ("naïve café", 2),  # two bytes of Latin belong to their word
        ("Привет мир", 2),
        ("שלום עולם", 2),
        ("塔楼", 2),  # each sign is a unit
        ("塔 楼", 2),
        ("用Python写", 3),
        ("かな カナ", 4),
        ("한국어", 3),
        ("塔楼。你好，世界！", 6),  # full stop (U+3002), comma and exclamation mark (full width) are none
        ("“quoted” — dash…", 2),  # U+2000–2E7F are signs
        ("𠀀𠀁", 2),  # four bytes each
        ("😀 ok", 2),
        ("... --- !!!", 0),
        ("", 0),
    ],
)
def test_how_many_units_a_text_has(text: str, units: int) -> None:
    assert len(hashes(text)) == units


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Tower", "tOWER", True),
        ("the-tower", "the tower", True),
        ("塔楼", "塔，楼。", True),
        ("Éa", "éa", False),  # only ASCII letters are folded
        ("tower", "towers", False),
        ("a b", "b a", False),
    ],
)
def test_what_says_the_same(one: str, other: str, same: bool) -> None:
    assert (hashes(one, 2).tolist() == hashes(other, 2).tolist()) == same


def test_a_text_inside_others_is_read_between_its_places() -> None:
    raw = np.frombuffer(b"left middle right", np.uint8)
    np.testing.assert_array_equal(shingle_hashes(raw, 5, 11, 1), hashes("middle"))


WORDS = st.lists(st.sampled_from(["ab", "cd", "ef", "gh", "山", "水"]), min_size=1, max_size=13)


@settings(deadline=None)
@given(words=WORDS, seed=st.integers(0, 2**64 - 1), bins=st.sampled_from([1, 2, 7, 64]))
def test_a_signature_says_which_shingles_and_not_how_often_or_where(words: list[str], seed: int, bins: int) -> None:
    text, starts, stops = laid_out([" ".join(words), " ".join(reversed(words)), " ".join(words * 3)])
    rows = signatures(text, starts, stops, 1, bins, np.uint64(seed))
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[0], rows[2])
    assert (rows != EMPTY).all()  # an empty bin has borrowed from a full one


@settings(deadline=None)
@given(seed=st.integers(0, 2**64 - 1))
def test_a_signature_of_one_bin_is_the_smallest_hash(seed: int) -> None:
    text, starts, stops = laid_out(["a b foobar"])
    # the low 32 bits of each mixed hash, their last bit left for "empty"
    low = [mixed(mixed(value) ^ seed) & 0xFFFFFFFE for value in FNV.values()]
    assert signatures(text, starts, stops, 1, 1, np.uint64(seed)).tolist() == [[min(low)]]


def test_a_text_without_a_unit_has_the_empty_signature() -> None:
    text, starts, stops = laid_out(["...", "a b"])
    rows = signatures(text, starts, stops, 2, 8, np.uint64(0))
    assert (rows[0] == EMPTY).all()
    assert (rows[1] != EMPTY).all()


def test_signatures_in_parts_are_signatures_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = documents(17)
    text, starts, stops = laid_out([*texts, *(one.replace("dawn", "dusk", 1) for one in texts)])
    whole = near_pairs(text, (starts, stops), width=5, similarity=0.8, seed=0)
    monkeypatch.setattr(duplicates, "TASK_BYTES", 5000)
    parts = near_pairs(text, (starts, stops), width=5, similarity=0.8, seed=0)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(whole[0]) >= 15


@settings(max_examples=13, deadline=None)
@given(seed=st.integers(0, 10**6), similarity=st.sampled_from([0.5, 0.7, 0.9]))
def test_pairs_do_not_depend_on_the_order_of_documents(seed: int, similarity: float) -> None:
    dice = np.random.default_rng(seed)
    texts = documents(11, seed=seed)
    texts += [" ".join(text.split()[: -int(dice.integers(1, 60))]) for text in texts]
    order = dice.permutation(len(texts))
    text, *spans = laid_out(texts)
    other_text, *other_spans = laid_out([texts[place] for place in order])
    there = near_pairs(text, (spans[0], spans[1]), width=3, similarity=similarity, seed=1)
    here = near_pairs(other_text, (other_spans[0], other_spans[1]), width=3, similarity=similarity, seed=1)
    back = {tuple(sorted((int(order[a]), int(order[b])))): s for (a, b), s in zip(here[0], here[1], strict=True)}
    assert back == {tuple(pair): s for pair, s in zip(there[0].tolist(), there[1], strict=True)}
    assert all(s >= similarity for s in back.values())


@pytest.mark.parametrize("kept", [0.95, 0.9, 0.85])
def test_a_text_that_lost_its_end_is_as_near_as_what_is_left(kept: float) -> None:
    # 401 different words have 400 pairs of neighbours; what is left of n words has n - 1, all of them common
    words = [f"w{number}" for number in range(401)]
    left = round(kept * 401)
    text, starts, stops = laid_out([" ".join(words), " ".join(words[:left])])
    pairs, similarities, compared = near_pairs(text, (starts, stops), width=2, similarity=0.8, seed=0)
    assert pairs.tolist() == [[0, 1]]
    assert similarities[0] == pytest.approx((left - 1) / 400)
    assert compared == 1
