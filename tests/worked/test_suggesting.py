"""Suggestions by hand: what is typed ends inside tokens."""

from collections.abc import Mapping

import numpy as np
import pytest

from tests.fakes.pieces import Pieces
from tests.fakes.scripted import Prefix, Scripted, reciting
from tests.fakes.tokenizers import trained
from ziggurat.core.errors import UsageError
from ziggurat.use.suggesting import SuggestConfig, Suggester, Suggestion

PIECES = Pieces([" walk", " war", " w", " wa", "a", "l", "k", "ing", "ed", "s", " ", "r", "x"])
AFTER: Mapping[str, Mapping[str, float]] = {
    "": {" walk": 0.6, " war": 0.3, " w": 0.08, "x": 0.02},
    " walk": {"ing": 0.9, "ed": 0.1},
    " war": {"s": 0.15, " ": 0.85},
    " w": {"a": 0.5, "x": 0.5},
}


def scripted() -> Scripted:
    def weights(prefix: Prefix) -> list[float]:
        told = AFTER.get(PIECES.decode(prefix), {"x": 1.0})
        return [0.0, *(told.get(piece, 0.0) for piece in PIECES.pieces[1:])]

    return Scripted(PIECES.vocabulary, weights)


def suggested(typed: str, **keys: int) -> dict[str, float]:
    suggester = Suggester(scripted(), PIECES, SuggestConfig(**{"suggestions": 99, **keys}))
    suggester.type(typed)
    return {one.text: one.probability for one in suggester.suggest()}


def test_before_anything_is_typed_what_saves_most_comes_first() -> None:
    # " walk" saves 0.6·4 = 2.4 keys, " walking" 0.6·0.9·7 = 3.78; of " w", which also begins the others, 0.98·1
    found = suggested("", longest=2)
    assert next(iter(found)) == " walking"
    assert found[" walking"] == pytest.approx(0.54)
    assert found[" walk"] == pytest.approx(0.6)
    assert found[" w"] == pytest.approx(0.98)


def test_a_token_that_began_before_the_last_key_is_found() -> None:
    # typed " wa": " walk" 0.6, " war" 0.3, and " w" + "a" 0.08·0.5 = 0.04 agree: 0.94 together
    found = suggested(" wa", longest=2)
    assert found["lking"] == pytest.approx(0.6 * 0.9 / 0.94)
    assert found["lk"] == pytest.approx(0.6 / 0.94)
    assert found["r "] == pytest.approx(0.3 * 0.85 / 0.94)


def test_what_does_not_agree_is_dropped() -> None:
    # typed " wal": only " walk" is left
    assert suggested(" wal", longest=2) == {"king": pytest.approx(0.9)}


def test_after_a_whole_token_the_next_is_suggested() -> None:
    assert suggested(" walk", longest=1) == {"ing": pytest.approx(0.9), "ed": pytest.approx(0.1)}


def test_one_key_is_not_worth_a_suggestion() -> None:
    # after " walkin" there is only "g"; then "x" for ever, which is gone on with
    assert suggested(" walkin", longest=1) == {}
    assert suggested(" walkin", longest=2) == {"gx": pytest.approx(1)}


def test_what_saves_nothing_beside_another_is_not_offered() -> None:
    # "gx" agrees whenever "gxx" does, which is taken then
    assert suggested(" walkin", longest=3) == {"gxx": pytest.approx(1)}


def test_what_was_refused_is_not_suggested_again() -> None:
    suggester = Suggester(scripted(), PIECES, SuggestConfig(longest=2))
    (first,) = suggester.suggest()
    assert first.text == " walking"
    suggester.type(" ", refused=[first])
    # " walk" 0.6, of which " walking" 0.54 does not come; " war" 0.3, " w" 0.08: together 0.98 - 0.54 = 0.44.
    # "war " has 0.3 · 0.85 / 0.44 · 3 = 1.74 keys, "walked" 0.06 / 0.44 · 5, "walk" 0.06 / 0.44 · 3
    (second,) = suggester.suggest()
    assert second.text == "war "
    assert second.probability == pytest.approx(0.3 * 0.85 / 0.44)
    suggester.type("wal", refused=[second])
    # "king" was refused with " walking", and nothing else is likely after " walk"
    assert suggester.suggest() == []


def test_a_suggestion_that_was_taken_or_passed_says_nothing_of_what_follows() -> None:
    suggester = Suggester(scripted(), PIECES, SuggestConfig(longest=1))
    suggester.type(" walk", refused=[Suggestion(" war", 0.3), Suggestion(" walk", 0.6)])
    assert {one.text: one.probability for one in suggester.suggest()} == {"ing": pytest.approx(0.9)}


def test_a_space_is_suggested_where_no_word_after_it_is_likely() -> None:
    words = Pieces(["he", " a", " b", " c", " d", " ", "a", "b", "c", "d", "!"])

    def weights(prefix: Prefix) -> list[float]:
        told = {"": {"he": 1.0}, "he": {" a": 0.2, " b": 0.2, " c": 0.2, " d": 0.15, "!": 0.25}}
        return [0.0, *(told.get(words.decode(prefix), {"!": 1.0}).get(piece, 0.0) for piece in words.pieces[1:])]

    suggester = Suggester(Scripted(words.vocabulary, weights), words, SuggestConfig(suggestions=99, longest=2))
    found = suggester.suggest()
    # "he" saves 1 key and "he " 0.75 · 2; beside that "he!" 0.25 · 2, and "he a" (with the space taken) 0.2 · 1; then
    # "he" is right beside both where neither is: never
    assert [one.text for one in found] == ["he ", "he!", "he a"]
    assert [one.probability for one in found] == pytest.approx([0.75, 0.25, 0.2])


def test_as_many_as_asked_for() -> None:
    assert list(suggested(" wa", suggestions=1, longest=2)) == ["lking"]
    assert len(suggested(" wa", suggestions=2, longest=2)) == 2


def test_what_no_reading_foresaw_is_read_as_the_tokenizer_cuts_it() -> None:
    model = scripted()
    suggester = Suggester(model, PIECES, SuggestConfig(longest=3))
    suggester.type(" walls")
    told = [PIECES.id(piece) for piece in (" wa", "l", "l", "s")]
    assert model.read[-1] == [(0, *told)]
    assert suggester.text == " walls"
    assert [one.text for one in suggester.suggest()] == ["xxx"]


def test_keys_that_agree_with_what_was_read_take_no_step() -> None:
    model = scripted()
    suggester = Suggester(model, PIECES, SuggestConfig(longest=2))
    suggester.suggest()
    taken = len(model.steps)
    suggester.type(" wal")
    suggester.suggest()
    assert len(model.steps) <= taken + 2  # the reading of " w", and that of " wa" behind it
    before = len(model.steps)
    suggester.type("k")  # " walk" was read when "king" was suggested
    assert len(model.steps) == before


def test_a_character_of_three_bytes_is_never_cut() -> None:
    tokenizer = trained("bytes")
    text = "塔楼登上"
    model = reciting(tokenizer.vocabulary, tokenizer.encode(text).ids.tolist())
    # seven bytes are two characters and a third of one
    (found,) = Suggester(model, tokenizer, SuggestConfig(longest=7)).suggest()
    assert found.text == "塔楼"
    assert found.probability == pytest.approx(1)


def test_a_context_that_is_full_is_begun_anew() -> None:
    def weights(prefix: Prefix) -> list[float]:
        return [0.0, *np.roll(np.arange(1.0, len(PIECES.pieces)), len(prefix))]

    suggester = Suggester(Scripted(PIECES.vocabulary, weights, context=5), PIECES)
    suggester.type(" walking wars walked")  # the model asserts that it never reads more
    assert suggester.text == " walking wars walked"
    assert suggester.suggest()


def test_a_tokenizer_that_loses_text_is_refused() -> None:
    lossy = Pieces()
    lossy.lossless = False
    with pytest.raises(UsageError, match="loses nothing"):
        Suggester(reciting(lossy.vocabulary, [1]), lossy)
