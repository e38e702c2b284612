"""Scoring by hand: how surprised a model of known chances is, by token, by sentence and by document."""

import math
from typing import Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.bundles import eleven_words
from tests.fakes.scripted import Prefix, Scripted
from tests.fakes.tokenizers import HARD_TEXTS, TEXTS, trained
from ziggurat.core.protocols import Tokenizer
from ziggurat.use.scoring import Scored, Unit, score_texts, total_of

WORDS = eleven_words()
few = settings(max_examples=40, deadline=None)
UNITS: tuple[Literal["token", "sentence", "document"], ...] = get_args(Unit)


def uniform(tokenizer: Tokenizer) -> Scripted:
    """A model for which every id has the same chance: ln 1/V a token, the end included."""
    return Scripted(tokenizer.vocabulary, lambda _: [1.0] * tokenizer.vocabulary.size)


def one(tokenizer: Tokenizer, text: str, by: Unit) -> list[Scored]:
    return score_texts(uniform(tokenizer), tokenizer, [text], by=by)[0]


def test_the_first_token_is_given_the_beginning_and_the_last_is_the_end() -> None:
    def weights(prefix: Prefix) -> list[float]:
        # the chance of an id is larger the longer the prefix is: 1 of (10 + n) goes to each id but the end, which has n
        return [float(len(prefix)), *[1.0] * 10]

    found = score_texts(Scripted(WORDS.vocabulary, weights), WORDS, ["two six"], by="token")[0]
    # after <bos> (n = 1): 1/11; after <bos> two (n = 2): 1/12; the end after <bos> two six (n = 3): 3/13
    assert [part.logprob for part in found] == pytest.approx([math.log(1 / 11), math.log(1 / 12), math.log(3 / 13)])
    assert [(part.text.strip(), part.tokens) for part in found] == [("two", 1), ("six", 1), ("", 1)]
    assert found[-1].start == len("two six")


def test_nothing_is_the_surprise_of_an_end() -> None:
    for by in UNITS:
        (found,) = one(WORDS, "", by)
        assert (found.text, found.start, found.tokens) == ("", 0, 1)
        assert found.logprob == pytest.approx(-math.log(11))


def test_sentences_share_what_stands_between_them_and_the_last_has_the_end() -> None:
    text = "Up. Down!  Again?"
    found = one(trained("bytes"), text, "sentence")
    # spaces belong to the sentence before: "Up. " 4 bytes, "Down!  " 7, "Again?" 6 and the end
    assert [part.text for part in found] == ["Up. ", "Down!  ", "Again?"]
    assert [part.start for part in found] == [0, 4, 11]
    assert [part.tokens for part in found] == [4, 7, 7]
    assert [part.logprob for part in found] == pytest.approx([-n * math.log(257) for n in (4, 7, 7)], rel=1e-5)


def test_chinese_sentences_are_measured_in_characters() -> None:
    text = "塔楼登上。她数着！once more."
    found = one(trained("bytes"), text, "sentence")
    assert [part.text for part in found] == ["塔楼登上。", "她数着！", "once more."]
    # three bytes a character, its full stop included: 5 · 3, 4 · 3; ten bytes and the end
    assert [(part.start, part.tokens) for part in found] == [(0, 15), (5, 12), (9, 11)]


def test_bytes_of_one_character_are_shown_as_one_token_of_several() -> None:
    found = one(trained("bytes"), "a塔é", "token")
    assert [(part.text, part.start, part.tokens) for part in found] == [
        ("a", 0, 1), ("塔", 1, 3), ("é", 2, 2), ("", 3, 1)
    ]  # fmt: skip
    assert found[1].logprob == pytest.approx(-3 * math.log(257), rel=1e-5)


def test_space_before_the_first_sentence_counts_with_it() -> None:
    found = one(trained("bytes"), "  Up. Down.", "sentence")
    assert sum(part.tokens for part in found) == len("  Up. Down.") + 1
    assert found[0].text.strip() == "Up."


def test_several_texts_do_not_see_each_other() -> None:
    """Texts of different lengths share a batch; each reads as it does alone, and in the order given."""

    def weights(prefix: Prefix) -> list[float]:
        return [1.0 + (7 * sum(prefix) + 3 * index) % 11 for index in range(11)]

    model = Scripted(WORDS.vocabulary, weights)
    texts = ["nine eight seven six", "", "two", "one two three"]
    for by in UNITS:
        together = score_texts(model, WORDS, texts, by=by)
        assert together == [score_texts(model, WORDS, [text], by=by)[0] for text in texts]
    assert score_texts(model, WORDS, [], by="token") == []


@pytest.mark.parametrize("context", [1, 2, 3, 5, 8])
def test_a_small_context_predicts_each_token_once(context: int) -> None:
    model = Scripted(WORDS.vocabulary, lambda _: [1.0] * 11, context=context)

    text = "one two three four five six seven eight nine one two"
    found = score_texts(model, WORDS, [text], by="document")[0]
    assert [(part.tokens, part.text) for part in found] == [(12, text)]
    assert found[0].logprob == pytest.approx(-12 * math.log(11), rel=1e-5)


# -- laws over any text -----------------------------------------------------------------------------------------------


@few
@given(TEXTS)
@pytest.mark.parametrize("kind", ["bytes", "bpe", "characters", "unigram", "words"])
def test_units_of_every_size_cover_the_text_and_add_up(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    ids = tokenizer.encode(text).ids
    expected = -(len(ids) + 1) * math.log(tokenizer.vocabulary.size)
    for by in UNITS:
        parts = one(tokenizer, text, by)
        assert sum(part.tokens for part in parts) == len(ids) + 1
        assert sum(part.logprob for part in parts) == pytest.approx(expected, rel=1e-4)
        assert [part.start for part in parts] == sorted(part.start for part in parts)
        for part in parts:
            assert text[part.start : part.start + len(part.text)] == part.text
        assert len(parts) == 1 or by != "document"


@few
@given(st.lists(st.sampled_from(["The tower stands. ", "塔楼登上。", "Who? ", "她的妹妹！", "\n\n"]), max_size=9))
def test_sentences_begin_where_they_stand_and_are_the_text(sentences: list[str]) -> None:
    text = "".join(sentences)
    parts = one(trained("bpe"), text, "sentence")
    assert "".join(part.text for part in parts) == text[parts[0].start :]
    assert not text[: parts[0].start].strip()


@pytest.mark.parametrize("text", HARD_TEXTS)
def test_hard_texts_of_whole_characters_by_token(text: str) -> None:
    parts = one(trained("bytes"), text, "token")
    assert "".join(part.text for part in parts) == text
    assert [part.tokens for part in parts[:-1]] == [len(part.text.encode()) for part in parts[:-1]]


def test_totals_are_over_all_units_of_all_texts() -> None:
    # −1.5 − 2.5 − 3 = −7 nats over 1 + 3 + 1 = 5 tokens: −1.4 a token
    scored = [[Scored("a", 0, -1.5, 1), Scored("bc", 1, -2.5, 3)], [], [Scored("", 3, -3.0, 1)]]
    found = total_of(scored)
    assert (found.logprob, found.tokens) == (-7.0, 5)
    assert found.mean == pytest.approx(-1.4)
    assert total_of([]).mean == 0.0
