"""Accuracies and correlations are those that gensim gives for the same vectors (``tests/golden/intrinsic/make.py``)."""

import json
from typing import Any

import numpy as np
import pytest

from tests.fakes.word_vector_bundles import GOLDEN, golden_vectors
from ziggurat.judge.intrinsic.analogies import answer_analogies
from ziggurat.judge.intrinsic.lexicon import Lexicon
from ziggurat.judge.intrinsic.scores import analogy_scores
from ziggurat.judge.intrinsic.similarity import answer_similarity
from ziggurat.judge.intrinsic.word_sets import read_analogies, read_similarity

SAID: dict[str, Any] = json.loads((GOLDEN / "gensim.json").read_text(encoding="utf-8"))


def name_of(case: dict[str, Any]) -> str:
    return " ".join(f"{key}={case[key]}" for key in ("restrict", "fold", "zeros") if key in case)


def lexicon(restrict: int | None, *, fold: bool) -> Lexicon:
    vectors = golden_vectors()
    return Lexicon(list(vectors), np.array(list(vectors.values()), np.float32), restrict=restrict, fold=fold)


@pytest.mark.parametrize("case", SAID["analogies"], ids=name_of)
def test_accuracies_by_section(case: dict[str, Any]) -> None:
    questions = read_analogies(GOLDEN / "analogies.txt")
    answers = answer_analogies(lexicon(case["restrict"], fold=case["fold"]), questions)
    scores = [score for score in analogy_scores(answers) if not score.total or score.name == "overall"]
    ours = [[score.name, score.right, score.asked] for score in scores]
    assert ours[:-1] == case["sections"][:-1]
    assert ours[-1][1:] == case["sections"][-1][1:]
    assert scores[-1].skipped == len(questions.questions) - scores[-1].asked > 0


@pytest.mark.parametrize("case", SAID["similarity"], ids=name_of)
def test_rank_correlations(case: dict[str, Any]) -> None:
    pairs = read_similarity(GOLDEN / "similarity.tsv")
    answers = answer_similarity(lexicon(case["restrict"], fold=case["fold"]), pairs)
    ours = answers.correlation_of_all if case["zeros"] else answers.correlation
    assert ours == pytest.approx(case["spearman"], abs=1e-12)
    assert 100 * np.mean(~answers.asked) == pytest.approx(case["unknown_percent"])


def test_3cosmul_answers_what_gensim_s_most_similar_cosmul_does(monkeypatch: pytest.MonkeyPatch) -> None:
    # gensim adds a millionth to the divisor where the paper adds a thousandth; in 13 dimensions some answers turn on it
    monkeypatch.setattr("ziggurat.use.closest.MULTIPLY_EPSILON", np.float32(1e-6))
    answers = answer_analogies(lexicon(None, fold=False), read_analogies(GOLDEN / "analogies.txt"), method="multiply")
    assert [int(answers.right.sum()), int(answers.asked.sum())] == SAID["3CosMul"]


def test_the_golden_cases_tell_definitions_apart() -> None:
    totals = {(case["restrict"], case["fold"]): case["sections"][-1][1:] for case in SAID["analogies"]}
    assert len({tuple(total) for total in totals.values()}) == len(totals) == 6
    add = answer_analogies(lexicon(None, fold=False), read_analogies(GOLDEN / "analogies.txt"))
    assert int(add.right.sum()) != SAID["3CosMul"][0]
