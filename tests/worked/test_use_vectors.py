"""Nearness, analogies and odd words on vectors whose angles can be worked by hand."""

import numpy as np
import pytest

from tests.fakes.word_vectors import vectors_of
from ziggurat.artefacts.interchange.formats import Foreign
from ziggurat.core.errors import InputError, UnknownNameError, UsageError
from ziggurat.models.word_vectors import WordVectors, WordVectorsConfig
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.words import WordsConfig
from ziggurat.use.vectors import UnknownWordError, Vectors


@pytest.fixture
def royal() -> Vectors:
    """Five words in three dimensions; lengths differ, directions are 3-4-5 triangles where it helps."""
    return vectors_of(
        {
            "man": [2, 0, 0],
            "woman": [0, 3, 0],
            "king": [3, 0, 4],
            "queen": [0, 6, 8],
            "apple": [-5, 0, 0],
        }
    )


def test_nearest_is_the_cosine_of_the_angle(royal: Vectors) -> None:
    # man (1, 0, 0) · king (3, 0, 4) / 5 = 0.6; · woman = 0; · queen = 0; · apple = −1
    assert royal.nearest("man") == [
        ("king", pytest.approx(0.6)),
        ("woman", 0.0),
        ("queen", 0.0),
        ("apple", -1.0),
    ]


def test_analogies_by_addition(royal: Vectors) -> None:
    # king − man + woman = (0.6, 0, 0.8) − (1, 0, 0) + (0, 1, 0) = (−0.4, 1, 0.8), length √1.8 = 1.341641
    # queen (0, 0.6, 0.8): (0.6 + 0.64) / 1.341641 = 0.924241; apple (−1, 0, 0): 0.4 / 1.341641 = 0.298142
    assert royal.nearest(["king", "woman"], "man") == [
        ("queen", pytest.approx(0.924241, abs=1e-6)),
        ("apple", pytest.approx(0.298142, abs=1e-6)),
    ]


def test_analogies_by_multiplication(royal: Vectors) -> None:
    # s = (cos + 1) / 2. queen: with king 0.64 → 0.82, woman 0.6 → 0.8, man 0 → 0.5: 0.82 × 0.8 / 0.501 = 1.309381
    # apple: king −0.6 → 0.2, woman 0 → 0.5, man −1 → 0: 0.2 × 0.5 / 0.001 = 100
    assert royal.nearest(["king", "woman"], ["man"], method="multiply") == [
        ("apple", pytest.approx(100, rel=1e-4)),
        ("queen", pytest.approx(1.309381, abs=1e-5)),
    ]


def test_similarity_is_a_cosine(royal: Vectors) -> None:
    # king (3, 0, 4) / 5 · queen (0, 6, 8) / 10 = 0.8 × 0.8
    assert royal.similarity("king", "queen") == pytest.approx(0.64)


def test_the_odd_one_is_farthest_from_the_mean(royal: Vectors) -> None:
    # units: man (1, 0, 0), king (0.6, 0, 0.8), apple (−1, 0, 0); their mean (0.2, 0, 0.266667) has the direction
    # (0.6, 0, 0.8): man 0.6, king 1, apple −0.6
    assert royal.odd_one_out(["man", "apple", "king"]) == "apple"
    assert royal.belonging(["man", "apple", "king"]) == [
        ("king", pytest.approx(1)),
        ("man", pytest.approx(0.6)),
        ("apple", pytest.approx(-0.6)),
    ]


def test_only_the_most_frequent_words_may_answer(royal: Vectors) -> None:
    assert [word for word, _ in royal.nearest("man", restrict=3)] == ["king", "woman"]
    assert [word for word, _ in royal.nearest("apple", restrict=2)] == ["woman", "man"]


def test_vectors_by_word_by_id_and_by_slice(royal: Vectors) -> None:
    assert royal["king"].tolist() == [3, 0, 4]
    assert royal[["woman", "man"]].tolist() == [[0, 3, 0], [2, 0, 0]]
    assert royal[0:4].tolist() == [[0, 0, 0], [0, 0, 0], [2, 0, 0], [0, 3, 0]]
    assert royal[3].tolist() == [0, 3, 0]
    assert "king" in royal
    assert "<unk>" not in royal
    assert len(royal) == 5


def test_many_questions_at_once(royal: Vectors) -> None:
    man, woman, king, queen = 2, 3, 4, 5
    ids, scores = royal.batch(np.array([[king, woman], [queen, man]]), np.array([[man], [woman]]))
    assert ids.tolist() == [[queen], [king]]
    assert scores[0, 0] == pytest.approx(0.924241, abs=1e-6)
    ids, scores = royal.batch(np.array([[king, woman]]), np.array([[man]]), count=3, method="multiply")
    assert ids.tolist() == [[6, queen, -1]]
    assert scores[0].tolist() == [pytest.approx(100, rel=1e-4), pytest.approx(1.309381, abs=1e-5), -np.inf]


def test_an_unknown_word_is_an_unknown_name_and_a_key_error(royal: Vectors) -> None:
    with pytest.raises(UnknownWordError, match="unknown word 'kong'"):
        royal.vector("kong")
    assert issubclass(UnknownWordError, UnknownNameError)
    assert issubclass(UnknownWordError, KeyError)


def test_questions_without_words_are_refused(royal: Vectors) -> None:
    with pytest.raises(UsageError, match="give at least one"):
        royal.nearest()
    with pytest.raises(UsageError, match="at least three words"):
        royal.odd_one_out(["man", "king"])


def test_a_word_may_be_read_as_the_tokenizer_reads_it() -> None:
    asked = []

    def reader(text: str) -> list[int]:
        asked.append(text)
        return {"King": [2], "New York": [3], "King Kong": [2, 4]}.get(text, [])

    plain = vectors_of({"king": [1, 0], "new_york": [0, 1], "kong": [1, 1]})
    vectors = Vectors(plain.index, plain.model, reader=reader)
    assert [vectors.id_of(word) for word in ("king", "King", "New York", "King Kong", "KONG")] == [2, 2, 3, None, None]
    assert vectors["King"].tolist() == [1, 0]
    asked.clear()
    assert vectors.id_of("kung") is None  # no form of it is known, so nobody is asked
    assert asked == []


@pytest.mark.parametrize("lowercase", [True, False])
def test_an_unknown_word_is_spelled_as_the_tokenizer_has_it(lowercase: bool) -> None:
    # where case was folded before n-grams were learnt, "READINGS" is spelled with those of "readings"
    tokenizer = train_tokenizer(["reading readers read"], "words", WordsConfig(lowercase=lowercase))
    size, buckets = tokenizer.vocabulary.size, 1009
    numbers = np.random.default_rng(0).normal(size=(size + buckets, 3)).astype(np.float32)
    config = WordVectorsConfig(width=3, longest_ngram=5, buckets=buckets)
    ngrams = np.arange(buckets, dtype=np.int32), numbers[size:]
    model = WordVectors(numbers[:size], tokenizer.vocabulary, config=config, ngrams=ngrams)
    vectors = Vectors.of(Foreign("word_vectors", model, tokenizer))
    assert np.array_equal(vectors["READINGS"], vectors["readings"]) == lowercase
    with pytest.raises(InputError, match="surrogate"):
        vectors.vector("read\ud83d")
