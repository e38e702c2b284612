"""Words as somebody cut them, by hand: their text, the places of their ids, their characters."""

import numpy as np
import pytest

from ziggurat.core.errors import InputError
from ziggurat.core.spacing import joined
from ziggurat.core.types import Encoding
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.word_characters import LONGEST, character_ids, first_places, word_arrays, word_batch
from ziggurat.tokens.words import TOKENIZER, WordsConfig

ODD = ("", " ", "\u3000", "\x00", "🙂", "e\u0301", "中", "，", "x" * 97, "\ufeff", "a b", "\u2028")


@pytest.mark.parametrize(
    ("words", "text", "spans"),
    [
        (["It", "'s", "2"], "It 's 2", [(0, 2), (3, 5), (6, 7)]),
        (["中", "国", "，", "a"], "中国，a", [(0, 1), (1, 2), (2, 3), (3, 4)]),
        (["年", "1", "9", "月"], "年1 9月", [(0, 1), (1, 2), (3, 4), (4, 5)]),  # no number is made of two words
        (["中国", "人"], "中国 人", [(0, 2), (3, 4)]),  # words of Chinese, not characters: they stay apart
        (["", "a", ""], " a ", [(0, 0), (1, 2), (3, 3)]),
        ([], "", []),
    ],
)
def test_words_become_a_text(words: list[str], text: str, spans: list[tuple[int, int]]) -> None:
    found, places = joined(words)
    assert (found, places.tolist()) == (text, [list(span) for span in spans])
    assert [found[start:stop] for start, stop in places] == words


def test_characters_are_code_points_plus_one() -> None:
    # a is 97, é 233, 中 20013
    assert character_ids(["aé", "", "中"]).tolist() == [[98, 234], [0, 0], [20014, 0]]
    assert character_ids([]).shape == (0, 0)
    assert character_ids(["A"]).tolist() != character_ids(["a"]).tolist()


def test_a_long_word_shows_its_two_ends() -> None:
    # of abcdefg five are shown: three from the beginning, two from the end
    assert character_ids(["abcdefg", "abcde"], 5).tolist() == [[98, 99, 100, 103, 104], [98, 99, 100, 101, 102]]
    assert character_ids(["x" * 1009]).shape == (1, LONGEST)


def encoding(*offsets: tuple[int, int]) -> Encoding:
    return Encoding(np.arange(len(offsets), dtype=np.int32), np.array(offsets, np.int32).reshape(-1, 2))


def test_a_word_begins_with_the_first_id_that_ends_in_it() -> None:
    # "ab cde f" in the pieces ab, ␣c, de, ␣f: bos is 0, so they stand at 1, 2, 3, 4
    spans = joined(["ab", "cde", "f"])[1]
    assert first_places(encoding((0, 2), (2, 4), (4, 6), (6, 8)), spans).tolist() == [1, 2, 4]


def test_words_that_share_an_id_both_begin_with_it() -> None:
    # "new york is" where "new york" is one id
    spans = joined(["new", "york", "is"])[1]
    assert first_places(encoding((0, 8), (9, 11)), spans).tolist() == [1, 1, 2]


def test_a_word_without_an_id_has_the_place_of_what_follows() -> None:
    # "a , b ." of which signs are left out: a is 1, b is 2, eos is 3
    spans = joined(["a", ",", "b", "."])[1]
    assert first_places(encoding((0, 1), (4, 5)), spans).tolist() == [1, 2, 2, 3]
    assert first_places(encoding(), spans).tolist() == [1, 1, 1, 1]


def test_a_batch_of_two_sentences() -> None:
    # by frequency and spelling: 0 end, 1 <unk>, 2 the, 3 cat, 4 sat
    tokenizer = TOKENIZER.train(["the the the cat cat sat"], WordsConfig())
    found = word_batch(tokenizer, [["the", "dog"], ["sat"]])
    assert found.ids.tolist() == [[0, 2, 1, 0], [0, 4, 0, 0]]
    assert (found.lengths.tolist(), found.words.tolist()) == ([4, 3], [2, 1])
    assert found.firsts.tolist() == [[1, 2], [1, 0]]
    # t h e, d o g, s a t: 116 104 101, 100 111 103, 115 97 116
    assert found.characters.tolist() == [[[117, 105, 102], [101, 112, 104]], [[116, 98, 117], [0, 0, 0]]]


def test_the_words_of_a_store_are_those_of_a_batch() -> None:
    tokenizer = TOKENIZER.train(["the the the cat cat sat"], WordsConfig())
    starts, firsts, characters = word_arrays(tokenizer, [["the", "dog"], [], ["sat"]])
    assert (starts.tolist(), firsts.tolist()) == ([0, 2, 2, 3], [1, 2, 1])
    assert characters.tolist() == [[117, 105, 102], [101, 112, 104], [116, 98, 117]]
    nothing = word_arrays(tokenizer, [])
    assert [array.tolist() for array in nothing] == [[0], [], []]


@pytest.mark.parametrize("kind", ["words", "characters", "bytes", "bpe", "wordpiece", "unigram"])
def test_whatever_the_words_and_the_tokenizer_every_word_has_a_place(kind: str) -> None:
    tokenizer = train_tokenizer(["the cat sat on the mat 中国人民 the cat"] * 3, kind, None)
    sentences = [list(ODD), ["the", *ODD[::-1], "cat"], [], [""]]
    found = word_batch(tokenizer, sentences)
    assert found.words.tolist() == [12, 14, 0, 1]
    for row, words in enumerate(found.words):
        places = found.firsts[row, :words]
        assert (np.diff(places) >= 0).all()
        assert ((places >= 1) & (places < found.lengths[row])).all()
        assert found.ids[row, found.lengths[row] - 1] == tokenizer.vocabulary.eos


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InputError, match="lone surrogate"):
        character_ids(["a", "\ud800"])
    with pytest.raises(InputError, match="lone surrogate"):
        word_batch(TOKENIZER.train(["a"], WordsConfig()), [["a\ud800"]])
