"""Keys saved, by hand."""

import json

import pytest

from tests.fakes.pieces import Pieces
from tests.fakes.scripted import Prefix, Scripted, reciting
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import Document
from ziggurat.judge.keystrokes import Keystrokes, keystrokes
from ziggurat.use.suggesting import SuggestConfig

PIECES = Pieces(["one", " two", " three", "x", " "])
RECITED = "one two three"
MODEL = reciting(PIECES.vocabulary, PIECES.encode(RECITED).ids.tolist())


def test_who_foresees_everything_saves_all_but_the_keys_that_take() -> None:
    # two tokens an offer: "one two" and " three", two keys for 13 characters
    found = keystrokes(MODEL, PIECES, [Document("a", RECITED)], SuggestConfig(longest=2))
    assert (found.characters, found.typed, found.accepts, found.offers) == ((13,), (0,), (2,), (2,))
    assert found.saved == pytest.approx(1 - 2 / 13)
    assert found.saved_if_free == 1
    assert found.accepted == 1


def test_an_offer_that_agrees_in_part_is_not_taken() -> None:
    # "one two" is offered, then (after o) "ne two", (n) "e two", (e) " two three"; the text ends otherwise each time,
    # until " two" has gone by letters: nothing agrees, and 4 + 4 keys are typed
    found = keystrokes(MODEL, PIECES, [Document("a", "one x")], SuggestConfig(longest=2))
    assert (found.typed, found.accepts) == ((5,), (0,))
    assert found.saved == 0


def test_of_several_offers_the_longest_that_agrees_is_taken() -> None:
    # "one two three" saves 0.6 · 12 = 7.2 keys, "one two" 6 in the other 0.4: 2.4
    def weights(prefix: Prefix) -> list[float]:
        told = {"one two": {" three": 0.6, "x": 0.4}}.get(PIECES.decode(prefix))
        if told is None:
            written = PIECES.decode(prefix)
            told = {next((piece for piece in PIECES.pieces[1:] if RECITED.startswith(written + piece)), "x"): 1.0}
        return [0.0, *(told.get(piece, 0.0) for piece in PIECES.pieces[1:])]

    unsure = Scripted(PIECES.vocabulary, weights)
    for text, typed in ((RECITED, 0), ("one twox", 1)):
        found = keystrokes(unsure, PIECES, [Document("a", text)], SuggestConfig(suggestions=2, longest=3))
        assert (found.typed, found.accepts) == ((typed,), (1,))
    # of one offer all is taken or nothing: "one two three" does not agree; it was refused when o is typed, so that now
    # "ne two" comes, and x is typed
    found = keystrokes(unsure, PIECES, [Document("a", "one twox")], SuggestConfig(longest=3))
    assert (found.typed, found.accepts) == ((2,), (1,))


def test_what_was_refused_is_not_offered_again() -> None:
    # who foresees "one two three" alone offers it once: with it "ne two three" was refused, and what begins so
    found = keystrokes(MODEL, PIECES, [Document("a", "onex")], SuggestConfig(longest=3))
    assert (found.typed, found.accepts) == ((4,), (0,))
    assert found.offers == (1,)


def test_documents_are_typed_each_from_nothing_and_counted_together() -> None:
    found = keystrokes(MODEL, PIECES, [Document("a", RECITED), Document("b", "xx")], SuggestConfig(longest=2))
    assert found.ids == ("a", "b")
    # 13 characters by 2 keys, 2 by 2
    assert found.saved == pytest.approx(1 - 4 / 15)


def test_time_ends_before_another_document_and_never_before_the_first() -> None:
    documents = [Document("a", RECITED), Document("b", RECITED)]
    assert keystrokes(MODEL, PIECES, documents, max_seconds=0.0).ids == ("a",)


def test_figures_are_json_and_say_both_costs() -> None:
    found = Keystrokes(("a", "b"), (60, 40), (30, 20), (6, 4), (50, 25), seconds=3.0)
    told = found.figures()
    assert json.loads(json.dumps(told)) == told
    assert told["keystrokes_saved"] == pytest.approx(1 - 60 / 100)
    assert told["saved_if_free"] == pytest.approx(1 - 50 / 100)
    assert told["low"] <= told["keystrokes_saved"] <= told["high"]
    assert told["accepted"] == pytest.approx(10 / 75)
    assert told["milliseconds_per_key"] == pytest.approx(50)


def test_nothing_to_type() -> None:
    with pytest.raises(TooLittleTextError):
        keystrokes(MODEL, PIECES, [])
    with pytest.raises(TooLittleTextError, match="not empty"):
        keystrokes(MODEL, PIECES, [Document("a", "")])
