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
