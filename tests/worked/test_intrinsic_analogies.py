"""Analogies by hand: which word is the answer, what is asked at all, and what sections and totals say."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from ziggurat.core.errors import UsageError
from ziggurat.judge.intrinsic.analogies import answer_analogies, groups
from ziggurat.judge.intrinsic.lexicon import Lexicon
from ziggurat.judge.intrinsic.scores import analogy_scores
from ziggurat.judge.intrinsic.word_sets import AnalogySet

ROYALS = {
    "man": [1.0, 0.0, 0.0],
    "king": [0.6, 0.0, 0.8],
    "woman": [0.0, 1.0, 0.0],
    "queen": [0.0, 0.6, 0.8],
    "apple": [0.8, 0.6, 0.0],
}
QUESTION = ("man", "king", "woman", "queen")


def lexicon(vectors: Mapping[str, Sequence[float]], *, restrict: int | None = None, fold: bool = True) -> Lexicon:
    return Lexicon(list(vectors), np.array(list(vectors.values()), np.float32), restrict=restrict, fold=fold)


def asked(*questions: tuple[str, str, str, str], section: str = "family") -> AnalogySet:
    return AnalogySet("hand", (section,), (0,) * len(questions), questions)


def test_3cosadd_by_hand() -> None:
    # king + woman − man = (−0.4, 1, 0.8): with queen 0.6 + 0.64 = 1.24, with apple −0.32 + 0.6 = 0.28
    answers = answer_analogies(lexicon(ROYALS), asked(QUESTION, ("man", "king", "woman", "apple")))
    assert answers.right.tolist() == [True, False]
    assert answers.accuracy == 0.5


def test_lengths_of_vectors_make_no_difference() -> None:
    longer = {word: [7 * place * value for value in vector] for place, (word, vector) in enumerate(ROYALS.items(), 1)}
    assert answer_analogies(lexicon(longer), asked(QUESTION)).right.tolist() == [True]


def test_the_words_of_the_question_are_no_answers() -> None:
    # (king + woman − man) · king = −0.24 + 0.64 = 0.4 and · woman = 1 are above that of apple, 0.28
    vectors = {word: ROYALS[word] for word in ("man", "king", "woman", "apple")}
    answers = answer_analogies(
        lexicon(vectors), asked(("man", "king", "woman", "apple"), ("man", "king", "woman", "woman"))
    )
    assert answers.right.tolist() == [True, False]


def test_3cosmul_by_hand_decides_otherwise_than_3cosadd() -> None:
    # a, b, c orthogonal. x: cosines 0, 0.98, −0.2; y: cosines 0, 0.4, 0.3
    # add: x 0.98 − 0.2 = 0.78, y 0.4 + 0.3 = 0.7
    # multiply, cosines moved to 0 … 1: x 0.99 · 0.4 ⁄ (0.5 + ε) = 0.79, y 0.7 · 0.65 ⁄ (0.5 + ε) = 0.91
    vectors = {
        "a": [1.0, 0, 0, 0],
        "b": [0, 1.0, 0, 0],
        "c": [0, 0, 1.0, 0],
        "x": [0, 0.98, -0.2, 0],
        "y": [0, 0.4, 0.3, np.sqrt(0.75)],
    }
    both = asked(("a", "b", "c", "x"), ("a", "b", "c", "y"))
    assert answer_analogies(lexicon(vectors), both, method="add").right.tolist() == [True, False]
    assert answer_analogies(lexicon(vectors), both, method="multiply").right.tolist() == [False, True]


def test_only_the_most_frequent_words_are_asked_about_and_answer() -> None:
    vectors = {**ROYALS, "empress": [-0.4, 1.0, 0.8]}  # where the answer should lie
    assert answer_analogies(lexicon(vectors), asked(QUESTION)).right.tolist() == [False]
    assert answer_analogies(lexicon(vectors, restrict=5), asked(QUESTION)).right.tolist() == [True]
    few = answer_analogies(lexicon(vectors, restrict=3), asked(QUESTION))
    assert (few.asked.tolist(), few.accuracy, few.vocabulary) == ([False], None, 3)


def test_words_of_other_letters_stand_for_each_other_where_folded() -> None:
    # "MAN" is asked as "man"; "Queen" is nearest and is the answer, as its more frequent variant "queen" would be
    vectors = {**ROYALS, "Queen": [-0.4, 1.0, 0.8]}
    loud = asked(("MAN", "King", "woman", "QUEEN"))
    assert answer_analogies(lexicon(vectors), loud).right.tolist() == [True]
    assert answer_analogies(lexicon(vectors, fold=False), loud).asked.tolist() == [False]
    assert answer_analogies(lexicon(vectors, fold=False), asked(QUESTION)).right.tolist() == [False]
    # "Woman" is a form of a word of the question, so it is no answer, though it is the nearest
    vectors = {**ROYALS, "Woman": [-0.4, 1.0, 0.8]}
    assert answer_analogies(lexicon(vectors), asked(QUESTION)).right.tolist() == [True]
    assert answer_analogies(lexicon(vectors, fold=False), asked(QUESTION)).right.tolist() == [False]


def test_the_most_frequent_form_s_vector_is_asked() -> None:
    # KING + woman − man = (−0.1, 1, −0.436): with queen 0.6 − 0.35 = 0.25, with apple −0.08 + 0.6 = 0.52
    vectors = {"KING": [0.9, 0.0, -0.436], **ROYALS}
    both = asked(QUESTION, ("man", "king", "woman", "apple"))
    assert answer_analogies(lexicon(vectors), both).right.tolist() == [False, True]
    assert answer_analogies(lexicon(vectors, fold=False), both).right.tolist() == [True, False]


def test_a_vector_of_zeros_is_near_to_nothing() -> None:
    vectors = {**ROYALS, "nothing": [0.0, 0.0, 0.0]}
    answers = answer_analogies(lexicon(vectors), asked(QUESTION, ("man", "nothing", "woman", "queen")))
    assert answers.right.tolist() == [True, True]  # woman − man: queen 0.6, apple −0.2, king −0.6, nothing 0


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(UsageError, match="unknown method 'subtract'; known: add, multiply"):
        answer_analogies(lexicon(ROYALS), asked(QUESTION), method="subtract")  # type: ignore[arg-type]


def test_sections_and_totals_by_hand() -> None:
    # family 1 of 2, capitals nothing asked, gram1 0 of 1, of which one more is unknown: semantic 1 ⁄ 2, overall 1 ⁄ 3
    right, wrong = QUESTION, ("man", "king", "woman", "apple")
    questions = AnalogySet(
        "hand",
        ("family", "capitals", "gram1"),
        (0, 2, 0, 1, 2),
        (right, wrong, wrong, ("Athens", "Greece", "man", "king"), ("man", "kings", "woman", "queens")),
    )
    scores = analogy_scores(answer_analogies(lexicon(ROYALS), questions))
    rows = [(score.name, score.right, score.asked, score.skipped, score.total) for score in scores]
    assert rows == [
        ("family", 1, 2, 0, False),
        ("capitals", 0, 0, 1, False),
        ("gram1", 0, 1, 1, False),
        ("semantic", 1, 2, 1, True),
        ("syntactic", 0, 1, 1, True),
        ("overall", 1, 3, 2, True),
    ]
    assert [score.accuracy for score in scores] == [0.5, None, 0.0, 0.5, 0.0, pytest.approx(1 / 3)]
    assert all(score.interval is None for score in scores)  # three pairs of words are too few to tell anything from


def test_totals_of_kinds_need_both_kinds() -> None:
    def of(*names: str) -> AnalogySet:
        return AnalogySet("hand", names, (0,), (QUESTION,))

    assert groups(of("family", "gram1", "people", "gram2")) == {
        "semantic": [0, 2],
        "syntactic": [1, 3],
        "overall": [0, 1, 2, 3],
    }
    assert groups(of("geography", "nature")) == {"overall": [0, 1]}
    assert groups(of("gram1")) == {"overall": [0]}


def test_nothing_known_at_all() -> None:
    scores = analogy_scores(answer_analogies(lexicon({"one": [1.0]}), asked(QUESTION)))
    assert [(score.accuracy, score.skipped) for score in scores] == [(None, 1), (None, 1)]
