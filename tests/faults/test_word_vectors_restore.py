"""Word vectors whose arrays or configuration do not fit are refused by what is wrong, whatever it is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Vocabulary
from ziggurat.models.word_vectors import FAMILY, WordVectors, WordVectorsConfig

WORDS, WIDTH, KNOWN = 11, 7, 5


def state() -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration and all five arrays of whole vectors."""
    dice = np.random.default_rng(3)
    model = WordVectors(
        dice.random((WORDS, WIDTH), np.float32),
        Vocabulary(WORDS, bos=0, eos=0, unk=1),
        config=WordVectorsConfig(width=WIDTH, longest_ngram=4, buckets=13),
        outputs=dice.random((WORDS, WIDTH), np.float32),
        ngrams=(np.array([1, 3, 4, 8, 12], np.int32), dice.random((KNOWN, WIDTH), np.float32)),
        counts=np.arange(WORDS, dtype=np.int64),
    )
    config, arrays = FAMILY.state(model)
    return config, dict(arrays)


NAMES = sorted(state()[1])


def refusal(config: dict[str, Any], arrays: dict[str, Any]) -> str:
    with pytest.raises(ArtefactError) as caught:
        FAMILY.restore(config, arrays)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_saved_is_whole() -> None:
    assert NAMES == ["counts", "ngram_buckets", "ngrams", "outputs", "vectors"]
    config, arrays = state()
    again = FAMILY.state(FAMILY.restore(config, arrays))
    assert again[0] == config
    assert all(np.array_equal(again[1][name], arrays[name]) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change",
    [
        lambda array: array[:-1],
        lambda array: np.concatenate([array, array]),
        lambda array: array[..., None],
        lambda array: array.reshape(-1)[0],
    ],
    ids=["one less", "twice", "an axis more", "a number"],
)
def test_an_array_of_another_shape_is_named(name: str, change: Any) -> None:
    config, arrays = state()
    arrays[name] = change(arrays[name])
    said = refusal(config, arrays)
    # buckets and their vectors are measured on each other: either may be named
    named = {"ngram_buckets", "ngrams"} if name.startswith("ngram") else {name}
    assert any(said.startswith(f"array '{one}' (") for one in named)
    assert said.endswith("does not fit config.json")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["float64", "float16", "int64", "int32", "uint32", "bool", "float32"])
def test_an_array_of_another_kind_is_named(name: str, kind: str) -> None:
    config, arrays = state()
    if arrays[name].dtype == kind:
        FAMILY.restore(config, arrays)  # its own kind
        return
    arrays[name] = arrays[name].astype(kind)
    assert refusal(config, arrays).startswith(f"array '{name}' ({kind}, ")


@pytest.mark.parametrize("name", ["vectors", "outputs", "ngrams"])
def test_narrower_rows_than_config_says_are_named(name: str) -> None:
    config, arrays = state()
    arrays[name] = arrays[name][:, :-1]
    assert refusal(config, arrays).startswith(f"array '{name}' (float32, ({len(arrays[name])}, 6))")


def test_without_vectors_nothing_is_there() -> None:
    config, arrays = state()
    del arrays["vectors"]
    assert refusal(config, arrays) == "config.json does not describe word vectors: 'vectors'"


@pytest.mark.parametrize("name", ["ngrams", "ngram_buckets"])
def test_half_of_the_ngrams_is_no_use(name: str) -> None:
    config, arrays = state()
    del arrays[name]
    said = refusal(config, arrays)
    assert said == "of character n-grams the vectors or the buckets are missing" or "'ngrams'" in said


@pytest.mark.parametrize("names", [["outputs"], ["counts"], ["ngrams", "ngram_buckets"], ["outputs", "counts"]])
def test_what_may_be_missing_may(names: list[str]) -> None:
    config, arrays = state()
    for name in names:
        del arrays[name]
    found = FAMILY.restore(config, arrays)
    assert np.array_equal(found.vectors, arrays["vectors"])
    assert (found.ngrams is None) == ("ngrams" in names)


def test_an_array_that_nobody_knows_is_named() -> None:
    config, arrays = state()
    arrays["embeddings"] = arrays["vectors"]
    assert refusal(config, arrays).startswith("array 'embeddings' (float32, (11, 7))")


@pytest.mark.parametrize("section", ["model", "vocabulary"])
@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"unheard": 1}])
def test_a_section_that_is_missing_or_something_else_is_refused(section: str, value: Any) -> None:
    config, arrays = state()
    if value is None:
        del config[section]
    else:
        config[section] = value
    if section == "model" and value == {}:  # all keys have defaults: the width is not that of the arrays
        assert refusal(config, arrays).startswith("array 'vectors'")
    else:
        assert refusal(config, arrays).startswith("config.json does not describe word vectors: ")


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("model", "width", 8),
        ("model", "width", "seven"),
        ("model", "width", -7),
        ("model", "longest_ngram", 2),
        ("vocabulary", "size", 12),
        ("vocabulary", "size", None),
        ("vocabulary", "bos", "zero"),
    ],
)
def test_a_value_that_can_t_be_is_refused(section: str, key: str, value: Any) -> None:
    config, arrays = state()
    config[section] = {**config[section], key: value}
    assert "config.json" in refusal(config, arrays)


@given(st.sampled_from(NAMES), st.lists(st.integers(0, 13), max_size=3), st.sampled_from(["float32", "int32", "int64"]))
def test_no_array_at_all_gets_through_that_does_not_fit(name: str, shape: list[int], kind: str) -> None:
    config, arrays = state()
    fits = (arrays[name].shape, str(arrays[name].dtype)) == (tuple(shape), kind)
    arrays[name] = np.zeros(shape, kind)
    if fits:
        FAMILY.restore(config, arrays)
    else:
        assert "does not fit config.json" in refusal(config, arrays)
