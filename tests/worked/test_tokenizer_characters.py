"""Characters and bytes by hand: 0 ends a text, 1 + b is the byte b, then come the letters by falling frequency."""

import json

import pytest

from ziggurat.tokens import bytes as byte_tokens
from ziggurat.tokens.characters import TOKENIZER, CharactersConfig
from ziggurat.tokens.fast import FastTokenizer

TEXTS = ["banana", "cab"]  # a 4, b 2, n 2, c 1


def learnt(texts: list[str], *, min_count: int = 2, vocab_size: int = 1000) -> FastTokenizer:
    return TOKENIZER.train(texts, CharactersConfig(min_count=min_count, vocab_size=vocab_size))


def letters(tokenizer: FastTokenizer) -> list[str]:
    vocabulary = json.loads(tokenizer.to_json())["model"]["vocab"]
    return sorted(vocabulary, key=lambda letter: vocabulary[letter])[257:]


@pytest.mark.parametrize(
    ("min_count", "vocab_size", "kept"),
    [
        (1, 1000, "abnc"),
        (2, 1000, "abn"),
        (3, 1000, "a"),
        (5, 1000, ""),
        (1, 260, "abn"),
        (1, 259, "ab"),
        (1, 258, "a"),
    ],
)
def test_the_most_frequent_letters_are_kept(min_count: int, vocab_size: int, kept: str) -> None:
    tokenizer = learnt(TEXTS, min_count=min_count, vocab_size=vocab_size)
    assert letters(tokenizer) == list(kept)
    assert tokenizer.vocabulary.size == 257 + len(kept)


def test_of_letters_equally_frequent_the_lower_code_is_kept_whichever_came_first() -> None:
    for texts in (["nb", "bn"], ["bn", "nb"], ["nn", "bb"]):
        assert letters(learnt(texts, vocab_size=258)) == ["b"]


# a b n are 257 258 259; c = 0x63 is 1 + 99, i = 0x69 is 1 + 105
def test_rare_letters_are_spelled_in_bytes() -> None:
    tokenizer = learnt(TEXTS)
    assert tokenizer.encode("cabin").ids.tolist() == [100, 257, 258, 106, 259]
    assert tokenizer.byte_lengths[[0, 1, 100, 256, 257]].tolist() == [0, 1, 1, 1, 1]


# 塔 is E5 A1 94, 楼 is E6 A5 BC
def test_a_chinese_character_is_one_token_or_three() -> None:
    tokenizer = learnt(["塔塔"])
    encoding = tokenizer.encode("塔楼")
    assert encoding.ids.tolist() == [257, 0xE6 + 1, 0xA5 + 1, 0xBC + 1]
    assert encoding.offsets.tolist() == [[0, 1], [1, 2], [1, 2], [1, 2]]
    assert tokenizer.byte_lengths[257] == 3


def test_half_a_character_reads_as_the_replacement_sign() -> None:
    tokenizer = learnt(["塔塔"])
    assert set(tokenizer.decode([0xE6 + 1, 0xA5 + 1])) == {"\ufffd"}
    assert tokenizer.decode([0xE6 + 1, 0xA5 + 1, 0xBC + 1]) == "楼"


def test_line_ends_and_control_characters_are_letters_too() -> None:
    tokenizer = learnt(["\n\n\n\x00\x00"])
    assert letters(tokenizer) == ["\n", "\x00"]
    assert tokenizer.encode("\r\n\x00").ids.tolist() == [1 + 13, 257, 258]


def test_text_that_spells_a_byte_token_is_letters() -> None:
    tokenizer = learnt(["<0x41>" * 2])
    ids = tokenizer.encode("<0x41>").ids
    assert len(ids) == 6
    assert tokenizer.decode(ids) == "<0x41>"


@pytest.mark.parametrize("text", ["Az!", "塔楼", "\x00\xff\n"])
def test_a_byte_tokenizer_gives_the_bytes(text: str) -> None:
    tokenizer = byte_tokens.TOKENIZER.train(iter(()), byte_tokens.BytesConfig())
    assert tokenizer.encode(text).ids.tolist() == [1 + byte for byte in text.encode()]
    assert tokenizer.byte_lengths.tolist() == [0] + [1] * 256


def test_a_byte_tokenizer_reads_any_bytes() -> None:
    tokenizer = byte_tokens.TOKENIZER.train(iter(()), byte_tokens.BytesConfig())
    assert tokenizer.decode([1 + byte for byte in "塔".encode()]) == "塔"
    assert tokenizer.decode([1 + 0xE5, 1 + ord("x")]) == "\ufffdx"
