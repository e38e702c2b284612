"""What is true of suggestions from every family that predicts, and of the bytes of every tokenizer's tokens."""

import pytest
from hypothesis import given

from tests.fakes.families import LANGUAGE_FAMILIES, tiny_language_model
from tests.fakes.pieces import Pieces
from tests.fakes.tokenizers import TEXTS, VARIANTS, trained
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Document
from ziggurat.judge.keystrokes import keystrokes
from ziggurat.tokens.token_bytes import token_bytes
from ziggurat.use.suggesting import SuggestConfig, Suggester, Suggestion

TEXT = "ab abc ca bcab aabc"
MANY = SuggestConfig(suggestions=7)


def after(family: str, *typed: str, look: bool = False) -> list[Suggestion]:
    suggester = Suggester(tiny_language_model(family), Pieces(), MANY)
    for text in typed:
        suggester.type(text)
        if look:
            suggester.suggest()
    return suggester.suggest()


def close(one: list[Suggestion], other: list[Suggestion]) -> bool:
    told = [{each.text: pytest.approx(each.probability, rel=1e-3) for each in side} for side in (one, other)]
    return {each.text: each.probability for each in one} == told[1]


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_looking_changes_nothing_and_keys_come_one_by_one_or_at_once(family: str) -> None:
    at_once = after(family, TEXT)
    assert at_once
    assert close(at_once, after(family, *TEXT))
    assert close(at_once, after(family, *TEXT, look=True))


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_the_first_suggestion_saves_most(family: str) -> None:
    for stop in range(7):
        found = after(family, TEXT[:stop])
        assert len({one.text for one in found}) == len(found) <= MANY.suggestions
        assert all(0 < one.probability <= 1 + 1e-6 and len(one.text) > 1 for one in found)
        assert found[0].gain == max(one.gain for one in found)


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_what_was_refused_never_comes_back(family: str) -> None:
    suggester = Suggester(tiny_language_model(family), Pieces(), MANY)
    offered: list[tuple[int, str]] = []
    for place, key in enumerate(TEXT):
        found = suggester.suggest()
        ruled_out = [text[place - begun :] for begun, text in offered if text.startswith(TEXT[begun:place])]
        for rest in filter(None, ruled_out):
            assert not any(one.text.startswith(rest) for one in found)
        offered += [(place, one.text) for one in found]
        suggester.type(key, refused=found)


@pytest.mark.parametrize("family", LANGUAGE_FAMILIES)
def test_text_beyond_any_context_is_typed_to_its_end(family: str) -> None:
    text = TEXT * 3
    found = keystrokes(tiny_language_model(family), Pieces(), [Document("one", text)])
    assert found.characters == (len(text),)
    assert found.typed[0] + 2 * found.accepts[0] <= len(text)
    assert 0 <= found.saved <= found.saved_if_free < 1


@pytest.mark.parametrize("variant", VARIANTS)
@given(text=TEXTS)
def test_the_bytes_of_a_texts_tokens_are_its_own(variant: str, text: str) -> None:
    tokenizer = trained(variant)
    if not tokenizer.lossless:
        with pytest.raises(UsageError, match="loses nothing"):
            token_bytes(tokenizer)
        with pytest.raises(UsageError, match="loses nothing"):
            Suggester(tiny_language_model("ngram"), tokenizer, MANY)
        return
    told = token_bytes(tokenizer)
    assert b"".join(told[index] for index in tokenizer.encode(text).ids) == text.encode()
    assert [len(one) for one in told] == tokenizer.byte_lengths.tolist()
