"""Hypotheses ranked by hand-computed sums, tuned weights, and every family as the language model."""

import itertools

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.families import PLAIN_LANGUAGE_FAMILIES
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.models.registry import FAMILIES
from ziggurat.use.rescoring import GRID, Hypothesis, RescoringConfig, language_scores, rank, tune
from ziggurat.use.scoring import score_texts

LIST = [Hypothesis("one two", -30.0, -7.0), Hypothesis("one", -20.0, -9.0), Hypothesis("two two two", -25.0, -3.0)]
LOGPROBS = [-2.0, -8.0, -5.0]


@pytest.mark.parametrize(
    ("weights", "scores"),
    [
        # -30 - 2λ - 7μ + 2ω, -20 - 8λ - 9μ + ω, -25 - 5λ - 3μ + 3ω
        ((0.0, 0.0, 0.0), [-30.0, -20.0, -25.0]),
        ((3.0, 0.0, 0.0), [-36.0, -44.0, -40.0]),
        ((1.0, 2.0, 0.0), [-46.0, -46.0, -36.0]),
        ((1.0, 0.5, -4.0), [-43.5, -36.5, -43.5]),
        ((1.0, 0.5, 4.0), [-27.5, -28.5, -19.5]),
    ],
)
def test_a_score_is_the_weighted_sum(weights: tuple[float, float, float], scores: list[float]) -> None:
    config = RescoringConfig(lm_weight=weights[0], first_weight=weights[1], word_bonus=weights[2])
    found = rank(LIST, LOGPROBS, config)
    assert [one.score for one in found] == pytest.approx(sorted(scores, reverse=True))
    order = sorted(range(3), key=lambda row: -scores[row])  # stable: equal ones keep their order
    assert [one.hypothesis for one in found] == [LIST[row] for row in order]
    assert [one.logprob for one in found] == [LOGPROBS[row] for row in order]


def test_nothing_is_ranked_as_nothing() -> None:
    assert rank([], [], RescoringConfig()) == []
    with pytest.raises(UsageError, match="2 log-probabilities for 3 hypotheses"):
        rank(LIST, LOGPROBS[:2], RescoringConfig())


def test_a_chinese_hypothesis_has_its_characters_as_words() -> None:
    assert [Hypothesis(text, 0.0).words for text in ("今天 好", "he was not", "")] == [3, 3, 0]


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_any_family_scores_hypotheses(family: str) -> None:
    model, tokenizer = FAMILIES.get(family).tiny(seed=0), eleven_words()
    lists = [LIST, [], [LIST[2], Hypothesis("nine", -1.0)]]
    found = language_scores(model, tokenizer, lists)  # type: ignore[arg-type]
    assert [len(one) for one in found] == [3, 0, 2]
    assert found[0][2] == found[2][0]
    for hypotheses, scores in zip(lists, found, strict=True):
        for one, score in zip(hypotheses, scores, strict=True):
            units = score_texts(model, tokenizer, [one.text], by="token")[0]  # type: ignore[arg-type]
            assert score == pytest.approx(sum(unit.logprob for unit in units), abs=1e-4)


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_what_was_said_before_is_read_and_not_counted(family: str) -> None:
    model, tokenizer = FAMILIES.get(family).tiny(seed=0), eleven_words()
    before = ["", "one two\nnine"]
    found = language_scores(model, tokenizer, [LIST, LIST], before=before)  # type: ignore[arg-type]
    for head, scores in zip(("", "one two\nnine\n"), found, strict=True):
        for one, score in zip(LIST, scores, strict=True):
            (units,) = score_texts(model, tokenizer, [f"{head}{one.text}\n"], by="token")  # type: ignore[arg-type]
            counted = units[len(tokenizer.encode(head).ids) :]
            assert score == pytest.approx(sum(unit.logprob for unit in counted), abs=1e-4)


def test_each_list_has_what_was_said_before_it() -> None:
    with pytest.raises(UsageError, match="1 texts before 2 lists"):
        language_scores(FAMILIES.get("ngram").tiny(seed=0), eleven_words(), [LIST, LIST], before=[""])  # type: ignore[arg-type]


def held_out(rows: int) -> tuple[list[list[Hypothesis]], list[np.ndarray], list[list[int]]]:
    """Lists whose right hypothesis is the one with the highest acoustic + 4 log p, which is known by construction."""
    draw = np.random.default_rng(3)
    lists, logprobs, errors = [], [], []
    for _ in range(rows):
        language = -draw.integers(1, 40, 13).astype(np.float64)
        sums = draw.permutation(13) * 10.0
        lists.append(
            [Hypothesis(f"w{row}", float(s - 4 * p)) for row, (s, p) in enumerate(zip(sums, language, strict=True))]
        )
        logprobs.append(language)
        errors.append([0 if s == 120.0 else 1 for s in sums])
    return lists, logprobs, errors


def wrong(config: RescoringConfig, lists, logprobs, errors) -> int:
    return sum(
        found[int(rank(one, scores, config)[0].hypothesis.text[1:])]
        for one, scores, found in zip(lists, logprobs, errors, strict=True)
    )


def test_weights_are_found_that_make_no_errors() -> None:
    data = held_out(31)
    found = tune(*data)
    assert found.lm_weight == 4.0  # of the grid, the only one near enough to what made the lists
    assert wrong(found, *data) == 0 < wrong(RescoringConfig(), *data)
    assert found == tune(*data)


def test_tuning_is_never_worse_than_any_weights_that_it_tries() -> None:
    lists, logprobs, _ = held_out(17)
    draw = np.random.default_rng(5)
    errors = [draw.integers(0, 4, 13).tolist() for _ in range(17)]
    found = wrong(tune(lists, logprobs, errors), lists, logprobs, errors)
    for values in itertools.product(*(GRID[name] for name in ("lm_weight", "first_weight", "word_bonus"))):
        assert found <= wrong(RescoringConfig(*values), lists, logprobs, errors)


def test_a_word_bonus_is_found() -> None:
    lists = [[Hypothesis("one", 0.0), Hypothesis("one two", -7.0)]] * 3
    found = tune(lists, [np.zeros(2)] * 3, [[1, 0]] * 3)
    assert found.word_bonus == 10.0  # 5 is not enough to make up for 7


def test_where_nothing_helps_the_defaults_stay() -> None:
    assert tune([LIST, []], [np.array(LOGPROBS), np.empty(0)], [[2, 2, 2], []]) == RescoringConfig()


def test_smoothed_errors_tell_weights_apart_that_rank_alike() -> None:
    # with bonus ω and α = 5 "one two" is drawn with 1 / (1 + exp((7 - ω) / 5)): 5 ranks it behind, 10 and 20 ahead,
    # and of these 20 leaves the fewest errors to be expected: 1 / (1 + exp(13 / 5)) = 0.07 instead of 0.35
    lists = [[Hypothesis("one", 0.0), Hypothesis("one two", -7.0)]]
    assert tune(lists, [np.zeros(2)], [[1, 0]]).word_bonus == 10.0
    assert tune(lists, [np.zeros(2)], [[1, 0]], smoothing=5.0).word_bonus == 20.0
    # a bonus of 10 for two words where one was said would cost as much as it gains elsewhere: the smallest wins
    lists.append([Hypothesis("one", 0.0), Hypothesis("one two", 0.0)])
    found = tune(lists, [np.zeros(2)] * 2, [[1, 0], [0, 3]], smoothing=5.0)
    expected = {bonus: 1 / (1 + np.exp((bonus - 7) / 5)) + 3 / (1 + np.exp(-bonus / 5)) for bonus in GRID["word_bonus"]}
    assert found.word_bonus == min(expected, key=expected.__getitem__)
    with pytest.raises(UsageError, match="smoothing: must be 0 or more nats, got -1"):
        tune(lists, [np.zeros(2)] * 2, [[1, 0], [0, 3]], smoothing=-1.0)


def test_a_grid_of_ones_own() -> None:
    lists, logprobs, errors = held_out(7)
    found = tune(lists, logprobs, errors, grid={"lm_weight": [1.0], "word_bonus": [0.0], "first_weight": [0.0]})
    assert found in (RescoringConfig(), RescoringConfig(lm_weight=1.0))
    with pytest.raises(UsageError, match="grid: no weight 'lm'; known: lm_weight, first_weight, word_bonus"):
        tune(lists, logprobs, errors, grid={"lm": [1.0]})


def test_tuning_needs_lists_that_belong_together() -> None:
    with pytest.raises(TooLittleTextError, match="no recording with hypotheses"):
        tune([[]], [np.empty(0)], [[]])
    for logprobs, errors in (([np.zeros(2)], [[1, 1, 1]]), ([np.zeros(3)], [[1]]), ([], [])):
        with pytest.raises(UsageError, match="one log-probability and one number of errors"):
            tune([LIST], logprobs, errors)
