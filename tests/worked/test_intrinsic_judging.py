"""A model before several sets at once, from Python: figures by set, files, and recipes side by side."""

import json
from typing import Any

import numpy as np
import pytest

from tests.fakes.word_vector_bundles import GOLDEN, golden_vectors
from tests.fakes.word_vectors import vectors_of
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import InputError, TooLittleTextError, UnknownNameError, UsageError
from ziggurat.judge.intrinsic.judging import Asking, compare_judged, figures, judge_files, judge_rows, judge_vectors
from ziggurat.judge.intrinsic.word_sets import AnalogySet, SimilaritySet, read_analogies, read_similarity

ANALOGIES, SIMILARITY = GOLDEN / "analogies.txt", GOLDEN / "similarity.tsv"
SAID: dict[str, Any] = json.loads((GOLDEN / "gensim.json").read_text(encoding="utf-8"))


def test_files_in_figures_out() -> None:
    vectors = vectors_of(golden_vectors())
    found = judge_files(vectors, [ANALOGIES], [str(SIMILARITY)], restrict=110, case_sensitive=True)
    case = next(case for case in SAID["analogies"] if (case["restrict"], case["fold"]) == (110, False))
    _, right, asked = case["sections"][-1]
    assert found["analogies"]["accuracy"] == right / asked
    assert (found["analogies"]["vocabulary"], found["analogies"]["case_sensitive"]) == (110, True)
    # pairs are asked of the whole vocabulary whatever analogies are restricted to
    pairs = next(c for c in SAID["similarity"] if (c["restrict"], c["fold"], c["zeros"]) == (300, False, False))
    assert found["similarity"]["spearman"] == pytest.approx(pairs["spearman"], abs=1e-12)
    assert found["similarity"]["vocabulary"] == 120
    assert json.loads(json.dumps(found)) == found


def test_vectors_and_plain_rows_are_judged_alike() -> None:
    given = golden_vectors()
    sets = [read_analogies(ANALOGIES)], [read_similarity(SIMILARITY)]
    rows = np.array(list(given.values()), np.float32)
    one, other = judge_vectors(vectors_of(given), *sets, Asking()), judge_rows(list(given), rows, sets, Asking())
    assert figures(one, Asking()) == figures(other, Asking())


def test_totals_stand_beside_the_accuracy() -> None:
    found = judge_files(vectors_of(golden_vectors()), [ANALOGIES])["analogies"]
    sections = {row["name"]: row for row in found["sections"]}
    assert found["semantic"] == sections["places"]["accuracy"] == 80 / 110
    assert found["syntactic"] == (88 + 60) / 220
    assert found["accuracy"] == (80 + 88 + 60) / 330
    assert (found["low"], found["high"]) == (sections["overall"]["low"], sections["overall"]["high"])


def test_keys_are_checked() -> None:
    vectors = vectors_of({"one": [1.0]})
    with pytest.raises(UnknownNameError, match="did you mean 'restrict'"):
        judge_files(vectors, [ANALOGIES], restrcit=7)
    with pytest.raises(UsageError, match="restrict: must be at least 0"):
        judge_files(vectors, [ANALOGIES], restrict=-7)
    with pytest.raises(InputError, match=r"similarity\.tsv:2: 3 words"):
        judge_files(vectors, [SIMILARITY])
    assert from_mapping(Asking, {}, where="asking") == Asking(restrict=30_000, method="add")


def test_unknown_all_over_is_null_not_nought() -> None:
    found = judge_files(vectors_of({"elsewhere": [1.0, 2.0]}), [ANALOGIES], [SIMILARITY])
    assert (found["analogies"]["accuracy"], found["analogies"]["questions_skipped"]) == (None, 331)
    assert (found["similarity"]["spearman"], found["similarity"]["low"]) == (None, None)
    assert (found["similarity"]["pairs"], found["similarity"]["pairs_skipped"]) == (0, 63)


def test_sides_are_compared_set_by_set() -> None:
    words = [f"{letter}{number}" for number in range(6) for letter in "ab"]
    draw = np.random.default_rng(0)
    stems = draw.standard_normal((6, 11))
    good = np.stack([row for stem in stems for row in (stem, stem + 3)]).astype(np.float32)
    bad = draw.standard_normal(good.shape).astype(np.float32)
    questions = tuple((f"a{p}", f"b{p}", f"a{q}", f"b{q}") for p in range(6) for q in range(6) if p != q)
    analogies = AnalogySet("crossed", ("all",), (0,) * 30, questions)
    pairs = SimilaritySet("pairs", tuple((f"a{n}", f"b{n}") for n in range(6)), (1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    sides = [judge_rows(words, rows, ([analogies], [pairs]), Asking()) for rows in (good, bad)]
    # every b is its a and the same (3, …, 3), at length one nearly the same direction: most are right, by chance 1 in 9
    assert sides[0].analogies[0].right.sum() >= 25
    assert sides[1].analogies[0].right.sum() <= 9
    found = compare_judged(sides[:1], sides[1:], Asking())
    assert list(found) == ["crossed", "pairs"]
    assert [row.name for row in found["crossed"]] == ["all", "overall"]
    assert found["crossed"][-1].above
    assert found["pairs"][0].asked == 6
    strangers = judge_rows(["x", "y"], good[:2], ([analogies], [pairs]), Asking())
    with pytest.raises(TooLittleTextError, match="crossed: the questions that all models know have 0 pairs"):
        compare_judged(sides[:1], [strangers], Asking())
