"""Bags of features by hand: which a text has, under which numbers, and how long it is."""

import numpy as np
import pytest

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import IdArray
from ziggurat.models.text_features import FeatureIndex, Parts, TextBags, bags_of, ngram_keys

# ids 0 (begin and end) to 4; 1 and 2 share the spelling 5, 3 has 6
PARTS = Parts(np.array([0, 0, 1, 2, 3, 3]), np.array([5, 5, 6], np.int32))


def key(*ids: int) -> int:
    """The key of an n-gram, by the formula, in numbers without end."""
    around = 1 << 64

    def mixed(number: int) -> int:
        number = (number + 0x9E3779B97F4A7C15) % around
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % around
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB % around
        return number ^ (number >> 31)

    found = ids[0] + 1
    for one in ids[1:]:
        found = (mixed(found) + one + 1) % around
    return mixed(found) >> 1


def index_of(*ngrams: tuple[int, ...], longest: int = 2) -> tuple[FeatureIndex, list[int]]:
    """An index with these n-grams, and the number of each."""
    keys = np.array(sorted(key(*one) for one in ngrams), np.int64)
    return FeatureIndex(PARTS, keys, 7, longest), [7 + int(np.searchsorted(keys, key(*one))) for one in ngrams]


def ids_of(*texts: list[int]) -> tuple[IdArray, IdArray]:
    lengths = np.array([len(text) for text in texts], np.int32)
    return np.array([one for text in texts for one in text], np.int32), lengths


def listed(bags: TextBags) -> list[list[int]]:
    return [bags.features[a:b].tolist() for a, b in zip(bags.starts[:-1], bags.starts[1:], strict=True)]


def test_the_mixer_is_the_published_one() -> None:
    # SplitMix64 from the state 0 gives E220A8397B1DCDAF first: of n-grams that is the mix of the state 0
    (found,), _ = ngram_keys(np.array([0, 0], np.int32), np.zeros(2, np.int64), 2)
    assert found == key(0, 0)
    around = 1 << 64
    number = 0x9E3779B97F4A7C15
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % around
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % around
    assert number ^ (number >> 31) == 0xE220A8397B1DCDAF


def test_keys_of_neighbours_within_a_text() -> None:
    ids, lengths = ids_of([0, 3, 1, 0], [0, 2], [4])
    keys, owners = ngram_keys(ids, np.repeat(np.arange(3), lengths), 3)
    expected = [(0, 3), (3, 1), (1, 0), (0, 2), (0, 3, 1), (3, 1, 0)]
    assert keys.tolist() == [key(*one) for one in expected]
    assert owners.tolist() == [0, 0, 0, 1, 0, 0]


def test_order_and_length_make_other_keys() -> None:
    pairs = {key(a, b) for a in range(31) for b in range(31)}
    triples = {key(a, b, c) for a in range(11) for b in range(11) for c in range(11)}
    assert len(pairs) == 31 * 31
    assert len(triples) == 11**3
    assert not pairs & triples
    assert all(0 <= one < 1 << 63 for one in pairs | triples)


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_without_ids_there_are_no_ngrams(longest: int) -> None:
    keys, owners = ngram_keys(np.empty(0, np.int32), np.empty(0, np.int64), longest)
    assert keys.size == owners.size == 0


def test_a_text_has_each_feature_once() -> None:
    index, (pair, other) = index_of((1, 2), (2, 1))
    assert index.size == 9
    bags = index.find(*ids_of([0, 1, 2, 1, 1, 0], [0, 0], [3]))
    # 1 and 2 share feature 5; both pairs are there, (1, 1) is not known
    assert listed(bags) == [[0, 1, 2, 5, *sorted([pair, other])], [0], [3, 6]]
    assert bags.texts.tolist() == [0] * 6 + [1] + [2] * 2


def test_longer_ngrams_are_found_where_they_are_looked_for() -> None:
    for longest, known in ((2, False), (3, True)):
        index, (triple,) = index_of((4, 4, 3), longest=longest)
        found = listed(index.find(*ids_of([4, 4, 3])))[0]
        assert (triple in found) is known


def test_padding_is_no_part_of_a_text() -> None:
    index, _ = index_of((1, 2), (2, 1))
    ids = np.array([[0, 1, 0, 2, 1], [0, 1, 2, 1, 0]], np.int32)
    found = bags_of(index, ids, np.array([3, 5], np.int32))
    alone = index.find(*ids_of([0, 1, 0], [0, 1, 2, 1, 0]))
    assert listed(found) == listed(alone)


def test_values_by_hand() -> None:
    # the text 1 2: scales 3, 4 and 12, and √(9 + 16 + 144) = 13; the second text has a feature that counts nothing
    bags = TextBags(np.array([0, 3, 4, 4, 5]), np.array([1, 2, 5, 0, 2], np.int32))
    values = bags.values(np.array([0, 3, 4, 1, 1, 12], np.float32))
    assert values == pytest.approx([3 / 13, 4 / 13, 12 / 13, 0, 1])


def test_what_is_not_kept_is_gone_and_the_rest_is_numbered_anew() -> None:
    index, (pair, other) = index_of((1, 2), (2, 1))
    keep_mask = np.ones(9, bool)
    keep_mask[[0, 1, 5, min(pair, other)]] = False
    left = index.kept(keep_mask)
    text = ids_of([0, 1, 2, 1, 0], [3])
    # ids stay 0 … 4, the spelling 6 → 5, and the n-gram that is left → 6; the bags lack ids 0 and 1, the index does not
    assert (left.ids, left.first, left.size) == (5, 6, 7)
    assert left.parts.starts.tolist() == [0, 0, 0, 0, 1, 1]
    assert left.parts.features.tolist() == [5]
    assert listed(left.find(*text)) == [[0, 1, 2, 6], [3, 5]]
    assert listed(index.find(*text).kept(keep_mask, 5)) == [[2, 6], [3, 5]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"parts": PARTS._replace(starts=np.array([0, 0, 1, 2, 3, 4]))}, "'part_starts'"),
        ({"parts": PARTS._replace(starts=np.array([1, 1, 1, 2, 3, 3]))}, "'part_starts'"),
        ({"parts": PARTS._replace(starts=np.array([0, 3, 1, 2, 3, 3]))}, "'part_starts'"),
        ({"parts": PARTS._replace(features=np.array([5, 5, 7], np.int32))}, "'parts' names other features than the 2"),
        ({"parts": PARTS._replace(features=np.array([5, 4, 6], np.int32))}, "'parts' names other features than the 2"),
        ({"keys": np.array([5, 3])}, "'keys' does not ascend"),
        ({"keys": np.array([3, 3])}, "'keys' does not ascend"),
        ({"first": 8}, "'parts' names other features than the 3"),
        ({"first": -1, "parts": Parts(np.zeros(6, np.int64), np.empty(0, np.int32))}, "'parts' names other"),
    ],
)
def test_numbers_that_can_t_be_are_refused(change: dict[str, object], said: str) -> None:
    whole: dict[str, object] = {"parts": PARTS, "keys": np.array([3, 5]), "first": 7, "longest": 2}
    FeatureIndex(**whole).check()  # type: ignore[arg-type]
    with pytest.raises(ArtefactError, match=said):
        FeatureIndex(**{**whole, **change}).check()  # type: ignore[arg-type]
