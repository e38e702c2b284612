"""Resampling by hand where it can be done, by simulation where chance itself is the subject."""

from itertools import permutations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.seeding import generator
from ziggurat.judge.intrinsic.analogies import AnalogyAnswers
from ziggurat.judge.intrinsic.chance import (
    difference,
    interval,
    models_resampled,
    pairs_of,
    resampled_correlations,
    resampled_sections,
)
from ziggurat.judge.intrinsic.scores import analogy_scores, compare_analogies, compare_similarity
from ziggurat.judge.intrinsic.similarity import SimilarityAnswers, spearman
from ziggurat.judge.intrinsic.word_sets import AnalogySet, SimilaritySet

Values = npt.NDArray[np.float64]


def crossed(*sizes: int) -> AnalogySet:
    """Sections in which so many pairs of words are crossed with each other: n (n − 1) questions each."""
    rows = [
        (number, (f"a{number}.{p}", f"b{number}.{p}", f"a{number}.{q}", f"b{number}.{q}"))
        for number, size in enumerate(sizes)
        for p, q in permutations(range(size), 2)
    ]
    names = tuple(f"s{number}" for number in range(len(sizes)))
    return AnalogySet("crossed", names, tuple(n for n, _ in rows), tuple(words for _, words in rows))


def answered(questions: AnalogySet, right: npt.ArrayLike) -> AnalogyAnswers:
    array = np.asarray(right, bool)
    return AnalogyAnswers(questions, np.ones(len(array), bool), array, 97)


def with_noise_of_pairs(questions: AnalogySet, draw: np.random.Generator, *, level: float = 0.0) -> Values:
    """Chances of being right that pairs of words have in common: a hard pair spoils all its questions."""
    pairs = pairs_of(questions, np.arange(len(questions.questions)))
    ease = draw.standard_normal(pairs.max() + 1)
    chance = 1 / (1 + np.exp(-(level + 1.2 * (ease[pairs[:, 0]] + ease[pairs[:, 1]]))))
    return np.asarray(draw.random(len(chance)) < chance, np.float64)


def test_a_pair_of_words_is_one_wherever_it_stands() -> None:
    first, second = ("Athens", "Greece"), ("Oslo", "Norway")
    questions = AnalogySet(
        "hand", ("near", "world"), (0, 0, 1), ((*first, *second), (*second, *first), (*first, "a", "b"))
    )
    assert pairs_of(questions, np.array([0, 1, 2])).tolist() == [[0, 1], [1, 0], [0, 2]]
    assert pairs_of(questions, np.array([], np.int64)).shape == (0, 2)


def test_means_of_constant_answers_do_not_move() -> None:
    questions = crossed(7, 5)
    section = np.array(questions.section)
    values = np.stack([np.ones(len(section)), np.where(section == 0, 0.25, 0.75)])
    draws = resampled_sections(questions, np.ones(len(section), bool), values, seed=0, resamples=53)
    assert draws.shape == (2, 2, 53)
    drawn = ~np.isnan(draws[0])
    assert np.allclose(draws[0][drawn], 1)
    assert np.allclose(draws[1, 0][drawn[0]], 0.25)
    assert np.allclose(draws[1, 1][drawn[1]], 0.75)


def test_a_resample_by_hand() -> None:
    # three pairs of words with weights u, v, w: the six questions weigh uv uw vu vw wu wv; only (0, 1) is right
    questions = crossed(3)
    right = np.array([[1.0, 0, 0, 0, 0, 0]])
    draws = resampled_sections(questions, np.ones(6, bool), right, seed=3, resamples=1)
    u, v, w = generator(3, "analogies").poisson(1.0, (3, 1))[:, 0]
    total = 2 * (u * v + u * w + v * w)
    assert total > 0
    assert draws[0, 0, 0] == pytest.approx(u * v / total)


def test_a_section_of_which_nothing_was_asked_is_undefined_and_leaves_the_total_alone() -> None:
    questions = crossed(7, 5)
    asked = np.array(questions.section) == 0
    draws = resampled_sections(questions, asked, np.ones((1, len(asked))), seed=0, resamples=11)
    assert np.isnan(draws[0, 1]).all()
    scores = analogy_scores(AnalogyAnswers(questions, asked, asked.copy(), 97))
    assert [(s.asked, s.accuracy) for s in scores] == [(42, 1.0), (0, None), (42, 1.0)]
    assert scores[1].interval is None
    assert scores[2].interval == scores[0].interval


def test_answers_all_alike_are_as_sure_as_so_many_pairs() -> None:
    # none of the 42 questions of 7 pairs: 1 − 0.025^(1⁄7) = 0.410; all of them: 0.590 – 1; scipy's exact interval too
    questions = crossed(7)
    none, every = (analogy_scores(answered(questions, np.full(42, right)))[-1].interval for right in (False, True))
    assert none is not None
    assert every is not None
    assert (none.value, none.low, none.high) == pytest.approx((0, 0, 0.409616), abs=1e-6)
    assert (every.value, every.low, every.high) == pytest.approx((1, 0.590384, 1), abs=1e-6)
    exact = stats.binomtest(0, 7).proportion_ci(0.95, method="exact")
    assert (none.low, none.high) == pytest.approx((exact.low, exact.high))


def test_intervals_hold_the_truth_where_questions_share_pairs_and_those_over_questions_would_not() -> None:
    # 23 pairs, 506 questions, 60 worlds; the truth is 1/2. An interval over questions, ± 1.96 · √(p (1 − p) ⁄ 506),
    # is several times too narrow. Of 60 at least 60 · 0.95 − 4 · √(60 · 0.95 · 0.05) = 50 should hold.
    draw = np.random.default_rng(11)
    questions = crossed(23)
    hits = naive = 0
    for world in range(60):
        right = with_noise_of_pairs(questions, draw)
        found = analogy_scores(answered(questions, right), seed=world)[-1].interval
        assert found is not None
        hits += found.low <= 0.5 <= found.high
        naive += abs(right.mean() - 0.5) <= 1.96 * np.sqrt(0.25 / len(right))
    assert hits >= 50
    assert naive < 35


def test_more_pairs_narrow_an_interval_with_their_root() -> None:
    draw = np.random.default_rng(2)
    widths = []
    for size in (12, 48):
        each = []
        for world in range(12):
            questions = crossed(size)
            found = analogy_scores(answered(questions, with_noise_of_pairs(questions, draw)), seed=world)[-1].interval
            assert found is not None
            each.append(found.high - found.low)
        widths.append(np.mean(each))
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.25)


def test_one_question_more_is_no_difference() -> None:
    questions = crossed(11, 7)
    base = np.zeros(len(questions.questions))
    more = base.copy()
    more[5] = 1
    found = compare_analogies([answered(questions, more)], [answered(questions, base)])
    assert [row.name for row in found] == ["s0", "s1", "overall"]
    assert found[-1].difference == pytest.approx(1 / (110 + 42))
    assert (found[-1].p_value, found[-1].above, found[-1].below) == (1.0, False, False)


def test_what_is_hard_for_both_cancels() -> None:
    # b has half of the questions right, a the same and one in ten of the others: a paired comparison sees it, though
    # each interval alone holds the other's accuracy
    draw = np.random.default_rng(5)
    questions = crossed(23, 19)
    b = with_noise_of_pairs(questions, draw)
    a = np.where((b == 0) & (draw.random(len(b)) < 0.1), 1.0, b)
    ours, theirs = answered(questions, a), answered(questions, b)
    total = compare_analogies([ours], [theirs])[-1]
    assert total.above
    assert total.p_value <= 0.01
    assert total.difference == pytest.approx(a.mean() - b.mean())
    alone = analogy_scores(ours)[-1].interval
    assert alone is not None
    assert alone.low < b.mean() < alone.high
    back = compare_analogies([theirs], [ours])[-1]
    assert back.below
    assert (back.difference, back.low, back.high) == pytest.approx((-total.difference, -total.high, -total.low))


def test_p_values_of_equal_models_are_even_or_larger() -> None:
    # two models that differ by chance only: of 80 comparisons 5 % below 0.05 is 4, and 4 + 4 · √(80 · 0.05 · 0.95) = 12
    draw = np.random.default_rng(8)
    questions = crossed(17)
    below = 0
    for world in range(80):
        pairs = pairs_of(questions, np.arange(len(questions.questions)))
        ease = draw.standard_normal((2, 17))
        right = [ease[m][pairs[:, 0]] + ease[m][pairs[:, 1]] + draw.standard_normal(len(pairs)) > 0 for m in range(2)]
        found = compare_analogies([answered(questions, right[0])], [answered(questions, right[1])], seed=world)
        below += found[-1].p_value < 0.05
    assert below <= 12


def test_only_what_all_models_know_is_compared() -> None:
    questions = crossed(7)
    one, other = (answered(questions, np.ones(42)) for _ in range(2))
    asked = np.arange(42) >= 6  # the other lacks the words of the first pair in front
    fewer = AnalogyAnswers(questions, asked, other.right & asked, 97)
    assert compare_analogies([one], [fewer])[-1].asked == 36
    with pytest.raises(
        TooLittleTextError,
        match="crossed: the questions that all models know have 0 pairs of words; a comparison needs 5",
    ):
        compare_analogies([one], [AnalogyAnswers(questions, np.zeros(42, bool), np.zeros(42, bool), 97)])
    few = answered(crossed(4), np.ones(12))
    with pytest.raises(TooLittleTextError, match="have 4 pairs of words; a comparison needs 5"):
        compare_analogies([few], [few])
    assert [
        row.name
        for row in compare_analogies([answered(crossed(3, 2), np.ones(8))] * 2, [answered(crossed(3, 2), np.ones(8))])
    ] == ["overall"]
    with pytest.raises(UsageError, match="answered different sets"):
        compare_analogies([one], [answered(crossed(5), np.ones(20))])


def test_models_of_several_seeds_are_averaged_and_their_spread_widens_the_interval() -> None:
    # every seed of ours solves one section of the two: the mean is 1/2 as theirs, the pairs say nothing, seeds do
    questions = crossed(11, 11)
    halves = [np.array(questions.section) == number for number in (0, 1)]
    ours = [answered(questions, np.ones(220)), answered(questions, np.zeros(220))]
    theirs = [answered(questions, halves[0]), answered(questions, halves[0])]
    total = compare_analogies(ours, theirs)[-1]
    assert (total.ours, total.theirs, total.difference) == (0.5, 0.5, 0.0)
    assert (total.low, total.high) == pytest.approx((-0.5, 0.5))
    assert total.p_value > 0.5


def test_resampled_models_have_the_variance_of_their_mean() -> None:
    # three models at 1, 2, 6: sample variance ((−2)² + (−1)² + 3²) ⁄ 2 = 7, that of the mean 7 ⁄ 3
    figures = np.repeat(np.array([[1.0], [2.0], [6.0]]), 20_000, axis=1)
    drawn = models_resampled(figures, seed=0, side="0")
    assert drawn.mean() == pytest.approx(3, abs=0.05)
    assert drawn.var() == pytest.approx(7 / 3, rel=0.03)
    assert models_resampled(figures[:1], seed=0, side="0").tolist() == [1.0] * 20_000


@pytest.mark.parametrize("ties", [False, True])
def test_resampled_correlations_are_those_of_the_pairs_written_out(*, ties: bool) -> None:
    draw = np.random.default_rng(3)
    scores = draw.integers(0, 4, 17).astype(float) if ties else draw.standard_normal(17)
    cosines = np.stack([np.round(draw.standard_normal(17), 0 if ties else 6) for _ in range(2)])
    found = resampled_correlations(scores, cosines, seed=4, resamples=29)
    counts = generator(4, "similarity").multinomial(17, np.full(17, 1 / 17), size=29)
    for column, times in enumerate(counts):
        rows = np.repeat(np.arange(17), times)
        for model in range(2):
            assert found[model, column] == pytest.approx(spearman(scores[rows], cosines[model][rows]), abs=1e-12)


def test_resamples_without_an_order_are_undefined() -> None:
    found = resampled_correlations(np.array([1.0, 1, 2]), np.array([[0.1, 0.2, 0.3]]), seed=0, resamples=200)
    assert 0 < np.isnan(found).sum() < 200
    bounds = interval(0.5, found[0])
    assert bounds is not None
    assert -1 <= bounds.low <= bounds.high <= 1
    assert interval(0.5, np.full(7, np.nan)) is None


def judged(pairs: SimilaritySet, cosines: Values) -> SimilarityAnswers:
    return SimilarityAnswers(pairs, np.ones(len(cosines), bool), cosines, 0, 97)


def test_correlations_are_compared_on_the_same_pairs() -> None:
    # the closer model has less noise on the same 199 scores
    draw = np.random.default_rng(0)
    scores = draw.standard_normal(199)
    pairs = SimilaritySet("made-up", tuple((f"a{n}", f"b{n}") for n in range(199)), tuple(scores.tolist()))
    near, far = (judged(pairs, scores + noise * draw.standard_normal(199)) for noise in (0.5, 1.5))
    found = compare_similarity([near], [far])
    assert found.above
    assert (found.ours, found.theirs) == (near.correlation, far.correlation)
    assert found.p_value == pytest.approx(2 / 2001)
    assert 0 < found.smallest_detectable < found.difference
    same = compare_similarity([near], [near])
    assert (same.difference, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_too_few_pairs_or_other_pairs_are_not_compared() -> None:
    pairs = SimilaritySet("few", (("a", "b"),) * 4, (1.0, 2.0, 3.0, 4.0))
    answers = judged(pairs, np.array([1.0, 2, 3, 4]))
    with pytest.raises(TooLittleTextError, match="few: 4 pairs that all models know; a comparison needs 5"):
        compare_similarity([answers], [answers])
    even = SimilaritySet("even", (("a", "b"),) * 7, (1.0,) * 7)
    with pytest.raises(TooLittleTextError, match="even: people or a model find all known pairs equally alike"):
        compare_similarity([judged(even, np.arange(7.0))], [judged(even, np.arange(7.0))])
    other = SimilaritySet("few", (("a", "b"),) * 4, (1.0, 2.0, 3.0, 5.0))
    with pytest.raises(UsageError, match="different sets"):
        compare_similarity([answers], [judged(other, answers.cosines)])


def test_a_p_value_by_hand() -> None:
    # of seven resampled differences one is below zero and none is zero: 2 · (1 + 1) ⁄ (1 + 7) = 0.5
    ours, theirs = np.array([3.0, 2, 5, 4, 6, 3, 1]), np.array([1.0, 1, 1, 1, 1, 1, 2])
    found = difference("hand", (3.0, 1.0), (ours, theirs), 97)
    assert (found.p_value, found.difference, found.asked) == (0.5, 2.0, 97)
    # the smallest detectable difference is (1.96 + 0.84) standard deviations of the resampled ones
    assert found.smallest_detectable == pytest.approx(2.801585 * np.std([2, 1, 4, 3, 5, 2, -1], ddof=1))
