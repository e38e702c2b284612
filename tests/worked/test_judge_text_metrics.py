"""Metrics of texts: sums by hand, how sentences are cut, and what is refused."""

import math
import sys
from typing import Any

import pytest

from ziggurat.core.errors import MissingExtraError
from ziggurat.judge.answers import ANSWER_METRICS, Answer, answers_report
from ziggurat.judge.metrics.answers.bleu import bleu_tokenizer

pytest.importorskip("sacrebleu", reason="the extra tasks is not installed")


def measured(name: str, gold: list[Any], said: list[Any]) -> Any:
    metric = ANSWER_METRICS.get(name)()
    metric.update(gold, said)
    return metric


def test_bleu_is_that_of_the_formula() -> None:
    # five words of which four match: 4/5, 3/4, 2/3, 1/2 of the n-grams; the reference is six words long
    expected = 100 * math.exp(1 - 6 / 5) * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    metric = measured("bleu", ["a b c d e f"], ["a b c d x"])
    assert metric.value() == pytest.approx(expected)
    found = metric.interval(seed=0, resamples=3)
    assert found.low == found.high == pytest.approx(expected)  # one sentence is all that can be drawn


def test_a_corpus_is_no_mean_of_its_sentences() -> None:
    # all n-grams of the first are right, none of the second: 6, 5, 4, 3 of 10, 8, 6, 4
    metric = measured("bleu", ["a b c d e f", "g h i j"], ["a b c d e f", "u v w x"])
    assert metric.value() == pytest.approx(100 * (6 / 10 * 5 / 8 * 4 / 6 * 3 / 4) ** 0.25)
    assert metric.each() == pytest.approx([100, 0])


def test_what_is_too_short_for_four_words_is_right_all_the_same() -> None:
    assert measured("bleu", ["yes", "no way"], ["yes", "no day"]).each() == pytest.approx(
        # one of two words; the only pair is wrong, which counts half
        [100, 100 * (1 / 2 * 0.5 / 1) ** 0.5]
    )


def test_chrf_is_that_of_the_formula() -> None:
    # said abd, stands abc: letters 2/3 and 2/3, pairs 1/2 and 1/2, threes 0 and 0: P = R = 7/18
    assert measured("chrf", ["a bc"], ["ab d"]).value() == pytest.approx(100 * 7 / 18)
    # said ab, stands abcd: letters 2/2 and 2/4, pairs 1/1 and 1/3: P = 1, R = 5/12; 5 P R / (4 P + R)
    assert measured("chrf", ["abcd"], ["ab"]).value() == pytest.approx(100 * 5 * 5 / 12 / (4 + 5 / 12))


def test_exact_match_counts_words_and_no_spaces() -> None:
    metric = measured("exact_match", ["SELECT a", "SELECT b", "x"], ["SELECT  a\n", "SELECT B", "x"])
    assert metric.value() == pytest.approx(2 / 3)
    assert metric.each().tolist() == [1, 0, 1]
    assert metric.signature == ""


def test_signatures_say_how_it_was_computed() -> None:
    assert "nrefs:1|case:mixed" in measured("bleu", ["a"], ["a"]).signature
    assert "tok:13a" in measured("bleu", ["a"], ["a"]).signature
    assert "nc:6" in measured("chrf", ["a"], ["a"]).signature


def test_chinese_is_compared_by_its_characters() -> None:
    targets = ["我昨天在图书馆看书。", "他们喜欢喝绿茶。"]
    metric = measured("bleu", targets, ["我昨天在图书馆读书。", "他们喜欢喝绿茶。"])
    assert "tok:zh" in metric.signature
    assert 50 < metric.value() < 100


@pytest.mark.parametrize(
    ("texts", "tokenizer"),
    [
        (["A dog.", "Ein Hund."], "13a"),
        (["Собака бежит."], "13a"),
        (["他们喝绿茶。", "iPhone"], "zh"),
        (["iPhone and 茶"], "13a"),
        (["犬が走っている。"], "char"),
        (["หมาวิ่ง"], "char"),
        ([""], "13a"),
    ],
)
def test_how_texts_are_cut_follows_from_their_letters(texts: list[str], tokenizer: str) -> None:
    assert bleu_tokenizer(texts) == tokenizer


class Query:
    """A text that knows more."""

    def __str__(self) -> str:
        return "SELECT a"


def test_a_report_of_texts_has_errors_and_no_classes() -> None:
    gold, said = ["a b c d", "e f g h", "i j k l", "m"], ["a b c d", "e f x h", "u v w x", "m"]
    answers = [Answer(str(n), *both) for n, both in enumerate(zip(gold, said, strict=True))]
    found = answers_report(answers, ["bleu", "chrf"])
    assert (found.classes, found.confusions, found.unknown) == ((), (), ())
    assert found.right == (True, False, False, True)
    assert [error.id for error in found.errors] == ["2", "1"]  # the worst first, where nobody says how sure
    assert set(found.signatures) == {"bleu", "chrf"}
    assert found.figures()["signatures"]["chrf"].startswith("nrefs:1")


def test_the_surest_wrong_text_comes_first_and_an_answer_may_know_more_than_its_text() -> None:
    answers = [Answer("1", Query(), "SELECT b", 0.4), Answer("2", "x", Query(), 0.8), Answer("3", Query(), Query(), 1)]
    found = answers_report(answers, ["exact_match"])
    assert [error.id for error in found.errors] == ["2", "1"]
    assert [error["predicted"] for error in found.figures()["errors"]] == ["SELECT a", "SELECT b"]
    assert found.right == (False, False, True)


@pytest.mark.parametrize(("name", "what"), [("bleu", "BLEU"), ("chrf", "chrF")])
def test_without_the_extra_it_is_said(monkeypatch: pytest.MonkeyPatch, name: str, what: str) -> None:
    metric = ANSWER_METRICS.get(name)
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtraError, match=rf"{what} needs an optional package: pip install 'ziggurat\[tasks\]'"):
        metric()
