"""The matrices that GloVe learns: what they begin as, where biases stand, and what a checkpoint keeps of them."""

import numpy as np
import pytest

from ziggurat.core.types import Vocabulary
from ziggurat.training.glove_matrices import Matrices

VOCABULARY = Vocabulary(size=23, bos=0, eos=0, unk=1)


@pytest.mark.parametrize(("width", "padded"), [(1, 16), (14, 16), (15, 32), (100, 112), (300, 304)])
def test_rows_have_room_for_the_vector_and_two_more(width: int, padded: int) -> None:
    matrices = Matrices(VOCABULARY, width, seed=3)
    for matrix in matrices.pair:
        assert matrix.shape == (23, 2 * padded)
        assert matrix.dtype == np.float32
        assert not matrix[:, width + 2 : padded].any()  # padding
        assert matrix.ctypes.data % 64 == 0  # rows begin at a cache line


def test_numbers_are_drawn_within_a_half_of_one_part_of_the_width() -> None:
    matrices = Matrices(Vocabulary(size=2003, bos=0, eos=0), 7, seed=3)
    for matrix, bias in ((matrices.words, 7), (matrices.contexts, 8)):
        drawn = np.column_stack([matrix[:, :7], matrix[:, bias]])
        assert np.abs(drawn).max() <= 0.5 / 7
        # uniform on ±a has the standard deviation a / √3
        assert drawn.std() == pytest.approx(0.5 / 7 / np.sqrt(3), rel=0.02)
    assert not np.array_equal(matrices.words[:, :7], matrices.contexts[:, :7])


def test_a_bias_meets_a_one() -> None:
    matrices = Matrices(VOCABULARY, 5, seed=3)
    assert (matrices.words[:, 6] == 1).all()
    assert (matrices.contexts[:, 5] == 1).all()
    half = matrices.words.shape[1] // 2
    assert (matrices.words[:, half + 6] > 1e29).all()  # these never move
    assert (matrices.contexts[:, half + 5] > 1e29).all()
    others = np.ones(2 * half, bool)
    others[[*range(half), half + 6]] = False
    assert (matrices.words[:, others] == 1).all()  # AdaGrad sums begin at 1
    # the product of whole rows is w·w̃ + b·1 + 1·b̃
    word, context = matrices.words[2, :half].astype(float), matrices.contexts[3, :half].astype(float)
    assert word @ context == pytest.approx(word[:5] @ context[:5] + word[5] + context[6], rel=1e-6)


def test_vectors_of_special_ids_are_zero() -> None:
    matrices = Matrices(Vocabulary(size=23, bos=5, eos=3, unk=None), 7, seed=3)
    words, contexts = matrices.vectors()
    for found, matrix in ((words, matrices.words), (contexts, matrices.contexts)):
        assert found.shape == (23, 7)
        assert not found[[3, 5]].any()
        assert np.array_equal(np.delete(found, [3, 5], axis=0), np.delete(matrix[:, :7], [3, 5], axis=0))
        assert matrix[[3, 5]].any()  # the matrices are as they were
    # 21 words, two vectors of 7 and two biases each
    assert matrices.parameters == 21 * 2 * 8


def test_seeds_decide() -> None:
    one, same, other = (Matrices(VOCABULARY, 7, seed=seed) for seed in (3, 3, 5))
    assert np.array_equal(one.words, same.words)
    assert np.array_equal(one.contexts, same.contexts)
    assert not np.array_equal(one.words, other.words)


def test_restored_matrices_are_equal() -> None:
    one, two = Matrices(VOCABULARY, 7, seed=3), Matrices(VOCABULARY, 7, seed=5)
    address = two.words.ctypes.data
    two.restore({name: np.array(array) for name, array in one.arrays().items()})
    assert np.array_equal(one.words, two.words)
    assert np.array_equal(one.contexts, two.contexts)
    assert two.words.ctypes.data == address  # their memory, which begins at a cache line, is kept


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("words"),
        lambda tensors: tensors.update(words=tensors["words"][:-1]),
        lambda tensors: tensors.update(contexts=tensors["contexts"].astype(np.float64)),
    ],
)
def test_what_does_not_fit_is_refused(change) -> None:
    tensors = dict(Matrices(VOCABULARY, 7, seed=3).arrays())
    change(tensors)
    with pytest.raises((KeyError, ValueError)):
        Matrices(VOCABULARY, 7, seed=3).restore(tensors)
