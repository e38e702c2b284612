"""Co-occurrence counts against their definition: by hand, on random texts, beyond memory, on any number of threads."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.slow_glove import Matrix, slow_counts
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import InterruptedRunError
from ziggurat.core.types import Vocabulary
from ziggurat.training.cooccurrence_runs import Runs
from ziggurat.training.cooccurrences import Cooccurrences, Window, count_cooccurrences, working_bytes
from ziggurat.training.ngram_counting import Budget

TOGETHER = Vocabulary(size=13, bos=0, eos=0, unk=1)
APART = Vocabulary(size=13, bos=5, eos=3, unk=None)
PLENTY = Budget(1 << 30, 1, None)
LITTLE = Budget(1 << 18, 1, None)
"""Memory for parts of 4,096 words."""


def random_documents(seed: int, vocabulary: Vocabulary, *, documents: int, length: int) -> list[list[int]]:
    """Documents of words with falling frequency, some empty, some of their words unknown."""
    dice = np.random.default_rng(seed)
    words = [w for w in range(vocabulary.size) if w not in (vocabulary.bos, vocabulary.eos)]
    chances = 1 / np.arange(1, len(words) + 1)
    return [dice.choice(words, dice.integers(0, length), p=chances / chances.sum()).tolist() for _ in range(documents)]


def dense(counts: Cooccurrences) -> Matrix:
    """The whole matrix."""
    size = counts.edges.size - 1
    found = np.zeros((size, size))
    rows = np.repeat(np.arange(size), np.diff(counts.edges))
    found[rows, counts.contexts] = counts.units / counts.unit
    return np.where(found == 0, found.T, found) if counts.symmetric else found


def same(one: Cooccurrences, two: Cooccurrences) -> bool:
    """Whether two counts are equal to the last unit."""
    equal = [np.array_equal(getattr(one, name), getattr(two, name)) for name in ("contexts", "units", "edges")]
    return one.unit == two.unit and all(equal)


def test_by_hand() -> None:
    # a b <unk> a c with a = 2, b = 3, c = 4: <unk> takes no place, so the words are a b a c.
    # Window 2: a b are 1 apart, twice: 1 + 1 = 2. b c are 2 apart: 1/2. a a are 2 apart: 1/2, and 1/2 the other way
    # round, together 1. a c are 1 apart: 1; the first a is 3 from c, beyond the window.
    stream = MemoryStream.of([[2, 3, 1, 2, 4]], TOGETHER)
    counts = count_cooccurrences(stream, Window(2), PLENTY)
    assert counts.unit == 2  # the least common multiple of 1 and 2
    # the upper half by rows: a with a, b, c; b with c
    assert counts.contexts.tolist() == [2, 3, 4, 4]
    assert counts.units.tolist() == [2, 4, 2, 1]
    assert counts.edges[2:6].tolist() == [0, 3, 4, 4]
    assert counts.word_counts[:5].tolist() == [0, 0, 2, 1, 1]


def test_words_before_alone() -> None:
    # a b a c: before b stands a; before the second a stand b (1) and a (2); before c a (1) and b (2)
    stream = MemoryStream.of([[2, 3, 2, 4]], TOGETHER)
    found = dense(count_cooccurrences(stream, Window(2, symmetric=False), PLENTY))
    assert {(i, j): found[i, j] for i, j in zip(*map(list, np.nonzero(found)), strict=True)} == {
        (3, 2): 1.0,
        (2, 3): 1.0,
        (2, 2): 0.5,
        (4, 2): 1.0,
        (4, 3): 0.5,
    }


def test_documents_end_windows() -> None:
    stream = MemoryStream.of([[2, 3], [4], [5, 2]], TOGETHER)
    found = dense(count_cooccurrences(stream, Window(5), PLENTY))
    assert sorted(zip(*(axis.tolist() for axis in np.nonzero(found)), strict=True)) == [(2, 3), (2, 5), (3, 2), (5, 2)]


@pytest.mark.parametrize("vocabulary", [TOGETHER, APART])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("window", "weighted"), [(1, True), (5, True), (5, False), (16, True)])
def test_the_definition(vocabulary: Vocabulary, symmetric: bool, window: int, weighted: bool) -> None:
    documents = random_documents(window, vocabulary, documents=31, length=53)
    counts = count_cooccurrences(MemoryStream.of(documents, vocabulary), Window(window, symmetric, weighted), PLENTY)
    unknown = -1 if vocabulary.unk is None else vocabulary.unk
    expected = slow_counts(documents, vocabulary.size, window, symmetric=symmetric, weighted=weighted, unknown=unknown)
    assert np.allclose(dense(counts), expected, rtol=1e-12)
    assert counts.word_counts.sum() == sum(word != unknown for document in documents for word in document)


def test_units_of_windows() -> None:
    assert Window(3).units()[0] == 6  # the least common multiple of 1, 2, 3
    assert Window(3).units()[1][1:].tolist() == [6, 3, 2]
    assert Window(10).units()[0] == 2520
    unit, weights = Window(19).units()
    assert unit == 720720
    assert weights[16:].tolist() == [45045, 42395, 40040, 37933]  # 720720 / 17 = 42395.3, / 19 = 37932.6
    assert Window(4, weighted=False).units()[1].tolist() == [1] * 5


@pytest.mark.parametrize("symmetric", [True, False])
def test_text_beyond_memory_gives_the_same(tmp_path: Path, symmetric: bool) -> None:
    vocabulary = Vocabulary(size=211, bos=0, eos=0, unk=1)
    documents = random_documents(3, vocabulary, documents=3, length=20_000)  # longer than a part
    stream = MemoryStream.of(documents, vocabulary)
    assert stream.tokens.size > 3 * 4096
    whole = count_cooccurrences(stream, Window(7, symmetric), PLENTY)
    parts = count_cooccurrences(stream, Window(7, symmetric), Budget(LITTLE.memory_bytes, 2, tmp_path))
    assert not whole.on_disk
    assert parts.on_disk
    assert same(whole, parts)
    assert list(tmp_path.iterdir()) == []  # working files have no name


def test_threads_give_the_same() -> None:
    stream = MemoryStream.of(random_documents(5, TOGETHER, documents=101, length=41), TOGETHER)
    one, five = (count_cooccurrences(stream, Window(3), Budget(1 << 30, n, None)) for n in (1, 5))
    assert same(one, five)


def test_small_ids_are_read_as_they_are() -> None:
    stream = MemoryStream.of(random_documents(7, TOGETHER, documents=11, length=41), TOGETHER)
    short = MemoryStream(stream.vocabulary, stream.tokens.astype(np.uint16), stream.starts)
    assert same(count_cooccurrences(stream, Window(3), PLENTY), count_cooccurrences(short, Window(3), PLENTY))


@pytest.mark.parametrize("documents", [[], [[]], [[2]], [[2], [3]], [[1, 1, 1]]])
def test_no_pairs(documents: list[list[int]]) -> None:
    counts = count_cooccurrences(MemoryStream.of(documents, TOGETHER), Window(3), PLENTY)
    assert counts.contexts.size == 0
    assert counts.edges.tolist() == [0] * 14


def test_no_pairs_beyond_memory() -> None:
    stream = MemoryStream.of([[2]] * 5000, TOGETHER)
    counts = count_cooccurrences(stream, Window(3), LITTLE)
    assert counts.contexts.size == 0
    assert counts.word_counts[2] == 5000


def test_counting_can_be_stopped() -> None:
    stream = MemoryStream.of(random_documents(5, TOGETHER, documents=101, length=41), TOGETHER)
    asked = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise InterruptedRunError("stopped")

    with pytest.raises(InterruptedRunError):
        count_cooccurrences(stream, Window(3), PLENTY, check)
    assert len(asked) == 3


def test_rows_of_parts_are_added_up() -> None:
    # part one: row 0 = {1: 5}, row 2 = {2: 7}; part two: row 0 = {1: 6, 2: 8}, row 1 = {0: 9}
    def rows(contexts: list[int], units: list[int], sizes: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.array(contexts, np.int32), np.array(units, np.int64), np.array(sizes, np.int64)

    def merge(source, span):
        contexts, units, edges = source
        sums: list[dict[int, int]] = []
        for row in range(*span):
            own: dict[int, int] = {}
            for part in range(len(edges)):
                for entry in range(edges[part, row], edges[part, row + 1]):
                    own[int(contexts[entry])] = own.get(int(contexts[entry]), 0) + int(units[entry])
            sums.append(own)
        flat = [(j, own[j]) for own in sums for j in sorted(own)]
        return rows([j for j, _ in flat], [u for _, u in flat], [len(own) for own in sums])

    with Runs(3, None) as runs:
        runs.add(rows([1, 2], [5, 7], [1, 0, 1]))
        runs.add(rows([1, 2, 0], [6, 8, 9], [2, 1, 0]))
        contexts, units, sizes = runs.merged(merge, 12)  # memory for one entry: row by row, and on disk
    assert contexts.tolist() == [1, 2, 0, 2]
    assert units.tolist() == [11, 8, 9, 7]
    assert sizes.tolist() == [2, 1, 1]


def test_memory_for_arrays() -> None:
    assert working_bytes(1 << 30) == (1 << 30) - (150 << 20)  # the interpreter takes 150 MB
    assert working_bytes(100 << 20) == 25 << 20  # a quarter, where that leaves nothing
