"""What is hidden of a row, and pseudo-log-likelihoods by their definition."""

import numpy as np
import pytest

from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import LanguageModel, MaskedLanguageModel
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.encoder import FAMILY
from ziggurat.models.pseudo_likelihood import mask_id, pseudo_logprobs, scored_places
from ziggurat.tokens.masking import Masker

VOCABULARY = Vocabulary(size=101, bos=2, eos=3, unk=1, mask=4, pad=0)
MASKER = Masker(VOCABULARY)


def row(length: int, *, seed: int = 0) -> IdArray:
    return np.random.default_rng(seed).integers(5, 101, length).astype(np.int32)


def dice(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# -- what is drawn ----------------------------------------------------------------------------------------------------


# 0.15 · 64 = 9.6, 0.15 · 3 = 0.45 and at least one; 0.15 · 10 = 1.5, halves go to the even number
@pytest.mark.parametrize(("length", "count"), [(64, 10), (3, 1), (10, 2), (0, 1)])
def test_how_many_are_drawn(length: int, count: int) -> None:
    assert MASKER.count(length) == count


@pytest.mark.parametrize("count", [1, 7, 13])
def test_places_are_as_many_as_asked_for_sorted_and_never_special(count: int) -> None:
    ids = row(29)
    ids[[0, 11, 12, 28]] = [2, 3, 2, 1]
    for seed in range(17):
        places = MASKER.places(ids, count, dice(seed))
        assert len(places) == count
        assert places.tolist() == sorted(set(places.tolist()))
        assert not np.isin(ids[places], VOCABULARY.special).any()


def test_every_place_is_drawn_as_often() -> None:
    ids = row(23)
    counts = np.zeros(23)
    for seed in range(2300):
        counts[MASKER.places(ids, 3, dice(seed))] += 1
    # 2300 draws of 3 of 23: each 300 times, standard deviation √(2300 · 3/23 · 20/23) = 16.2
    assert np.abs(counts - 300).max() < 4 * 16.2


def test_a_row_of_special_tokens_has_nothing_to_hide() -> None:
    assert MASKER.places(np.array([2, 3, 1], np.int32), 2, dice()).tolist() == []
    goes_on = np.zeros(3, np.bool_)
    assert MASKER.places(np.array([2, 3, 1], np.int32), 2, dice(), goes_on).tolist() == []


WORDS = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0], np.bool_)
"""Words of 3, 1, 2, 1, 1, 4 and 1 tokens."""
STARTS = {0: 3, 3: 1, 4: 2, 6: 1, 7: 1, 8: 4, 12: 1}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_words_are_hidden_whole_and_never_more_than_asked_for(count: int) -> None:
    seen = set()
    for seed in range(97):
        places = MASKER.places(row(13), count, dice(seed), WORDS).tolist()
        begun = [place for place in places if place in STARTS]
        assert places == sorted(place + step for place in begun for step in range(STARTS[place]))
        # the first word is taken whatever its length: something is always hidden
        assert len(places) <= count or len(begun) == 1
        seen |= set(begun)
    assert seen == set(STARTS)


def test_a_word_does_not_reach_over_a_special_token_nor_over_the_row_s_edge() -> None:
    ids = row(6)
    ids[2] = 3
    goes_on = np.array([1, 1, 0, 1, 1, 0], np.bool_)  # the first goes on a word of the row before
    found = {tuple(MASKER.places(ids, 1, dice(seed), goes_on).tolist()) for seed in range(53)}
    assert found == {(0, 1), (3, 4), (5,)}


def test_most_are_hidden_some_replaced_some_left() -> None:
    ids = row(10_000)
    places = np.arange(10_000, dtype=np.int32)
    noised = MASKER.noised(ids, places, dice())
    hidden, left = (noised == 4).mean(), (noised == ids).mean()
    # standard deviations √(0.8 · 0.2 / 10⁴) = 0.004 and √(0.1 · 0.9 / 10⁴) = 0.003; one in 96 replaced is itself
    assert hidden == pytest.approx(0.8, abs=0.016)
    assert left == pytest.approx(0.1 + 0.1 / 96, abs=0.012)
    others = noised[(noised != 4) & (noised != ids)]
    assert not np.isin(others, VOCABULARY.special).any()
    assert len(np.unique(others)) > 90


def test_the_rest_of_the_row_stays_and_the_row_itself_too() -> None:
    ids = row(31)
    before, places = ids.copy(), np.array([3, 7, 29], np.int32)
    for changed in (MASKER.noised(ids, places, dice()), MASKER.hidden(ids, places)):
        np.testing.assert_array_equal(np.delete(changed, places), np.delete(ids, places))
    np.testing.assert_array_equal(ids, before)
    assert MASKER.hidden(ids, places)[places].tolist() == [4, 4, 4]


def test_without_a_token_that_hides_it_says_which_tokenizer_has_one() -> None:
    with pytest.raises(UsageError, match=r'no token that hides another .*tokens\.specials = "bert"'):
        Masker(Vocabulary(size=11, bos=0, eos=0))


# -- pseudo-log-likelihood --------------------------------------------------------------------------------------------


class Counting:
    """Guesses by rule: log p of a target is −(ids in its row) − target / 1000, and keeps all that it was asked."""

    vocabulary = VOCABULARY

    def __init__(self, context: int | None = None) -> None:
        self.context = context
        self.asked: list[tuple[list[int], int, int]] = []

    def guess(self, ids: IdArray, lengths: IdArray, targets: IdArray) -> tuple[FloatArray, IdArray]:
        told = np.zeros(ids.shape, np.float32)
        for number, length in enumerate(lengths.tolist()):
            (place,) = np.flatnonzero(targets[number] >= 0).tolist()
            told[number, place] = -length - targets[number, place] / 1000
            self.asked.append((ids[number, :length].tolist(), place, int(targets[number, place])))
        return told, np.full(ids.shape, -1, np.int32)

    def score(self, ids: IdArray, lengths: IdArray) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        raise NotImplementedError


def test_each_token_is_hidden_once_and_alone() -> None:
    model = Counting()
    (told,) = pseudo_logprobs(model, [np.array([2, 11, 13, 17, 3], np.int32)])
    assert sorted(model.asked) == sorted(
        [([2, 4, 13, 17, 3], 1, 11), ([2, 11, 4, 17, 3], 2, 13), ([2, 11, 13, 4, 3], 3, 17)]
    )
    np.testing.assert_allclose(told, [-5.011, -5.013, -5.017, 0], rtol=1e-6)  # the end is not guessed


def test_a_sequence_without_an_end_has_its_last_token_guessed() -> None:
    (told,) = pseudo_logprobs(Counting(), [np.array([2, 11, 13], np.int32)])
    np.testing.assert_allclose(told, [-3.011, -3.013], rtol=1e-6)
    assert scored_places(np.array([2], np.int32), 3).tolist() == []
    assert scored_places(np.array([3], np.int32), 3).tolist() == []
    assert [one.tolist() for one in pseudo_logprobs(Counting(), [np.array([2], np.int32), np.zeros(0, np.int32)])] == [
        [],
        [],
    ]


def test_a_long_sequence_is_read_in_stretches_around_each_token() -> None:
    model = Counting(context=7)  # five ids of text, between begin and end
    text = np.concatenate([[2], np.arange(20, 31), [3]]).astype(np.int32)  # 13 ids
    (told,) = pseudo_logprobs(model, [text])
    asked = {target: (ids, place) for ids, place, target in model.asked}
    assert len(model.asked) == 11
    # the begin is there already; 25 is in the middle of 23 … 27; the end is there already
    assert asked[20] == ([2, 4, 21, 22, 23, 3], 1)
    assert asked[25] == ([2, 23, 24, 4, 26, 27, 3], 3)
    assert asked[30] == ([2, 27, 28, 29, 4, 3], 4)
    assert (told[:-1] < 0).all()
    assert told[-1] == 0


def test_only_the_places_that_are_asked_about() -> None:
    model = Counting()
    sequences = [np.array([2, 11, 13, 3], np.int32), np.array([2, 17, 3], np.int32)]
    told = pseudo_logprobs(model, sequences, [np.array([2]), np.zeros(0, np.int64)])
    assert [target for _, _, target in model.asked] == [13]
    assert told[0][0] == told[0][2] == 0
    assert not told[1].any()


@pytest.mark.parametrize("batch_tokens", [1, 10, 1 << 16])
def test_batches_do_not_matter(batch_tokens: int) -> None:
    sequences = [row(length, seed=length) for length in (7, 3, 11, 2)]
    expected = pseudo_logprobs(Counting(), sequences)
    found = pseudo_logprobs(Counting(), sequences, batch_tokens=batch_tokens)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_score_of_an_encoder_is_the_sum_of_guesses_made_one_by_one() -> None:
    model = FAMILY.tiny(seed=3)
    assert isinstance(model, MaskedLanguageModel)
    assert not isinstance(model, LanguageModel)  # so that no perplexity can be asked of it
    ids = np.array([[0, 3, 5, 7, 0], [0, 9, 1, 0, 8]], np.int32)
    lengths = np.array([5, 4], np.int32)
    expected = []
    for numbers, length in zip(ids, lengths.tolist(), strict=True):
        total = 0.0
        for place in range(1, length - 1):  # both end with their eos
            hidden, targets = numbers[None, :length].copy(), np.full((1, length), -1, np.int32)
            targets[0, place], hidden[0, place] = numbers[place], 10
            total += float(model.guess(hidden, np.array([length], np.int32), targets)[0].sum())
        expected.append(total)
    np.testing.assert_allclose(model.score(ids, lengths), expected, rtol=1e-5)


def test_a_model_without_a_token_that_hides_has_no_score() -> None:
    model = Counting()
    model.vocabulary = Vocabulary(size=11, bos=0, eos=0)
    with pytest.raises(UsageError, match="no token that hides another"):
        mask_id(model)
