"""The search of a lattice by sound and language, against all its ways; beams, ends, and every family."""

import math

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.families import PLAIN_LANGUAGE_FAMILIES
from tests.fakes.lattices import drawn, ways
from tests.fakes.pieces import Pieces
from tests.fakes.scripted import Prefix, Scripted
from ziggurat.models.registry import FAMILIES
from ziggurat.use.lattice import Edge, Lattice
from ziggurat.use.lattice_search import search
from ziggurat.use.rescoring import Hypothesis, RescoringConfig, language_scores

WORDS = ("", "one", "two", "three")
PIECES = Pieces(["he", "hen", "was", " "])
# 0 <s> → 1 he / 2 hen → 3 was → 4 </s>: "he was" sounds worse by 6 than "hen was"
HE = Lattice(
    ("", "he", "hen", "was", ""),
    (Edge(0, 1, -16.0), Edge(0, 2, -10.0), Edge(1, 3, -5.0), Edge(2, 3, -5.0), Edge(3, 4, -1.0)),
    0,
    4,
)


def scripted() -> Scripted:
    chances: dict[str, dict[str, float]] = {
        "": {"he": 0.5, "hen": 0.125, "was": 0.375},
        "he": {" ": 1.0},
        "hen": {" ": 1.0},
        "he ": {"was": 0.5, "he": 0.5},
        "hen ": {"was": 0.25, "he": 0.75},
    }

    def weights(prefix: Prefix) -> list[float]:
        told = chances.get(PIECES.decode(prefix))
        return [0.0, *(told.get(piece, 0.0) for piece in PIECES.pieces[1:])] if told else [1.0, 0, 0, 0, 0]

    return Scripted(PIECES.vocabulary, weights)


def test_sound_and_language_are_weighed() -> None:
    # log p: he was = ln 1/2 + ln 1/2 = -2 ln 2; hen was = ln 1/8 + ln 1/4 = -5 ln 2. He was wins by 3 λ ln 2 - 6 > 0,
    # which is where λ > 2.885
    for weight, first in ((2.8, "hen was"), (3.0, "he was")):
        found = search(HE, scripted(), PIECES, RescoringConfig(lm_weight=weight))
        assert found[0].text == first
        assert {one.text: one.acoustic for one in found} == {"he was": -22.0, "hen was": -16.0}


def test_what_the_recogniser_thought_of_the_words_is_kept() -> None:
    found = search(HE, scripted(), PIECES, first=lambda words: -float(len(words[0])))
    assert {one.text: one.first for one in found} == {"he was": -2.0, "hen was": -3.0}
    assert {one.first for one in search(HE, scripted(), PIECES)} == {0.0}


def test_a_beam_of_one_follows_the_best_beginning_alone() -> None:
    # at "was" λ = 3: he was -21 - 6 ln 2 = -25.2, hen was -15 - 15 ln 2 = -25.4; both ways meet there, one is kept
    assert [one.text for one in search(HE, scripted(), PIECES, RescoringConfig(lm_weight=3.0), beam=1)] == ["he was"]
    assert [one.text for one in search(HE, scripted(), PIECES, RescoringConfig(lm_weight=2.8), beam=1)] == ["hen was"]


@pytest.mark.parametrize("seed", range(7))
@pytest.mark.parametrize(("weight", "bonus"), [(0.0, 0.0), (37.0, 0.0), (37.0, 150.0), (5.0, -150.0)])
def test_a_wide_search_is_exact(seed: int, weight: float, bonus: float) -> None:
    lattice = drawn(seed, WORDS)
    model, tokenizer = FAMILIES.get("ngram").tiny(seed=0), eleven_words()
    weights = RescoringConfig(lm_weight=weight, word_bonus=bonus)
    best: dict[str, float] = {}
    for said, score in ways(lattice, 0, (), 0.0):
        best[" ".join(said)] = max(score, best.get(" ".join(said), -math.inf))
    hypotheses = [Hypothesis(text, acoustic) for text, acoustic in best.items()]
    (logprobs,) = language_scores(model, tokenizer, [hypotheses])  # type: ignore[arg-type]
    scores = {
        one.text: one.acoustic + weight * logprob + bonus * one.words
        for one, logprob in zip(hypotheses, logprobs.tolist(), strict=True)
    }
    found = search(lattice, model, tokenizer, weights, beam=10_000)  # type: ignore[arg-type]
    assert {one.text: one.acoustic for one in found} == pytest.approx(best)
    in_order = [scores[one.text] for one in found]
    assert in_order == pytest.approx(sorted(scores.values(), reverse=True), abs=1e-3)
    narrow = search(lattice, model, tokenizer, weights, beam=3)  # type: ignore[arg-type]
    assert len(narrow) == min(3, len(found))
    assert all(scores[one.text] <= in_order[0] + 1e-3 for one in narrow)


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_every_family_that_predicts_searches(family: str) -> None:
    model = FAMILIES.get(family).tiny(seed=0)
    if not hasattr(model, "token_logprobs"):
        pytest.skip("it guesses hidden tokens, and predicts no beginnings")
    lattice, weights = drawn(1, WORDS), RescoringConfig(lm_weight=11.0)
    found = search(lattice, model, eleven_words(), weights, beam=500)  # type: ignore[arg-type]
    (logprobs,) = language_scores(model, eleven_words(), [found])  # type: ignore[arg-type]
    scores = [one.acoustic + 11.0 * logprob for one, logprob in zip(found, logprobs.tolist(), strict=True)]
    assert scores == pytest.approx(sorted(scores, reverse=True), abs=1e-2)
    assert np.isfinite(scores).all()


def test_where_no_way_leads_through_nothing_is_found() -> None:
    assert search(Lattice(("", "he", ""), (Edge(0, 1, -1.0),), 0, 2), scripted(), PIECES) == []


def test_a_silence_or_two_ways_for_one_word_give_one_sentence() -> None:
    # he | <sil> | was, he was with another beginning of "was": the better of -1 - 2 - 4 - 1 and -1 - 5 - 1 is kept
    lattice = Lattice(
        ("", "he", "", "was", "was", ""),
        (
            Edge(0, 1, -1.0),
            Edge(1, 2, -2.0),
            Edge(2, 3, -4.0),
            Edge(1, 4, -5.0),
            Edge(3, 5, -1.0),
            Edge(4, 5, -1.0),
        ),
        0,
        5,
    )
    assert search(lattice, scripted(), PIECES) == [Hypothesis("he was", -7.0)]


def test_the_end_of_the_text_counts() -> None:
    # "he" alone sounds better by 3, but after it the text never ends: ln p = -∞
    lattice = Lattice(
        ("", "he", "was", ""), (Edge(0, 1, -2.0), Edge(1, 2, -2.0), Edge(1, 3, -1.0), Edge(2, 3, -2.0)), 0, 3
    )
    with np.errstate(divide="ignore"):
        found = search(lattice, scripted(), PIECES, RescoringConfig(lm_weight=1.0))
    assert [(one.text, one.acoustic) for one in found] == [("he was", -6.0), ("he", -3.0)]


def test_a_bonus_for_words_favours_more_of_them() -> None:
    # "one" costs 5, "one two" 9 in sound; in language by λ = 1 as much as both scores below say
    model, tokenizer = FAMILIES.get("ngram").tiny(seed=0), eleven_words()
    lattice = Lattice(
        ("", "one", "two", ""), (Edge(0, 1, -4.0), Edge(1, 2, -4.0), Edge(1, 3, -1.0), Edge(2, 3, -1.0)), 0, 3
    )
    both = [Hypothesis("one", -5.0), Hypothesis("one two", -9.0)]
    (logprobs,) = language_scores(model, tokenizer, [both])  # type: ignore[arg-type]
    even = float((-5.0 + logprobs[0]) - (-9.0 + logprobs[1]))  # ω at which they are equally good
    for bonus, first in ((even - 0.5, "one"), (even + 0.5, "one two")):
        weights = RescoringConfig(lm_weight=1.0, word_bonus=bonus)
        found = search(lattice, model, tokenizer, weights)  # type: ignore[arg-type]
        assert found[0].text == first
        assert {one.text for one in found} == {"one", "one two"}


def test_beginnings_that_sound_worst_are_not_read() -> None:
    # seven words may begin; with a beam of 1 the three that sound best are read, so that even a model that wants the
    # seventh never hears of it
    words = ("", *(f"w{number}" for number in range(7)), "end", "")
    edges = [Edge(0, number + 1, -float(number)) for number in range(7)]
    edges += [Edge(number + 1, 8, -1.0) for number in range(7)] + [Edge(8, 9, -1.0)]
    pieces = Pieces([*words[1:9], " "])

    def weights(prefix: Prefix) -> list[float]:
        wanted = 1e6 if pieces.decode(prefix) == "w6 " else 1.0
        return [1.0, *([1.0] * (len(pieces.pieces) - 2)), wanted]

    asked = Scripted(pieces.vocabulary, weights)
    found = search(Lattice(words, tuple(edges), 0, 9), asked, pieces, RescoringConfig(lm_weight=1.0), beam=1)
    assert [one.text for one in found] == ["w0 end"]
