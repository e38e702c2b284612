"""WordPiece by its definition: from each word the longest known piece, again and again (Devlin et al. 2019)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.tokenizers import CHINESE, ENGLISH, TEXTS, trained
from ziggurat.tokens.fast import END, FastTokenizer
from ziggurat.tokens.wordpiece import TOKENIZER, UNKNOWN_PIECE, WordpieceConfig

LONGEST_WORD = 100


def pieces(tokenizer: FastTokenizer) -> list[str]:
    vocabulary = json.loads(tokenizer.to_json())["model"]["vocab"]
    return sorted(vocabulary, key=lambda piece: vocabulary[piece])


@pytest.fixture(scope="module")
def tokenizer() -> FastTokenizer:
    found = trained("wordpiece")
    assert isinstance(found, FastTokenizer)
    return found


def slow_pieces(word: str, known: set[str]) -> list[str]:
    found: list[str] = []
    start = 0
    while start < len(word):
        inside = "##" if start else ""
        fits = [stop for stop in range(start + 1, len(word) + 1) if inside + word[start:stop] in known]
        if not fits or len(word) > LONGEST_WORD:
            return [UNKNOWN_PIECE]
        found.append(inside + word[start : max(fits)])
        start = max(fits)
    return found


LIKE_WORDS = st.lists(st.sampled_from(["the", "tow", "er", "climb", "s", "x", "塔", " ", ","]), max_size=11).map(
    "".join
)


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(LIKE_WORDS, TEXTS))
def test_pieces_are_those_of_the_definition(tokenizer: FastTokenizer, text: str) -> None:
    names = pieces(tokenizer)
    normal = tokenizer.core.normalizer.normalize_str(text)
    words = [word for word, _ in tokenizer.core.pre_tokenizer.pre_tokenize_str(normal)]
    expected = [piece for word in words for piece in slow_pieces(word, set(names))]
    assert [names[index] for index in tokenizer.encode(text).ids] == expected


# letters a b c x, inner letters ##a ##b ##c ##x where they stand inside; then the most frequent pair of neighbours:
# ab ab ab xc: (a, ##b) 3 → "ab"; (x, ##c) 1 → "xc"
def test_pieces_of_a_tiny_text() -> None:
    tokenizer = TOKENIZER.train(["ab ab", "ab xc"], WordpieceConfig(vocab_size=50))
    assert pieces(tokenizer) == [END, UNKNOWN_PIECE, "##b", "##c", "a", "b", "c", "x", "ab", "xc"]
    assert tokenizer.encode("ab ac xb ba").ids.tolist() == [8, 4, 3, 7, 2, 1]
    assert tokenizer.byte_lengths.tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 2, 2]


# a 3, b 3, c 1 times; b and c stand inside words, so each takes two places and a takes one;
# the end and the unknown take two
@pytest.mark.parametrize(
    ("vocab_size", "kept"),
    [
        (3, ["a"]),
        (4, ["a"]),
        (5, ["##b", "a", "b"]),
        (6, ["##b", "a", "b", "ab"]),
        (7, ["##b", "##c", "a", "b", "c"]),
        (8, ["##b", "##c", "a", "b", "c", "ab"]),
    ],
)
def test_where_there_is_no_room_for_all_letters_the_frequent_ones_are_kept(vocab_size: int, kept: list[str]) -> None:
    tokenizer = TOKENIZER.train(["ab ab", "a bc"], WordpieceConfig(vocab_size=vocab_size))
    assert pieces(tokenizer)[2:] == kept


def test_a_word_with_a_letter_never_seen_is_unknown_as_a_whole(tokenizer: FastTokenizer) -> None:
    encoding = tokenizer.encode("the towerж tower")
    assert encoding.ids.tolist()[1] == tokenizer.vocabulary.unk == 1
    assert encoding.offsets.tolist() == [[0, 3], [4, 10], [11, 16]]


def test_a_word_too_long_is_unknown(tokenizer: FastTokenizer) -> None:
    assert tokenizer.encode("t" * (LONGEST_WORD + 1)).ids.tolist() == [1]


@pytest.mark.parametrize(
    ("text", "same"), [("THE Tower", "the tower"), ("thé tőwer", "the tower"), ("塔楼", " 塔 楼 ")]
)
def test_case_accents_and_spacing_do_not_matter(tokenizer: FastTokenizer, text: str, same: str) -> None:
    assert tokenizer.encode(text).ids.tolist() == tokenizer.encode(same).ids.tolist()
    assert 1 not in tokenizer.encode(text).ids


def test_case_matters_where_that_is_asked_for() -> None:
    cased = TOKENIZER.train(["The the thé"], WordpieceConfig(lowercase=False))
    assert len({tuple(cased.encode(word).ids.tolist()) for word in ("The", "the", "thé")}) == 3


def test_words_come_back_without_their_spacing(tokenizer: FastTokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("The  tower climbs").ids) == "the tower climbs"
    assert not tokenizer.lossless


def test_only_the_end_and_the_unknown_piece_are_special(tokenizer: FastTokenizer) -> None:
    added = json.loads(tokenizer.to_json())["added_tokens"]
    assert [(entry["id"], entry["content"]) for entry in added] == [(0, END), (1, UNKNOWN_PIECE)]


def test_chinese_characters_stand_alone_and_never_inside_a_word(tokenizer: FastTokenizer) -> None:
    chinese = [piece for piece in pieces(tokenizer) if not piece.isascii()]
    assert len(chinese) > 50
    assert {len(piece) for piece in chinese} == {1}


def test_no_piece_is_longer_than_a_word_of_the_text(tokenizer: FastTokenizer) -> None:
    words = {word for text in (*ENGLISH, *CHINESE) for word, _ in tokenizer.core.pre_tokenizer.pre_tokenize_str(text)}
    assert all(any(piece.removeprefix("##") in word for word in words) for piece in pieces(tokenizer)[2:])
