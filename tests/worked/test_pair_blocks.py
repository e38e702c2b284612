"""Blocks of pairs: every pair once an epoch, and no two blocks of a stratum with a row in common."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from tests.worked.test_cooccurrences import dense
from ziggurat.core.types import Vocabulary
from ziggurat.training.cooccurrences import Cooccurrences, Window, count_cooccurrences
from ziggurat.training.ngram_counting import Budget
from ziggurat.training.pair_blocks import PairBlocks, lay_out

VOCABULARY = Vocabulary(size=1009, bos=0, eos=0, unk=1)
BUDGET = Budget(1 << 30, 1, None)


def counted(*, symmetric: bool = True, words: int = 30_011) -> Cooccurrences:
    """Counts of a text of words with falling frequency: more than 100,000 pairs."""
    dice = np.random.default_rng(11)
    chances = 1 / np.arange(1, VOCABULARY.size - 1)
    text = dice.choice(np.arange(2, VOCABULARY.size), words, p=chances / chances.sum())
    return count_cooccurrences(MemoryStream.of([text.tolist()], VOCABULARY), Window(5, symmetric), BUDGET)


def trained_pairs(blocks: PairBlocks, epoch: int) -> list[list[tuple[int, int, float]]]:
    """The pairs of each stratum as the kernel reads them: word, context, log X."""
    found = []
    for tasks in blocks.strata(epoch):
        stratum = []
        for begin, end, word, context, swapped in tasks.tolist():
            for entry in range(begin, end):
                rows = divmod(int(blocks.pairs[entry]), 1 << 16)
                i, j = rows[::-1] if swapped else rows
                stratum.append((word + i, context + j, float(blocks.logs[entry])))
        found.append(stratum)
    return found


@pytest.mark.parametrize("symmetric", [True, False])
def test_an_epoch_has_every_pair_once(symmetric: bool) -> None:
    counts = counted(symmetric=symmetric)
    blocks = lay_out(counts, 3, BUDGET)
    assert blocks.groups > 3
    matrix = dense(counts)
    pairs = [pair for stratum in trained_pairs(blocks, 0) for pair in stratum]
    assert len(pairs) == blocks.count == np.count_nonzero(matrix)
    assert len({(i, j) for i, j, _ in pairs}) == len(pairs)
    assert all(log == np.float32(np.log(matrix[i, j])) for i, j, log in pairs)


def test_blocks_of_a_stratum_share_no_row() -> None:
    blocks = lay_out(counted(), 3, BUDGET)
    strata = blocks.strata(2)
    assert len(strata) == blocks.groups
    for tasks in strata:
        assert sorted(tasks[:, 2].tolist()) == blocks.firsts[:-1].tolist()  # each group of words once
        assert sorted(tasks[:, 3].tolist()) == blocks.firsts[:-1].tolist()  # each group of contexts once
        sizes = tasks[:, 1] - tasks[:, 0]
        assert (np.diff(sizes) <= 0).all()  # large ones first


def test_groups_have_about_as_many_pairs() -> None:
    counts = counted()
    blocks = lay_out(counts, 3, BUDGET)
    mass = np.count_nonzero(dense(counts), axis=1)
    sums = np.add.reduceat(mass, blocks.firsts[:-1])
    # one word's pairs, at most 1,007, more or fewer than an equal share
    assert abs(sums - sums.mean()).max() <= 1007
    assert blocks.firsts[1] < blocks.firsts[-1] - blocks.firsts[-2]  # frequent words in smaller groups


def test_epochs_differ_and_seeds_differ() -> None:
    counts = counted(words=20_011)
    one, same, other = lay_out(counts, 3, BUDGET), lay_out(counts, 3, BUDGET), lay_out(counts, 5, BUDGET)
    assert np.array_equal(one.pairs, same.pairs)
    assert all(np.array_equal(a, b) for a, b in zip(one.strata(1), same.strata(1), strict=True))
    assert not np.array_equal(one.pairs, other.pairs)
    assert not all(np.array_equal(a, b) for a, b in zip(one.strata(0), one.strata(1), strict=True))


def test_neither_threads_nor_memory_change_blocks(tmp_path: Path) -> None:
    counts = counted()
    one = lay_out(counts, 3, BUDGET)
    for budget in (Budget(1 << 30, 5, None), Budget(1 << 10, 2, tmp_path)):
        two = lay_out(counts, 3, budget)
        assert two.scratch.on_disk == (budget.folder is not None)
        assert np.array_equal(one.pairs, two.pairs)
        assert np.array_equal(one.logs, two.logs)


def test_pairs_are_shuffled_within_their_block() -> None:
    blocks = lay_out(counted(), 3, BUDGET)
    largest = int(np.argmax(np.diff(blocks.edges)))
    rows = blocks.pairs[blocks.edges[largest] : blocks.edges[largest + 1]] >> np.uint32(16)
    # sorted by rows, neighbours would almost never fall; shuffled, about half of them do
    falls = np.mean(np.diff(rows.astype(np.int64)) < 0)
    assert 0.4 < falls < 0.6


def test_few_pairs_make_one_block() -> None:
    counts = count_cooccurrences(MemoryStream.of([[2, 3, 5]], VOCABULARY), Window(2), BUDGET)
    blocks = lay_out(counts, 0, BUDGET)
    assert blocks.groups == 1
    assert blocks.count == 6
    assert sorted(trained_pairs(blocks, 0)[0]) == [
        (2, 3, 0.0),
        (2, 5, np.float32(np.log(0.5))),
        (3, 2, 0.0),
        (3, 5, 0.0),
        (5, 2, np.float32(np.log(0.5))),
        (5, 3, 0.0),
    ]


def test_groups_of_large_vocabularies_have_sixteen_bits_of_rows() -> None:
    vocabulary = Vocabulary(size=200_003, bos=0, eos=0)
    counts = count_cooccurrences(MemoryStream.of([[2, 200_001, 70_001]], vocabulary), Window(1), BUDGET)
    blocks = lay_out(counts, 0, BUDGET)
    assert np.diff(blocks.firsts).max() <= 1 << 16
    pairs = sorted((i, j) for stratum in trained_pairs(blocks, 0) for i, j, _ in stratum)
    assert pairs == [(2, 200_001), (70_001, 200_001), (200_001, 2), (200_001, 70_001)]
