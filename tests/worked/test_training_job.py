"""Which module fits a model: the one that is named, the first where none is, and what is said of any other."""

import pytest

from ziggurat.core.config import options
from ziggurat.core.errors import UnknownNameError
from ziggurat.core.protocols import Family
from ziggurat.models.registry import FAMILIES
from ziggurat.training import glove, word2vec
from ziggurat.training.job import silent, trainer

WORD_VECTORS = FAMILIES.get("word_vectors")
EVERY = [(name, one) for name in FAMILIES.names() for one in FAMILIES.get(name).trainers]


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_each_has_what_a_recipe_and_a_run_need(family: str, name: str) -> None:
    found = trainer(FAMILIES.get(family), name)
    assert callable(found.fit)
    assert all(doc for _, _, doc in options(found.Config).values())
    found.Config()  # every key has a default


def test_the_first_is_taken_where_none_is_named() -> None:
    assert WORD_VECTORS.trainers == ("word2vec", "glove")
    assert trainer(WORD_VECTORS) is trainer(WORD_VECTORS, "word2vec") is word2vec
    assert trainer(WORD_VECTORS, "glove") is glove


@pytest.mark.parametrize(
    ("family", "name", "said"),
    [
        ("word_vectors", "word2vce", "unknown trainer 'word2vce'; did you mean 'word2vec'?"),
        ("word_vectors", "Glove", "unknown trainer 'Glove'; did you mean 'glove'?"),
        ("word_vectors", "词向量", "unknown trainer '词向量'; known: glove, word2vec"),
        ("ngram", "gradient", "unknown trainer 'gradient'; known: "),  # it exists, but fits other models
        ("word_vectors", "job", "unknown trainer 'job'; "),  # a module beside the trainers is none
        ("word_vectors", "kernels.glove", "unknown trainer 'kernels.glove'; "),
        ("word_vectors", "../glove", "unknown trainer '../glove'; "),
    ],
)
def test_another_is_refused_with_those_that_there_are(family: str, name: str, said: str) -> None:
    chosen: Family = FAMILIES.get(family)
    with pytest.raises(UnknownNameError) as caught:
        trainer(chosen, name)
    assert str(caught.value).startswith(said)
    assert caught.value.known == tuple(sorted(chosen.trainers))
    assert caught.value.exit_code == 2


def test_where_nobody_listens_nothing_happens() -> None:
    assert silent({"event": "step", "step": 3}) is None  # type: ignore[func-returns-value]
