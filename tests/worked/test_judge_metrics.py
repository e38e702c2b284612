"""What a metric's figure is made of, on numbers that a pencil can follow."""

import math

import pytest

from tests.fakes.evaluations import evaluation
from ziggurat.core.errors import UsageError
from ziggurat.judge.evaluate import METRICS
from ziggurat.judge.ranking import rank

BIT = math.log(2)


def test_a_model_that_knows_nothing_of_bytes_needs_eight_bits() -> None:
    # Uniform over 256 bytes, and the end of text for nothing: n ln 256 nats of n bytes.
    assert evaluation([1009 * math.log(256)], size_bytes=1009).bits_per_byte == pytest.approx(8, rel=1e-12)


def test_a_perfect_prophet() -> None:
    one = evaluation([0.0, 0.0])
    assert {name: METRICS.get(name).of(one) for name in METRICS.names()} == {
        "bits_per_byte": 0.0,
        "nats_per_token": 0.0,
        "token_perplexity": 1.0,
    }


def test_long_documents_weigh_more_than_short_ones() -> None:
    # (2 + 80) bits of (1 + 10) bytes is 82/11 = 7.45; the mean of both documents' figures would be (2 + 8) / 2 = 5.
    assert evaluation([2 * BIT, 80 * BIT], size_bytes=[1, 10]).bits_per_byte == pytest.approx(82 / 11)


def test_perplexity_ends_where_floats_end() -> None:
    assert evaluation([699.0], tokens=1).token_perplexity == pytest.approx(math.exp(699))
    assert evaluation([math.inf]).token_perplexity == math.inf


def test_generators_are_read_as_well_as_lists() -> None:
    # (0 + 1/2 + 1 + 3/2 + 2) = 5 nats of 10 tokens
    metric = METRICS.get("nats_per_token")()
    metric.update((x / 2 for x in range(5)), iter([2, 3, 5]), iter([7]))
    assert metric.value() == pytest.approx(0.5)


def test_documents_of_the_same_name_but_another_size_are_not_the_same() -> None:
    one, other = evaluation([1.0, 2.0], size_bytes=[100, 101]), evaluation([1.0, 2.0], size_bytes=[100, 102])
    with pytest.raises(UsageError, match="b was scored on other documents: score all models on one test set"):
        rank({"a": one, "b": other})


def test_models_with_different_tokenizers_are_ranked_by_bytes() -> None:
    # 10 bits of 100 bytes against 20: few tokens or many do not matter.
    ranking = rank({"b": evaluation([20 * BIT] * 11, tokens=50), "a": evaluation([10 * BIT] * 11, tokens=3)})
    assert ranking.names == ("a", "b")
    assert ranking.pairs[0].difference.value == pytest.approx(0.1)


def test_one_model_alone_is_a_ranking_without_pairs() -> None:
    ranking = rank({"only": evaluation([1.0, 2.0])})
    assert (ranking.names, ranking.pairs) == (("only",), ())


def test_corrected_p_values_are_holm_s_over_the_whole_ranking() -> None:
    # Each of three pairs differs in each of 30 documents alike: p = 1/10 001 before, 3/10 001 after.
    ranking = rank({name: evaluation([100.0 + step] * 30) for step, name in enumerate("abc")})
    assert [pair.difference.p_value for pair in ranking.pairs] == pytest.approx([1 / 10_001] * 3)
    assert [pair.corrected_p_value for pair in ranking.pairs] == pytest.approx([3 / 10_001] * 3)
    assert [(pair.better, pair.worse) for pair in ranking.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
