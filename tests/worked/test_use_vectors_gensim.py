"""The answers of gensim 4.4 to the same vectors, and the names that its users know.

Made by ``KeyedVectors(5)`` with `VECTORS` under the names w0 … w12: ``most_similar``, ``most_similar_cosmul``,
``similarity``, ``doesnt_match``, ``similar_by_vector``.
"""

import numpy as np
import pytest

from tests.fakes.word_vectors import vectors_of
from ziggurat.use.vectors import Vectors

VECTORS = np.round(np.random.default_rng(7).normal(size=(13, 5)), 3)


@pytest.fixture
def thirteen() -> Vectors:
    return vectors_of({f"w{number}": row.tolist() for number, row in enumerate(VECTORS)})


def test_sums_of_words(thirteen: Vectors) -> None:
    theirs = [("w10", 0.640135), ("w12", 0.436142), ("w8", 0.317219), ("w6", 0.204573)]
    assert thirteen.most_similar(positive=["w3", "w5"], negative=["w1"], topn=4) == [
        (word, pytest.approx(value, abs=2e-6)) for word, value in theirs
    ]
    theirs = [("w12", 0.368247), ("w11", 0.331444), ("w3", 0.273263)]
    assert thirteen.most_similar(positive=["w2"], negative=["w4", "w6"], topn=3) == [
        (word, pytest.approx(value, abs=2e-6)) for word, value in theirs
    ]


def test_a_restricted_vocabulary(thirteen: Vectors) -> None:
    theirs = [("w1", 0.947794), ("w0", 0.220521), ("w2", 0.155151)]
    assert thirteen.most_similar("w7", topn=3, restrict_vocab=6) == [
        (word, pytest.approx(value, abs=2e-6)) for word, value in theirs
    ]


def test_products_of_words(thirteen: Vectors) -> None:
    found = [word for word, _ in thirteen.most_similar_cosmul(positive=["w3", "w5"], negative=["w1"], topn=12)]
    assert found == ["w8", "w10", "w12", "w6", "w0", "w4", "w2", "w11", "w7", "w9"]


def test_pairs_and_the_odd_one(thirteen: Vectors) -> None:
    assert thirteen.similarity("w0", "w9") == pytest.approx(-0.039152, abs=2e-6)
    assert thirteen.distance("w0", "w9") == pytest.approx(1.039152, abs=2e-6)
    assert thirteen.doesnt_match(["w0", "w2", "w4", "w8"]) == "w4"


def test_a_vector_in_the_place_of_a_word_excludes_no_answer(thirteen: Vectors) -> None:
    theirs = [("w3", 0.730906), ("w12", 0.617223), ("w5", 0.599225)]
    asked = (VECTORS[3] + VECTORS[4]).astype(np.float32)
    expected = [(word, pytest.approx(value, abs=2e-6)) for word, value in theirs]
    assert thirteen.most_similar(asked, topn=3) == expected
    assert thirteen.most_similar(positive=[asked], topn=3) == expected


def test_rows_and_words_by_familiar_names(thirteen: Vectors) -> None:
    assert thirteen.vector_size == 5
    assert thirteen.key_to_index["w4"] == 6  # behind the two ids that are no words
    assert thirteen.index_to_key[6] == "w4"
    assert thirteen.vectors[thirteen.key_to_index["w4"]].tolist() == thirteen["w4"].tolist()
    assert list(thirteen.key_to_index)[:2] == list(thirteen.vocabulary_words)[:2] == ["w0", "w1"]
    assert len(thirteen.key_to_index) == len(thirteen) == 13
    assert "<unk>" not in thirteen.key_to_index
    assert np.linalg.norm(thirteen.get_vector("w4", norm=True)) == pytest.approx(1)
    assert thirteen.get_vector("w4").tolist() == thirteen["w4"].tolist()
