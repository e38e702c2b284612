"""Label likelihoods by hand: a model whose probabilities a test gives, and what it was asked to read."""

import math

import numpy as np
import pytest

from tests.fakes.scripted import Extending, Prefix, Scripted
from ziggurat.core.types import IdArray, Vocabulary
from ziggurat.use.label_scores import LabelScorer, common_prefix

VOCABULARY = Vocabulary(size=13, bos=0, eos=0)
BOS, A, B, C, YES, NO, SIR = 0, 1, 2, 3, 7, 8, 9


def ids(*numbers: int) -> IdArray:
    return np.array(numbers, np.int32)


def row(**chances: float) -> list[float]:
    names = {"yes": YES, "no": NO, "sir": SIR, "other": 12}
    weights = [0.0] * VOCABULARY.size
    for name, chance in chances.items():
        weights[names[name]] = chance
    return weights


def polite(prefix: Prefix) -> list[float]:
    """After yes, sir in a fifth of all cases; before, yes is likelier the more 1s the prompt has."""
    if prefix[-1] == YES:
        return row(sir=1.0, other=4.0)
    if prefix[-1] == SIR:
        return row(sir=1.0, other=1.0)
    return row(yes=1.0 + prefix.count(A), no=2.0, other=1.0)


def test_a_label_of_one_token_is_one_probability() -> None:
    # [bos 1 1]: yes 3, no 2, other 1 of 6 → 3/6 and 2/6
    scorer = LabelScorer(Scripted(VOCABULARY, polite), [ids(YES), ids(NO)])
    assert np.exp(scorer.logprobs([ids(BOS, A, A)])).tolist() == [pytest.approx([3 / 6, 2 / 6])]


def test_a_longer_label_is_the_product_of_its_tokens() -> None:
    # [bos 1 2]: yes 2 of 5; then sir 1 of 5; then sir again 1 of 2
    labels = [ids(YES), ids(YES, SIR), ids(YES, SIR, SIR), ids(NO)]
    found = LabelScorer(Scripted(VOCABULARY, polite), labels).logprobs([ids(BOS, A, B)])
    assert np.exp(found).tolist() == [pytest.approx([2 / 5, 2 / 5 / 5, 2 / 5 / 5 / 2, 2 / 5])]


def test_labels_that_begin_alike_share_a_step() -> None:
    model = Scripted(VOCABULARY, polite)
    scorer = LabelScorer(model, [ids(YES, SIR), ids(YES, NO), ids(NO)])
    found = scorer.logprobs([ids(BOS, A), ids(BOS, B)])
    assert model.steps == [2]  # two prompts, one beginning [yes]
    # [bos 1]: yes 2/5, then sir 1/5, and no never; [bos 2]: yes 1/4, no 2/4
    assert found[0, 0] == pytest.approx(math.log(2 / 5 / 5))
    assert found[1, 2] == pytest.approx(math.log(2 / 4))
    assert np.isneginf(found[:, 1]).all()


def test_labels_of_different_beginnings_go_on_side_by_side() -> None:
    model = Scripted(VOCABULARY, polite)
    found = LabelScorer(model, [ids(YES, SIR), ids(NO, YES), ids(NO, YES, SIR)]).logprobs([ids(BOS, B), ids(BOS, A)])
    assert model.steps == [4, 2]  # (yes, no) × two prompts, then (no yes) × two prompts
    # [bos 2]: yes 1/4 · sir 1/5; no 2/4 · yes 1/4; that · sir 1/5
    assert np.exp(found[0]).tolist() == pytest.approx([1 / 4 / 5, 2 / 4 / 4, 2 / 4 / 4 / 5])
    # [bos 1]: yes 2/5 · sir 1/5; no 2/5 · yes 2/5; that · sir 1/5
    assert np.exp(found[1]).tolist() == pytest.approx([2 / 5 / 5, 2 / 5 * 2 / 5, 2 / 5 * 2 / 5 / 5])


def test_what_all_prompts_begin_with_is_read_once() -> None:
    model = Extending(VOCABULARY, polite)
    prompts = [ids(BOS, A, A, B, C), ids(BOS, A, A, C), ids(BOS, A, A, C, C, B)]
    found = LabelScorer(model, [ids(YES), ids(NO)]).logprobs(prompts)
    assert model.read == [[(BOS, A, A)]]
    assert model.extended == [[(C,), (B, C), (C, C, B)]]  # the shortest first
    assert np.exp(found).tolist() == [pytest.approx([3 / 6, 2 / 6])] * 3


def test_the_beginning_is_kept_for_the_next_prompts() -> None:
    model = Extending(VOCABULARY, polite)
    scorer = LabelScorer(model, [ids(YES), ids(NO)])
    scorer.logprobs([ids(BOS, A, A, B), ids(BOS, A, A, C)])
    scorer.logprobs([ids(BOS, A, A, C, B), ids(BOS, A, A, B, B)])
    assert model.read == [[(BOS, A, A)]]


def test_a_longer_beginning_is_read_where_that_saves_more_than_it_costs() -> None:
    model = Extending(VOCABULARY, polite)
    scorer = LabelScorer(model, [ids(YES), ids(NO)])
    scorer.logprobs([ids(BOS, A), ids(BOS, B)])
    # three prompts share 4 ids, of which 1 is held: 3 · 3 ids saved for 4 read
    scorer.logprobs([ids(BOS, A, A, A, end) for end in (A, B, C)])
    assert model.read == [[(BOS,)], [(BOS, A, A, A)]]
    # one prompt: 4 ids read to save 1
    scorer.logprobs([ids(BOS, A, A, A, B, C)])
    assert len(model.read) == 2


def test_another_beginning_replaces_the_one_that_is_held() -> None:
    model = Extending(VOCABULARY, polite)
    scorer = LabelScorer(model, [ids(YES), ids(NO)])
    first = scorer.logprobs([ids(BOS, A, A, B), ids(BOS, A, A, C)])
    other = scorer.logprobs([ids(BOS, C, B), ids(BOS, C, C)])
    assert model.read == [[(BOS, A, A)], [(BOS, C)]]
    assert np.exp(first[:, 0]).tolist() == pytest.approx([3 / 6, 3 / 6])
    assert np.exp(other[:, 0]).tolist() == pytest.approx([1 / 4, 1 / 4])


def test_equal_prompts_and_a_prompt_that_begins_another_keep_an_id_to_be_read() -> None:
    model = Extending(VOCABULARY, polite)
    found = LabelScorer(model, [ids(YES), ids(NO)]).logprobs([ids(BOS, A), ids(BOS, A), ids(BOS, A, A)])
    assert model.read == [[(BOS,)]]
    assert model.extended == [[(A,), (A,), (A, A)]]
    assert np.exp(found[:, 0]).tolist() == pytest.approx([2 / 5, 2 / 5, 3 / 6])


def test_a_prompt_of_its_begin_token_alone() -> None:
    model = Extending(VOCABULARY, polite)
    found = LabelScorer(model, [ids(YES), ids(NO)]).logprobs([ids(BOS)])
    assert np.exp(found).tolist() == [pytest.approx([1 / 4, 2 / 4])]


def test_a_model_without_extend_reads_whole_prompts() -> None:
    model = Scripted(VOCABULARY, polite)
    LabelScorer(model, [ids(YES), ids(NO)]).logprobs([ids(BOS, A, B), ids(BOS, A)])
    assert model.read == [[(BOS, A), (BOS, A, B)]]


def test_batches_hold_no_more_ids_than_allowed_and_rows_of_like_length() -> None:
    prompts = [ids(BOS, *[A] * size) for size in (1, 2, 3, 4, 50, 3)]
    model = Scripted(VOCABULARY, polite)
    small = LabelScorer(model, [ids(YES), ids(NO)], batch_tokens=11).logprobs(prompts)
    # lengths 2 3 4 | 4 5 | 51: three rows of 4 are 12 > 11
    assert [[len(one) for one in batch] for batch in model.read] == [[2, 3], [4, 4], [5], [51]]
    other = Scripted(VOCABULARY, polite)
    large = LabelScorer(other, [ids(YES), ids(NO)], batch_tokens=1000).logprobs(prompts)
    assert [len(batch) for batch in other.read] == [5, 1]  # 51 is more than 2 · 2 + 32
    assert small.tolist() == large.tolist()


def test_no_prompts_no_scores() -> None:
    assert LabelScorer(Scripted(VOCABULARY, polite), [ids(YES), ids(NO)]).logprobs([]).shape == (0, 2)


def test_the_last_id_of_a_label_needs_no_room_in_the_context() -> None:
    model = Extending(VOCABULARY, polite, context=4)
    found = LabelScorer(model, [ids(YES, SIR), ids(NO)]).logprobs([ids(BOS, A, A)])
    assert np.exp(found).tolist() == [pytest.approx([3 / 6 / 5, 2 / 6])]


@pytest.mark.parametrize(
    ("sequences", "shared"),
    [
        ([(1, 2, 3)], 3),
        ([(1, 2, 3), (1, 2, 3)], 3),
        ([(1, 2, 3), (1, 2)], 2),
        ([(1, 2, 3), (5, 2, 3)], 0),
        ([(1, 2, 3, 4), (1, 2, 3, 5), (1, 7, 3, 4)], 1),
        ([(1, 2), ()], 0),
    ],
)
def test_what_sequences_begin_with(sequences: list[tuple[int, ...]], shared: int) -> None:
    assert common_prefix([np.array(one, np.int32) for one in sequences]) == shared
