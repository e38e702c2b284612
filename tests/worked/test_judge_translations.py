"""BLEU and chrF of translations: a sum by hand, intervals, two systems beside each other, and what is refused."""

import math
import sys
from typing import Any

import pytest

from ziggurat.core.errors import MissingExtraError, TooLittleTextError, UsageError
from ziggurat.judge.translations import bleu_tokenizer, translation_figures

pytest.importorskip("sacrebleu", reason="the extra tasks is not installed")

TARGETS = [f"the {colour} {animal} runs over the {place}" for colour in ("red", "old", "big", "wet") for animal in
           ("dog", "cat", "cow", "fox", "hen") for place in ("hill", "road", "yard")]  # fmt: skip
WORSE = [text.replace("runs over", "walks on") if number % 3 else text for number, text in enumerate(TARGETS)]


def figures(**said: list[str]) -> dict[str, Any]:
    return translation_figures(TARGETS, said, language="en", seed=3, resamples=200)


def test_the_score_is_that_of_the_formula() -> None:
    # five words of which four match: 4/5, 3/4, 2/3, 1/2 of the n-grams; the reference is six words long
    found = translation_figures(
        ["a b c d e f"], {"ours": ["a b c d x"]}, language="en", seed=0, resamples=3
    )["ours"]  # fmt: skip
    assert found["bleu"] == pytest.approx(100 * math.exp(1 - 6 / 5) * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    assert found["low"] == found["high"] == pytest.approx(found["bleu"])  # one sentence is all that can be drawn


def test_the_library_gives_the_same_for_the_corpus() -> None:
    import sacrebleu

    found = figures(ours=WORSE)
    assert found["ours"]["bleu"] == sacrebleu.corpus_bleu(WORSE, [TARGETS]).score
    assert found["ours"]["chrf"] == sacrebleu.corpus_chrf(WORSE, [TARGETS]).score
    assert found["ours"]["low"] < found["ours"]["bleu"] < found["ours"]["high"]


def test_the_signatures_say_how_it_was_computed() -> None:
    signatures = figures(ours=TARGETS)["signatures"]
    assert "nrefs:1|case:mixed" in signatures["bleu"]
    assert "tok:13a" in signatures["bleu"]
    assert "nc:6" in signatures["chrf"]


def test_two_systems_are_compared_on_the_same_sentences() -> None:
    found = figures(worse=WORSE, right=TARGETS)
    difference = found["difference"]
    assert found["right"]["bleu"] == pytest.approx(100)
    assert difference["value"] == pytest.approx(100 - found["worse"]["bleu"])
    assert 0 < difference["low"] < difference["value"] < difference["high"]
    assert difference["p_value"] == pytest.approx(1 / 201)
    same = figures(one=WORSE, other=WORSE)["difference"]
    assert same == {"value": 0.0, "low": 0.0, "high": 0.0, "p_value": 1.0}


def test_a_seed_draws_the_same_again() -> None:
    assert figures(ours=WORSE) == figures(ours=WORSE)


def test_chinese_is_compared_by_its_characters() -> None:
    targets = ["我昨天在图书馆看书。", "他们喜欢喝绿茶。"]
    said = {"ours": ["我昨天在图书馆读书。", "他们喜欢喝绿茶。"]}
    found = translation_figures(targets, said, language="zh", seed=0, resamples=20)
    assert "tok:zh" in found["signatures"]["bleu"]
    assert 50 < found["ours"]["bleu"] < 100
    assert translation_figures(targets, said, language="en", seed=0, resamples=20)["ours"]["bleu"] < 50


@pytest.mark.parametrize(("language", "tokenizer"), [("en", "13a"), ("zh_CN", "zh"), ("ZH-Hant", "zh"), ("th", "char")])
def test_how_a_language_is_cut(language: str, tokenizer: str) -> None:
    assert bleu_tokenizer(language) == tokenizer


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="ours: 1 translations of 60 sentences"):
        figures(ours=["one"])
    with pytest.raises(TooLittleTextError, match="no sentences"):
        translation_figures([], {"ours": []}, language="en", seed=0)
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    with pytest.raises(MissingExtraError, match=r"BLEU needs an optional package: pip install 'ziggurat\[tasks\]'"):
        figures(ours=WORSE)
