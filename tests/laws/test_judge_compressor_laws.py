"""Compressors as language models: what must be true of whatever they need."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from ziggurat.core.types import Document
from ziggurat.judge.compressors import alone, given_training_text

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200), min_size=1, max_size=7)


def as_documents(texts: list[str]) -> list[Document]:
    return [Document(str(number), text) for number, text in enumerate(texts)]


def noise(letters: str, count: int, *, seed: int) -> list[Document]:
    dice = random.Random(seed)
    return as_documents(["".join(dice.choices(letters, k=1000)) for _ in range(count)])


@pytest.mark.parametrize(("letters", "entropy"), [("01", 1), ("acgt", 2), ("0123456789abcdef", 4)])
def test_no_program_beats_the_entropy_of_noise_and_good_ones_come_near(letters: str, entropy: float) -> None:
    # log2 of as many equally likely letters: 1, 2 and 4 bits for each byte of text
    for name, bits in alone(noise(letters, 31, seed=5)).items():
        assert entropy <= bits < 1.4 * entropy, name


def test_training_text_of_the_same_noise_says_little_and_the_text_itself_everything() -> None:
    text, other = noise("acgt", 13, seed=1), noise("acgt", 13, seed=2)
    unhelped = alone(text)["xz -9e"]
    # It says which letters there are (2 bits of each remain), not in which order they come.
    assert 2 <= given_training_text(other, text) <= unhelped
    assert given_training_text([*other, *text], text) < 0.05 * unhelped


@pytest.mark.parametrize("chinese", [False, True])
def test_training_text_of_the_same_kind_helps(chinese: bool) -> None:
    train, test = (as_documents(documents(31, seed=seed, chinese=chinese)) for seed in (1, 2))
    assert given_training_text(train, test) < alone(test)["xz -9e"]


@settings(max_examples=13)
@given(TEXTS)
def test_a_text_is_longer_than_nothing_and_the_same_every_time(texts: list[str]) -> None:
    found = alone(as_documents(texts))
    assert all(bits > 0 for bits in found.values())
    assert found == alone(iter(as_documents(texts)))


@settings(max_examples=13)
@given(TEXTS, st.integers(20, 40))
def test_saying_it_again_costs_less_a_byte(texts: list[str], times: int) -> None:
    once, often = alone(as_documents(texts)), alone(as_documents(texts * times))
    assert all(often[name] < once[name] for name in once)


@settings(max_examples=13)
@given(TEXTS)
def test_names_and_sources_of_documents_are_not_compressed(texts: list[str]) -> None:
    renamed = [Document(f"another name {number}" * 9, text, "elsewhere") for number, text in enumerate(texts)]
    assert alone(renamed) == alone(as_documents(texts))
