"""Seeds: the same for the same purpose, different for every other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.seeding import derive, generator, uniform_rows

PURPOSES = st.lists(st.text(max_size=5) | st.integers(-3, 300), max_size=3)


@given(st.integers(0, 2**63), PURPOSES)
def test_a_seed_is_a_non_negative_63_bit_number_and_always_the_same(seed: int, purpose: list[str | int]) -> None:
    derived = derive(seed, *purpose)
    assert 0 <= derived < 2**63
    assert derive(seed, *purpose) == derived


def test_seeds_stay_the_same_between_versions() -> None:
    # blake2b-64 of the words joined by the unit separator, read little-endian, one bit dropped; a change would
    # silently change every model that is trained again
    assert derive(0) == 4246866556266386882
    assert derive(0, "init") == 6767970929478544064
    assert derive(13, "data", 7) == 4261540791151467510


def test_purposes_do_not_run_into_each_other() -> None:
    seeds = [derive(0, "ab"), derive(0, "a", "b"), derive(0, "a"), derive(0), derive(1), derive(0, "b", "a")]
    assert len(set(seeds)) == len(seeds)
    assert derive(1, 2) != derive(12)


@pytest.mark.parametrize("purpose", [(), ("init",), ("data", 3)])
def test_a_generator_draws_the_same_numbers_again(purpose: tuple[str | int, ...]) -> None:
    first, second = generator(7, *purpose).random(11), generator(7, *purpose).random(11)
    np.testing.assert_array_equal(first, second)


def test_two_purposes_draw_different_numbers() -> None:
    assert not np.array_equal(generator(7, "init").random(11), generator(7, "data").random(11))


def test_generators_do_not_touch_numpys_global_state() -> None:
    np.random.seed(3)  # noqa: NPY002
    before = np.random.random(2)  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    generator(0).random(5)
    np.testing.assert_array_equal(np.random.random(2), before)  # noqa: NPY002


# -- first vectors ----------------------------------------------------------------------------------------------------


def test_rows_stay_the_same_between_versions() -> None:
    # 24-bit draws of PCG64 for the purpose's seed, less a half, times 2 / 7; another number is another first vector
    drawn = uniform_rows(2, 7, 13, "vectors")
    again = (generator(13, "vectors").random((2, 7), np.float32) - np.float32(0.5)) * np.float32(2 / 7)
    assert drawn.dtype == np.float32
    np.testing.assert_array_equal(drawn, again)


@pytest.mark.parametrize("width", [1, 7, 100, 300])
def test_rows_are_uniform_in_a_box_of_one_over_their_width(width: int) -> None:
    # uniform in ±a: mean 0, variance a² / 3; of n draws the mean's deviation is a / √(3 n)
    rows = 60_000 // width
    drawn, edge = uniform_rows(rows, width, 5, "vectors").astype(np.float64), 1 / width
    assert drawn.shape == (rows, width)
    assert -edge <= drawn.min() < -0.999 * edge
    assert 0.999 * edge < drawn.max() <= edge
    assert abs(drawn.mean()) < 4 * edge / np.sqrt(3 * drawn.size)
    assert drawn.var() == pytest.approx(edge**2 / 3, rel=0.02)
    quarters = np.histogram(drawn, bins=4, range=(-edge, edge))[0] / drawn.size
    assert quarters == pytest.approx([0.25] * 4, abs=0.01)


def test_rows_of_one_purpose_are_nobody_elses() -> None:
    first = uniform_rows(3, 5, 7, "vectors")
    np.testing.assert_array_equal(first, uniform_rows(3, 5, 7, "vectors"))
    for other in (uniform_rows(3, 5, 7, "ngrams"), uniform_rows(3, 5, 8, "vectors"), uniform_rows(3, 5, 7)):
        assert not np.isin(other, first).all()
    assert uniform_rows(0, 5, 7).shape == (0, 5)
