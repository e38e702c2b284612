"""Unigram by its definition: of all ways to cut a word into pieces, the likeliest (Kudo 2018, section 3.1)."""

import functools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.tokenizers import CHINESE, ENGLISH, TEXTS, trained
from ziggurat.tokens.fast import END, FastTokenizer, byte_alphabet
from ziggurat.tokens.unigram import TOKENIZER, UnigramConfig


def scores(tokenizer: FastTokenizer) -> dict[str, float]:
    return dict(json.loads(tokenizer.to_json())["model"]["vocab"])


@pytest.fixture(scope="module")
def tokenizer() -> FastTokenizer:
    found = trained("unigram")
    assert isinstance(found, FastTokenizer)
    return found


def best(word: str, score: dict[str, float]) -> float:
    """Return the highest sum of scores of any cut of ``word``, by trying every first piece."""

    @functools.cache
    def rest(start: int) -> float:
        pieces = ((stop, word[start:stop]) for stop in range(start + 1, len(word) + 1))
        ends = [score[piece] + rest(stop) for stop, piece in pieces if piece in score]
        return max(ends) if start < len(word) else 0.0

    return rest(0)


WORDS = st.lists(st.sampled_from(["the", "tower", "塔", "楼", "x", " ", "er", "!", "é"]), max_size=7).map("".join)


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(WORDS, TEXTS.map(lambda text: text[:23])))
def test_no_cut_is_likelier_than_the_one_that_is_given(tokenizer: FastTokenizer, text: str) -> None:
    score = scores(tokenizer)
    names = list(score)
    chosen = sum(score[names[index]] for index in tokenizer.encode(text).ids)
    words = [word for word, _ in tokenizer.core.pre_tokenizer.pre_tokenize_str(text)]
    assert chosen == pytest.approx(sum(best(word, score) for word in words), abs=1e-9)


def test_frequent_words_are_pieces_and_likelier_than_their_letters(tokenizer: FastTokenizer) -> None:
    score = scores(tokenizer)
    assert len(tokenizer.encode(" the").ids) < len(" the")
    assert best("Ġthe", score) > sum(score[letter] for letter in "Ġthe")


def test_pieces_stand_in_order_of_their_scores_after_the_end_token(tokenizer: FastTokenizer) -> None:
    (end, zero), *pieces = scores(tokenizer).items()
    assert (end, zero) == (END, 0.0)
    assert pieces == sorted(pieces, key=lambda entry: (-entry[1], entry[0]))
    assert all(score < 0 for _, score in pieces)


def test_all_bytes_that_the_text_lacks_are_equally_unlikely(tokenizer: FastTokenizer) -> None:
    score = scores(tokenizer)
    present = set("".join([*ENGLISH, *CHINESE]).encode())
    absent = {score[letter] for letter, byte in byte_alphabet().items() if byte not in present}
    assert absent == {min(score.values())}


def test_every_byte_is_a_piece_however_small_the_vocabulary() -> None:
    small = TOKENIZER.train(ENGLISH, UnigramConfig(vocab_size=258))
    assert byte_alphabet().keys() <= scores(small).keys()
    assert small.decode(small.encode("塔楼 tower").ids) == "塔楼 tower"


def test_a_piece_never_crosses_a_word() -> None:
    pieces = scores(TOKENIZER.train(["of the of the of the"] * 7, UnigramConfig()))
    assert all("Ġ" not in piece[1:] for piece in pieces)
