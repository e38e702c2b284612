"""Words by hand: 0 ends a text, 1 is the unknown word, then come words by falling frequency."""

import json

import pytest

from ziggurat.tokens.fast import END, UNKNOWN, FastTokenizer
from ziggurat.tokens.words import TOKENIZER, WordsConfig

TEXTS = ["the tower, the river", "the tower!"]  # the 3, tower 2, "!" "," river 1


def learnt(texts: list[str], **keys: object) -> FastTokenizer:
    return TOKENIZER.train(texts, WordsConfig(**keys))  # type: ignore[arg-type]


def words(tokenizer: FastTokenizer) -> list[str]:
    vocabulary = json.loads(tokenizer.to_json())["model"]["vocab"]
    return sorted(vocabulary, key=lambda word: vocabulary[word])


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ({}, ["the", "tower", "!", ",", "river"]),
        ({"min_count": 2}, ["the", "tower"]),
        ({"min_count": 4}, []),
        ({"vocab_size": 5}, ["the", "tower", "!"]),
        ({"vocab_size": 3, "min_count": 2}, ["the"]),
        ({"split": "whitespace"}, ["the", "river", "tower!", "tower,"]),
        ({"split": "whitespace", "min_count": 2}, ["the"]),
    ],
)
def test_words_are_counted_and_the_most_frequent_kept(keys: dict[str, object], kept: list[str]) -> None:
    assert words(learnt(TEXTS, **keys)) == [END, UNKNOWN, *kept]


def test_a_rare_word_is_unknown_and_still_has_its_place() -> None:
    tokenizer = learnt(TEXTS, min_count=2)
    encoding = tokenizer.encode("the blue  tower")
    assert encoding.ids.tolist() == [2, 1, 3]
    assert encoding.offsets.tolist() == [[0, 3], [4, 8], [10, 15]]
    assert tokenizer.decode([2, 3]) == "the tower"
    assert not tokenizer.lossless


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("don't rock'n'roll O’Brien's", ["don't", "rock'n'roll", "O’Brien's"]),
        ("'quoted' dogs'", ["'", "quoted", "'", "dogs", "'"]),
        ("well-known... 3.14", ["well", "-", "known", ".", ".", ".", "3", ".", "14"]),
        ("塔楼tower塔", ["塔", "楼", "tower", "塔"]),
        ("第7级,很高。", ["第", "7", "级", ",", "很", "高", "。"]),
        ("cafe\u0301 naïve हिन्दी", ["cafe\u0301", "naïve", "हिन्दी"]),
        ("a\u3000b\tc\nd\r\n", ["a", "b", "c", "d"]),
        ("👍🏽", ["👍", "🏽"]),
        ("\n \t", []),
    ],
)
def test_words_by_unicode(text: str, cut: list[str]) -> None:
    tokenizer = learnt([text])
    encoding = tokenizer.encode(text)
    assert [text[start:stop] for start, stop in encoding.offsets.tolist()] == cut
    assert UNKNOWN not in [words(tokenizer)[index] for index in encoding.ids]
    assert [words(tokenizer)[index] for index in encoding.ids] == cut


@pytest.mark.parametrize("split", ["unicode", "whitespace"])
def test_folding_case_joins_words_and_keeps_their_places(split: str) -> None:
    tokenizer = learnt(["Tower TOWER tower"], split=split, lowercase=True)
    assert words(tokenizer) == [END, UNKNOWN, "tower"]
    assert tokenizer.encode(" ToWeR").offsets.tolist() == [[1, 6]]
    assert tokenizer.encode("TÖWER tower").ids.tolist() == [1, 2]


# İ (U+0130) folds to two characters: i and a combining dot
def test_folding_that_changes_the_length_of_a_word_keeps_places_in_the_original_text() -> None:
    tokenizer = learnt(["x İz x"], lowercase=True, split="whitespace")
    assert tokenizer.encode("x İz x").offsets.tolist() == [[0, 1], [2, 4], [5, 6]]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("The tower, she said: 'climb!' -- 3.14 (don't)", ["The", "tower", "she", "said", "climb", "3", "14", "don't"]),
        ("塔楼，“很高”。2026年", ["塔", "楼", "很", "高", "2026", "年"]),
        ("... !?", []),
        ("dogs' ’tis 👍🏽", ["dogs", "tis"]),
    ],
)
def test_signs_may_be_left_out_and_are_then_not_unknown_words(text: str, cut: list[str]) -> None:
    tokenizer = learnt([text], punctuation=False)
    encoding = tokenizer.encode(text)
    assert [text[start:stop] for start, stop in encoding.offsets.tolist()] == cut
    assert set(words(tokenizer)[2:]) == set(cut)
    assert tokenizer.encode("，,").ids.tolist() == []
    assert tokenizer.encode("unheard，of").ids.tolist() == [1, 1]


PHRASES = {"phrases": 1, "phrase_threshold": 1.5, "phrase_discount": 1}
# signs left out: new 3, york 3, is 1, in 1, a 1: N = 9; new york is (3 − 1)·9 / (3·3) = 2
YORK = ["new york is", "in New York, a new york".lower()]


def test_phrases_are_words_and_their_offsets_reach_over_their_words() -> None:
    tokenizer = learnt(YORK, punctuation=False, **PHRASES)
    assert words(tokenizer) == [END, UNKNOWN, "new_york", "a", "in", "is"]  # new and york never stand alone
    text = "in new  york"
    encoding = tokenizer.encode(text)
    assert encoding.ids.tolist() == [4, 2]
    assert encoding.offsets.tolist() == [[0, 2], [3, 12]]
    assert tokenizer.encode("york new").ids.tolist() == [1, 1]
    assert tokenizer.prepared(text) == "in new_york"


@pytest.mark.parametrize("punctuation", [True, False])
def test_no_phrase_reaches_over_a_sign(punctuation: bool) -> None:
    tokenizer = learnt(YORK, punctuation=punctuation, phrases=1, phrase_threshold=1.0, phrase_discount=1)
    assert "new_york" in words(tokenizer)
    found = tokenizer.encode("new, york").ids.tolist()
    assert words(tokenizer).index("new_york") not in found
    assert len(found) == 2 + punctuation
    assert tokenizer.encode("new york").ids.tolist() == [words(tokenizer).index("new_york")]


def test_what_is_joined_in_the_text_is_joined_by_the_text_alone() -> None:
    tokenizer = learnt(YORK, punctuation=True, **PHRASES)
    # for others "new_york" is the phrase; here a text is cut at signs first, and _ is one
    assert tokenizer.encode("new_york").ids.tolist() == [1, 1, 1]
    assert tokenizer.prepared("new_york, new york") == "new _ york , new_york"


def test_two_passes_make_phrases_of_four_words_and_min_count_counts_what_is_left() -> None:
    texts = ["a b c d"] * 3 + ["x y"] * 2
    # N = 16, each of a … d 3: (3 − 1)·16 / 9 = 3.6; x y (2 − 1)·16 / 4 = 4, so all are joined: a_b c_d x_y
    # second pass: N = 8; a_b c_d (3 − 1)·8 / 9 = 1.8
    keys = {"phrases": 2, "phrase_threshold": 1.7, "phrase_discount": 1, "min_count": 3}
    tokenizer = learnt(texts, **keys)
    assert words(tokenizer) == [END, UNKNOWN, "a_b_c_d"]
    assert tokenizer.encode("a b c d x y a b").ids.tolist() == [2, 1, 1]
    assert tokenizer.encode("a b c d x y a b").offsets.tolist() == [[0, 7], [8, 11], [12, 15]]


@pytest.mark.parametrize(
    "keys", [{}, {"lowercase": True}, {"split": "whitespace"}, {"punctuation": False}, {"phrases": 1}]
)
def test_a_file_of_words_that_needs_nothing_else_says_nothing_else(keys: dict[str, object]) -> None:
    raw = json.loads(learnt(TEXTS, **keys).to_json())
    assert set(raw["model"]) == {"type", "vocab", "unk_token"}


def test_the_fingerprint_of_words_has_not_changed() -> None:
    # as written before signs could be left out and phrases joined
    assert learnt(TEXTS).fingerprint == "d8b99bf0f12ad059"


def test_words_cut_beforehand_stay_as_they_are_cut() -> None:
    tokenizer = learnt(["登上 塔楼 , don't"], split="whitespace")
    assert tokenizer.encode("塔楼 登上").ids.tolist() == [
        words(tokenizer).index("塔楼"),
        words(tokenizer).index("登上"),
    ]


def test_a_text_can_not_end_itself() -> None:
    tokenizer = learnt([f"a {END} a {UNKNOWN} b {END}"], split="whitespace")
    assert words(tokenizer) == [END, UNKNOWN, "a", "b"]
    assert tokenizer.encode(f"a {END} b {UNKNOWN}").ids.tolist() == [2, 1, 3, 1]
    assert [ids.tolist() for ids in tokenizer.encode_batch([END, UNKNOWN])] == [[1], [1]]


def test_words_equally_frequent_come_in_the_order_of_their_codes() -> None:
    assert words(learnt(["b a c", "c a b"])) == words(learnt(["c b a", "b c a"])) == [END, UNKNOWN, "a", "b", "c"]


def test_byte_lengths_are_those_of_the_words() -> None:
    assert learnt(["塔楼 tower 塔楼"], split="whitespace").byte_lengths.tolist() == [0, 0, 6, 5]
