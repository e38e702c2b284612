"""Every metric on numbers that a pencil can follow."""

import math

import pytest

from ziggurat.judge.evaluate import METRICS, Evaluation


def evaluation(nats: tuple[float, ...], tokens: tuple[int, ...], sizes: tuple[int, ...]) -> Evaluation:
    ids = tuple(f"d{number}" for number in range(len(nats)))
    return Evaluation(ids, nats, tokens, sizes, "f00d", True, 2.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # two documents of 3 ln 2 and 9 ln 2 nats, 2 and 4 tokens, 5 and 3 bytes
        ("bits_per_byte", 1.5),  # 12 bits of 8 bytes
        ("nats_per_token", 2 * math.log(2)),  # 12 ln 2 nats of 6 tokens
        ("token_perplexity", 4.0),  # exp(2 ln 2)
    ],
)
def test_two_documents_by_hand(name: str, expected: float) -> None:
    one = evaluation((3 * math.log(2), 9 * math.log(2)), (2, 4), (5, 3))
    assert METRICS.get(name).of(one) == pytest.approx(expected, rel=1e-12)


def test_a_model_that_knows_nothing_of_bytes_needs_eight_bits() -> None:
    # Uniform over 256 bytes, and the end of text for nothing: n ln 256 nats of n bytes.
    size = 1009
    one = evaluation((size * math.log(256),), (size + 1,), (size,))
    assert one.bits_per_byte == pytest.approx(8, rel=1e-12)


def test_a_uniform_model_is_as_perplexed_as_its_vocabulary_is_large() -> None:
    one = evaluation((13 * math.log(4099), 7 * math.log(4099)), (13, 7), (31, 17))
    assert one.token_perplexity == pytest.approx(4099, rel=1e-12)


def test_a_perfect_prophet() -> None:
    one = evaluation((0.0, 0.0), (3, 5), (7, 11))
    assert [METRICS.get(name).of(one) for name in METRICS.names()] == [0.0, 0.0, 1.0]


def test_long_documents_weigh_more_than_short_ones() -> None:
    # (2 + 80) bits of (1 + 10) bytes is 82/11 = 7.45; the mean of both documents' figures would be (2 + 8) / 2 = 5.
    one = evaluation((2 * math.log(2), 80 * math.log(2)), (1, 1), (1, 10))
    assert one.bits_per_byte == pytest.approx(82 / 11)


def test_perplexity_beyond_any_float_is_infinite_instead_of_an_error() -> None:
    # exp(709.8) is the last that a double holds.
    assert evaluation((1e6,), (1000,), (1,)).token_perplexity == math.inf
    assert evaluation((math.inf,), (1000,), (1,)).token_perplexity == math.inf
    assert evaluation((699.0,), (1,), (1,)).token_perplexity == pytest.approx(math.exp(699))


def test_one_metric_goes_on_over_many_batches() -> None:
    metric = METRICS.get("bits_per_byte")()
    for nats, size in ((1.0, 2), (2.0, 3), (4.0, 5)):
        metric.update([nats * math.log(2)], [1], [size])
    assert metric.value() == pytest.approx(7 / 10)


def test_generators_are_read_as_well_as_lists() -> None:
    metric = METRICS.get("nats_per_token")()
    metric.update((x / 2 for x in range(5)), iter([2, 3, 5]), (n for n in ()))
    assert metric.value() == pytest.approx(5.0 / 10)
