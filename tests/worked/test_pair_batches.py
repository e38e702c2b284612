"""Batches of pairs, by hand: all pairs once in an epoch, like lengths together, a function of seed and step."""

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import Vocabulary
from ziggurat.tokens.batches import PairBatches

SHARED = Vocabulary(size=101, bos=0, eos=0)
APART = Vocabulary(size=101, bos=1, eos=2)


def streams(lengths: list[tuple[int, int]], vocabulary: Vocabulary = SHARED) -> tuple[MemoryStream, MemoryStream]:
    """Sources and targets of these lengths; the ids of pair n are all n + 3."""
    return (
        MemoryStream.of([[n + 3] * source for n, (source, _) in enumerate(lengths)], vocabulary),
        MemoryStream.of([[n + 3] * target for n, (_, target) in enumerate(lengths)], vocabulary),
    )


def drawn(count: int = 89, *, seed: int = 0) -> list[tuple[int, int]]:
    dice = np.random.default_rng(seed)
    return [(int(dice.integers(1, 30)), int(dice.integers(1, 30))) for _ in range(count)]


def batches(
    lengths: list[tuple[int, int]], *, tokens: int = 120, longest: int | None = None, seed: int = 7
) -> PairBatches:
    return PairBatches(*streams(lengths), tokens=tokens, longest=longest, seed=seed)


def members(found: PairBatches, step: int) -> list[int]:
    return [int(source[0]) - 3 for source in found.batch(step)[0]]


@pytest.mark.parametrize("vocabulary", [SHARED, APART])
def test_a_source_ends_and_a_target_begins_and_ends(vocabulary: Vocabulary) -> None:
    found = PairBatches(*streams([(2, 3)], vocabulary), tokens=100, longest=None, seed=0)
    sources, targets = found.batch(0)
    assert [source.tolist() for source in sources] == [[3, 3, vocabulary.eos]]
    assert [target.tolist() for target in targets] == [[vocabulary.bos, 3, 3, 3, vocabulary.eos]]
    assert found.tokens_per_batch == 4  # three and the end


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_an_epoch_has_every_pair_once(epoch: int) -> None:
    found = batches(drawn())
    steps = int(found.steps_per_epoch)
    seen = [pair for step in range(epoch * steps, (epoch + 1) * steps) for pair in members(found, step)]
    assert sorted(seen) == list(range(89))


def test_a_batch_holds_its_tokens_and_like_lengths() -> None:
    found = batches(drawn(), tokens=120)
    for step in range(int(found.steps_per_epoch)):
        sources, targets = found.batch(step)
        lengths = [max(len(source), len(target) - 1) for source, target in zip(sources, targets, strict=True)]
        assert len(lengths) * max(lengths) <= 120
        # groups of lengths from 16 to 31 are two wide, and few pairs make a batch that ends in the next but one
        assert max(lengths) <= min(lengths) * 1.25 + 2 or len(lengths) > 5


def test_a_pair_longer_than_a_batch_is_a_batch_of_its_own() -> None:
    found = batches([(50, 3), (2, 2), (2, 3)], tokens=20)
    sizes = sorted(len(found.batch(step)[0]) for step in range(int(found.steps_per_epoch)))
    assert sizes == [1, 2]


def test_what_a_batch_is_follows_from_seed_and_step_alone() -> None:
    one, two, other = batches(drawn()), batches(drawn()), batches(drawn(), seed=8)
    steps = int(one.steps_per_epoch)
    order = [2 * steps + 1, 0, 5, steps, 3]
    expected = {step: members(two, step) for step in sorted(order)}
    assert {step: members(one, step) for step in order} == {step: expected[step] for step in order}
    assert [members(other, step) for step in order] != [expected[step] for step in order]


def test_epochs_differ_in_order_and_in_company() -> None:
    found = batches([(9, 9)] * 60, tokens=100)  # ten of ten tokens each
    steps = int(found.steps_per_epoch)
    assert steps == 6
    first, second = ([frozenset(members(found, epoch * steps + step)) for step in range(steps)] for epoch in (0, 1))
    assert set(first) != set(second)


def test_both_sides_of_a_batch_are_of_like_length() -> None:
    lengths = [(20, other) for other in range(1, 20) for _ in range(10)]
    lengths += [(other, 20) for other in range(1, 20) for _ in range(10)]
    found = batches(lengths, tokens=210)
    widths = []
    for step in range(int(found.steps_per_epoch)):
        widths += [max(map(len, side)) - min(map(len, side)) for side in found.batch(step)]
    # in an order by chance ten of them are about fifteen apart
    assert max(widths) <= 6
    steps = int(found.steps_per_epoch)
    first, second = ([frozenset(members(found, epoch * steps + step)) for step in range(steps)] for epoch in (0, 1))
    assert set(first) != set(second)


def test_pairs_that_are_too_long_are_left_out_and_counted() -> None:
    # a source of 6 ids and its end are 7; a target of 7 ids is read without its end and with its begin: 8
    found = batches([(6, 2), (7, 2), (2, 6), (2, 7)], longest=7)
    assert found.left_out == 2
    assert sorted(pair for step in range(int(found.steps_per_epoch)) for pair in members(found, step)) == [0, 2]
    with pytest.raises(TooLittleTextError, match="none of 1 pairs fits a context of 7 tokens"):
        batches([(9, 9)], longest=7)


def test_tokens_of_a_batch_are_those_predicted_on_average() -> None:
    # targets of 3, 5 and 9 ids with their ends are 4 + 6 + 10 = 20, in one batch
    assert batches([(1, 3), (1, 5), (1, 9)], tokens=100).tokens_per_batch == 20
    # two batches: of 2 × 6 and of 1 × 10 tokens
    assert batches([(1, 3), (1, 5), (1, 9)], tokens=12).tokens_per_batch == 10
