"""What holds of counts and of vectors whatever the text."""

import numpy as np
import pytest

from tests.fakes.glove_jobs import VOCABULARY, job, vectors, with_text
from tests.fakes.token_streams import MemoryStream
from tests.worked.test_cooccurrences import PLENTY, dense, random_documents
from ziggurat.core.config import to_mapping
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.training import glove
from ziggurat.training.cooccurrences import Window, count_cooccurrences

SMALL = Vocabulary(size=17, bos=0, eos=0, unk=1)
WINDOWS = [Window(1), Window(7), Window(5, symmetric=False), Window(3, weighted=False), Window(23)]
SEEDS = [1, 2, 3]

Documents = list[list[int]]


def matrix(documents: Documents, window: Window) -> np.ndarray:
    return dense(count_cooccurrences(MemoryStream.of(documents, SMALL), window, PLENTY))


def text(seed: int) -> Documents:
    return random_documents(seed, SMALL, documents=19, length=37)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", SEEDS)
class TestCounts:
    """Of any text and window."""

    def test_of_two_texts_are_the_sum(self, window: Window, seed: int) -> None:
        one, two = text(seed), text(seed + 10)
        assert np.allclose(matrix(one + two, window), matrix(one, window) + matrix(two, window), rtol=1e-12)

    def test_do_not_depend_on_the_order_of_documents(self, window: Window, seed: int) -> None:
        documents = text(seed)
        assert np.array_equal(matrix(documents, window), matrix(documents[::-1], window))

    def test_of_a_text_read_backwards_are_mirrored(self, window: Window, seed: int) -> None:
        documents = text(seed)
        backwards = matrix([document[::-1] for document in documents], window)
        assert np.array_equal(matrix(documents, window), backwards.T)
        if window.symmetric:
            assert np.array_equal(backwards, backwards.T)

    def test_know_nothing_of_unknown_words(self, window: Window, seed: int) -> None:
        documents = text(seed)
        known = [[word for word in document if word != SMALL.unk] for document in documents]
        assert np.array_equal(matrix(documents, window), matrix(known, window))
        assert not matrix(documents, window)[[0, 1]].any()

    def test_grow_with_the_window(self, window: Window, seed: int) -> None:
        wider = Window(window.size + 1, window.symmetric, window.weighted)
        # windows beyond 16 round 1/d to a 720,720th
        assert (matrix(text(seed), wider) >= matrix(text(seed), window) * (1 - 1e-4)).all()

    def test_are_named_like_their_words(self, window: Window, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(SMALL.size - 2) + 2
        names = np.concatenate([[0, 1], order])
        documents = text(seed)
        renamed = matrix([names[document].tolist() for document in documents], window)
        assert np.array_equal(renamed[np.ix_(names, names)], matrix(documents, window))

    def test_have_the_mass_of_all_places(self, window: Window, seed: int) -> None:
        weights = window.units()[1] / window.units()[0]
        expected = 0.0
        for document in text(seed):
            words = [word for word in document if word != SMALL.unk]
            for distance in range(1, window.size + 1):
                expected += weights[distance] * max(0, len(words) - distance) * (2 if window.symmetric else 1)
        assert matrix(text(seed), window).sum() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("width", [1, 14, 15, 31])
def test_vectors_of_any_width(seed: int, width: int) -> None:
    # 14 and its two places for biases fill a register of 16; 15 needs a second one
    fitted = glove.fit(job(seed=seed, width=width, epochs=2))
    model = vectors(fitted)
    assert model.vectors.shape == (VOCABULARY.size, width)
    assert np.isfinite(model.vectors).all()
    assert not model.vectors[[0, 1]].any()
    assert fitted.facts["losses"][1] < fitted.facts["losses"][0]


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("threads", [2, 7])
def test_threads_change_nothing(symmetric: bool, threads: int) -> None:
    one, many = (glove.fit(job(symmetric=symmetric, threads=number)) for number in (1, threads))
    assert np.array_equal(vectors(one).vectors, vectors(many).vectors)
    assert one.facts["losses"] == many.facts["losses"]
    assert one.facts["dev_loss"] == many.facts["dev_loss"]


def test_a_word_that_never_occurs_stays_where_it_was_drawn() -> None:
    stream = MemoryStream.of([[2, 3, 5] * 7], VOCABULARY)
    one, two = (vectors(glove.fit(with_text(job(epochs=epochs), stream))).vectors for epochs in (1, 5))
    assert np.array_equal(one[6:], two[6:])
    assert not np.array_equal(one[2], two[2])
    assert np.abs(one[6:]).max() <= 1 / 11  # two numbers within ±1 / (2 · 11)


def test_the_family_names_the_trainer() -> None:
    assert "glove" in FAMILIES.get("word_vectors").trainers
    assert to_mapping(glove.Config())["learning_rate"] == 0.05  # the paper's
    assert to_mapping(glove.Config())["x_max"] == 100.0
    assert to_mapping(glove.Config())["alpha"] == 0.75
