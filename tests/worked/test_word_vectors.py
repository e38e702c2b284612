"""Word vectors by hand: what is encoded, what a word that was never seen is made of, how vectors begin."""

import numpy as np
import pytest

from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.types import FloatArray, Vocabulary
from ziggurat.models.registry import FAMILIES, predicting
from ziggurat.models.word_vectors import FAMILY, WordVectors, WordVectorsConfig

VOCABULARY = Vocabulary(size=4, bos=0, eos=0, unk=1)
MATRIX = np.array([[0, 0], [0, 0], [1, 2], [3, 5]], np.float32)
KNOWN = np.array([3, 8, 21], np.int32)
PARTS = np.array([[6, 0], [0, 9], [-3, 3]], np.float32)


@pytest.fixture
def model() -> WordVectors:
    config = WordVectorsConfig(width=2, longest_ngram=4, buckets=23)
    return WordVectors(MATRIX, VOCABULARY, config=config, ngrams=(KNOWN, PARTS))


def spelled(model: WordVectors, *buckets: int) -> list[float] | None:
    found: FloatArray | None = model.spelled(np.array(buckets, np.int32))
    return None if found is None else found.tolist()


def test_rows_are_looked_up_as_far_as_each_is_long(model: WordVectors) -> None:
    found = model.encode(np.array([[2, 3, 2], [3, 2, 1]], np.int32), np.array([3, 1], np.int32))
    assert found.tolist() == [[[1, 2], [3, 5], [1, 2]], [[3, 5], [0, 0], [0, 0]]]


def test_a_spelling_is_the_mean_of_the_ngrams_that_are_known(model: WordVectors) -> None:
    assert spelled(model, 8) == [0, 9]
    assert spelled(model, 3, 8) == [3, 4.5]  # (6 + 0) / 2, (0 + 9) / 2
    assert spelled(model, 21, 3, 8) == [1, 4]  # (6 + 0 − 3) / 3, (0 + 9 + 3) / 3
    assert spelled(model, 3, 3, 8) == [4, 3]  # an n-gram that stands there twice counts twice: (6 + 6) / 3, 9 / 3


def test_ngrams_that_never_occurred_are_left_out_of_the_mean(model: WordVectors) -> None:
    # 0 lies before all that are known, 5 between two, 22 behind the last
    for unknown in (0, 5, 22):
        assert spelled(model, 3, unknown, 8) == [3, 4.5]
        assert spelled(model, unknown) is None
    assert spelled(model, 0, 5, 22) is None
    assert spelled(model) is None


def test_words_that_were_learnt_whole_spell_nothing() -> None:
    whole = WordVectors(MATRIX, VOCABULARY)
    assert (whole.config.width, whole.config.spells) == (2, False)
    assert spelled(whole, 3, 8) is None
    nothing = np.zeros(0, np.int32), np.zeros((0, 2), np.float32)
    assert spelled(WordVectors(MATRIX, VOCABULARY, ngrams=nothing), 3) is None


def test_vectors_begin_in_a_box_that_is_one_over_the_width() -> None:
    # uniform in ±1 / 50: the standard deviation is 1 / (50 √3) = 0.011547
    vectors = FAMILY.build(WordVectorsConfig(width=50), Vocabulary(2003, bos=0, eos=0, unk=1), seed=5).vectors
    assert vectors.dtype == np.float32
    assert np.abs(vectors).max() <= 1 / 50
    assert np.abs(vectors).max() > 0.0199
    assert vectors[2:].std() == pytest.approx(0.011547, rel=0.01)
    assert abs(vectors[2:].mean()) < 1e-4
    assert not vectors[:2].any()


def test_only_what_is_there_is_saved(model: WordVectors) -> None:
    assert set(FAMILY.state(model)[1]) == {"vectors", "ngram_buckets", "ngrams"}
    counts = np.array([0, 0, 7, 3])
    full = WordVectors(MATRIX, VOCABULARY, outputs=MATRIX + 1, counts=counts)
    config, arrays = FAMILY.state(full)
    assert set(arrays) == {"vectors", "outputs", "counts"}
    again = FAMILY.restore(config, arrays)
    assert again.counts is not None
    assert again.outputs is not None
    assert (again.counts.tolist(), again.outputs.tolist()) == (counts.tolist(), (MATRIX + 1).tolist())
    assert again.ngrams is None


def test_a_restored_matrix_stays_where_it_is(model: WordVectors) -> None:
    config, arrays = FAMILY.state(model)
    assert np.shares_memory(FAMILY.restore(config, arrays).vectors, MATRIX)  # a memory map is not read


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"shortest_ngram": 4, "longest_ngram": 3}, "longest_ngram: must not be below shortest_ngram"),
        ({"longest_ngram": 2}, "longest_ngram: must not be below shortest_ngram"),
        ({"width": 0}, "width: must be from 1 to 65536, got 0"),
        ({"buckets": 0}, "buckets: must be from 1 to 2147483648, got 0"),
        ({"shortest_ngram": 0}, "shortest_ngram: must be from 1 to 20, got 0"),
        ({"longest_ngrm": 5}, "unknown key 'longest_ngrm'; did you mean 'longest_ngram'?"),
    ],
)
def test_keys_that_do_not_go_together_are_named(keys: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_mapping(WordVectorsConfig, keys, where="my.toml [model]")
    assert said in str(caught.value)
    assert str(caught.value).startswith("my.toml [model]")


def test_words_are_whole_where_the_shortest_ngram_alone_is_set() -> None:
    assert not WordVectorsConfig(shortest_ngram=5).spells
    assert WordVectorsConfig(shortest_ngram=5, longest_ngram=5).spells


def test_vectors_predict_no_text(model: WordVectors) -> None:
    with pytest.raises(UsageError, match=r"^runs/塔: holds vectors and predicts no text; give a language model$"):
        predicting(model, "runs/塔")
    language = FAMILIES.get("ngram").tiny(seed=3)
    assert predicting(language, "runs/塔") is language
