"""N-grams counted by several workers: the same trie, array by array, as counted at once."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.elsewhere import Elsewhere
from ziggurat.core.workers import HERE, Workers
from ziggurat.training import ngram_counting
from ziggurat.training.ngram_counting import Budget, NgramCounts, count_ngrams
from ziggurat.training.ngram_sorting import Shape, sort_ngrams

TOGETHER, APART = (0, 0), (5, 3)


def tokens_of(seed: int, size: int, marks: tuple[int, int], documents: int = 31) -> np.ndarray:
    """Documents of words with falling frequency; the last id never occurs."""
    random = np.random.default_rng(seed)
    bos, eos = marks
    words = [word for word in range(size - 1) if word not in marks]
    chances = 1 / np.arange(1, len(words) + 1)
    found = []
    for _ in range(documents):
        found += [bos, *random.choice(words, random.integers(0, 29), p=chances / chances.sum()).tolist()]
        found += [eos] if bos != eos else []
    return np.array(found if bos != eos else [*found, eos], np.uint16 if size <= 1 << 16 else np.int32)


def counted(tokens: np.ndarray, shape: Shape, workers: Workers, *, raw: bool, memory: int = 1 << 30) -> NgramCounts:
    return count_ngrams(tokens, shape, Budget(memory, 1, None), raw=raw, workers=workers)


def assert_same(one: NgramCounts, other: NgramCounts) -> None:
    for name in ("starts", "words", "first_child", "counts", "raw"):
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype, name
        np.testing.assert_array_equal(left, right, err_msg=name)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 7])
@pytest.mark.parametrize("marks", [TOGETHER, APART])
@pytest.mark.parametrize("workers", [2, 5, 23])
def test_parts_make_the_whole(workers: int, marks: tuple[int, int], order: int, raw: bool) -> None:
    shape = Shape(order, 17, *marks)
    tokens = tokens_of(order, 17, marks)
    elsewhere = Elsewhere(workers)
    assert_same(counted(tokens, shape, elsewhere, raw=raw), counted(tokens, shape, HERE, raw=raw))
    assert 2 <= elsewhere.tasks <= 17


@pytest.mark.parametrize("size", [3, 300, 70_000])  # the last needs ids of 32 bits
def test_vocabularies_of_any_size(size: int) -> None:
    tokens = tokens_of(size, size, TOGETHER)
    shape = Shape(3, size, *TOGETHER)
    assert_same(counted(tokens, shape, Elsewhere(4), raw=True), counted(tokens, shape, HERE, raw=True))


def test_as_few_workers_as_threads_are_not_asked() -> None:
    shape = Shape(3, 17, *TOGETHER)
    nobody = Elsewhere(1)
    counted(tokens_of(1, 17, TOGETHER), shape, nobody, raw=False)
    busy = Elsewhere(3)
    count_ngrams(tokens_of(1, 17, TOGETHER), shape, Budget(1 << 30, 3, None), raw=False, workers=busy)
    assert (nobody.tasks, busy.tasks) == (0, 0)


def test_what_is_found_goes_to_disk_where_it_does_not_fit(tmp_path: Path) -> None:
    marks = APART
    shape, tokens = Shape(5, 97, *marks), tokens_of(2, 97, marks, documents=900)
    allowed = 6 * tokens.size  # room for the tokens in each worker, and not for the n-grams here
    budget = Budget(4 * allowed, 1, tmp_path)
    found = count_ngrams(tokens, shape, budget, raw=True, workers=Elsewhere(3))
    assert found.scratch.on_disk
    assert_same(found, counted(tokens, shape, HERE, raw=True))
    assert list(tmp_path.iterdir()) == []


def test_a_text_larger_than_memory_is_counted_here() -> None:
    shape, tokens = Shape(3, 97, *APART), tokens_of(3, 97, APART, documents=900)
    elsewhere = Elsewhere(3)
    found = count_ngrams(tokens, shape, Budget(8 * tokens.size, 1, None), raw=False, workers=elsewhere)
    assert elsewhere.tasks == 0
    assert_same(found, counted(tokens, shape, HERE, raw=False))


def test_ranges_hold_every_word_once_and_about_as_many_tokens() -> None:
    tokens = np.repeat(np.arange(101, dtype=np.uint16), 7)
    ranges = ngram_counting._word_ranges(tokens, Shape(3, 211, *TOGETHER), 10)
    assert [word for low, high in ranges for word in range(low, high)] == list(range(211))
    sizes = [int(((tokens >= low) & (tokens < high)).sum()) for low, high in ranges]
    assert len(ranges) == 10
    assert max(sizes) - min(sizes) <= 14


@pytest.mark.parametrize("words", [(0, 1), (3, 9), (16, 17), (0, 17)])
def test_a_range_is_a_slice_of_the_sorted_order(words: tuple[int, int]) -> None:
    shape = Shape(4, 17, *APART)
    tokens = tokens_of(4, 17, APART).astype(np.int32)
    whole = sort_ngrams(tokens, tokens.size, shape, threads=1)
    part = sort_ngrams(tokens, tokens.size, shape, threads=1, words=words)
    here = slice(*(int(whole.word_edges[word]) for word in words))
    np.testing.assert_array_equal(part.positions, whole.positions[here])
    np.testing.assert_array_equal(part.shared[1:], whole.shared[here][1:])
    np.testing.assert_array_equal(np.diff(part.word_edges)[slice(*words)], np.diff(whole.word_edges)[slice(*words)])
