"""Word2Vec's matrices before and between stretches: how they begin, what a word consists of, what is saved."""

from typing import Any

import numpy as np
import pytest

from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.seeding import uniform_rows
from ziggurat.core.types import Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.models.word_vectors import WordVectorsConfig
from ziggurat.training.job import Job, Spelling
from ziggurat.training.word2vec import Config
from ziggurat.training.word2vec_steps import Steps, Tally
from ziggurat.training.word_counts import count_words

VOCABULARY = Vocabulary(size=7, bos=0, eos=0, unk=1)
TEXTS = [[2, 3, 2, 5, 1, 3, 2], [5, 2, 3]]  # ids 4 and 6 never occur
WIDTH = 5
SPELLING = Spelling(
    # ids 0 and 1 have no n-grams; 2 has buckets 40 and 9, 3 has 9, 4 has 77, 5 has none, 6 has 40
    np.array([0, 0, 0, 2, 3, 4, 4, 5], np.int64),
    np.array([40, 9, 9, 77, 40], np.int32),
)


def steps(*, spelling: Spelling | None = None, seed: int = 7, **keys: Any) -> Steps:
    train = MemoryStream.of(TEXTS, VOCABULARY)
    job = Job(
        family=FAMILIES.get("word_vectors"),
        model_config=WordVectorsConfig(width=WIDTH, longest_ngram=3 if spelling else 0, buckets=101),
        config=from_mapping(Config, {"window": 2, "sample": 0.0, **keys}, where="training"),
        train=train,
        dev=None,
        seed=seed,
        spelling=spelling,
    )
    return Steps(job, count_words(train))


def bag(made: Steps, word: int) -> list[int]:
    return [int(row) for row in made.bags.rows[made.bags.starts[word] : made.bags.starts[word + 1]]]


# -- n-grams ----------------------------------------------------------------------------------------------------------


def test_only_ngrams_of_words_that_occur_have_rows() -> None:
    # words 2 (4 times), 3 (3 times) and 5 (twice) occur; their buckets are 9 and 40, in rows 7 + 0 and 7 + 1
    made = steps(spelling=SPELLING)
    assert made.counts.tolist() == [0, 0, 4, 3, 0, 2, 0]
    assert made.buckets.tolist() == [9, 40]
    assert [bag(made, word) for word in range(7)] == [[], [], [2, 8, 7], [3, 7], [], [5], []]
    assert made.matrices.inputs.shape == (7 + 2, 16)
    assert made.matrices.outputs.shape == (7, 16)


def test_before_the_first_step_a_vector_is_the_mean_of_what_was_drawn() -> None:
    made = steps(spelling=SPELLING)
    own, ngrams = uniform_rows(7, WIDTH, 7, "vectors"), uniform_rows(2, WIDTH, 7, "ngrams")
    own[:2] = 0
    found = made.vectors()
    np.testing.assert_allclose(found[2], (own[2] + ngrams[1] + ngrams[0]) / 3, atol=1e-7)
    np.testing.assert_allclose(found[3], (own[3] + ngrams[0]) / 2, atol=1e-7)
    assert np.array_equal(found[[4, 5, 6]], own[[4, 5, 6]])  # no n-grams, or none that is learnt
    assert not found[:2].any()
    kept = made.ngrams()
    assert kept is not None
    assert kept[0].tolist() == [9, 40]
    assert kept[0].dtype == np.int32
    assert np.array_equal(kept[1], ngrams)


def test_whole_words_begin_as_they_were_drawn_and_their_targets_as_zeros() -> None:
    made = steps()
    expected = uniform_rows(7, WIDTH, 7, "vectors")
    expected[:2] = 0
    assert np.array_equal(made.vectors(), expected)
    assert made.vectors().flags.c_contiguous
    assert not made.outputs().any()
    assert made.outputs().shape == (7, WIDTH)
    assert made.ngrams() is None
    assert not made.matrices.inputs[:, WIDTH:].any()  # rows are filled up to whole registers


def test_the_exact_softmax_refuses_ngrams_by_the_keys_name() -> None:
    with pytest.raises(UsageError, match=r"training\.objective: softmax .* set model\.longest_ngram to 0"):
        steps(spelling=SPELLING, objective="softmax")


# -- blocks of questions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("negatives", "block", "room"),
    [
        (5, 6, 6),  # the word itself and five samples: one block
        (11, 12, 12),  # as many as fit into registers
        (12, 7, 14),  # 13 questions in two blocks: 7 each, one place is filled up
        (23, 12, 24),  # 24 in two of 12
        (24, 9, 27),  # 25 in three of 9
        (100, 12, 108),  # 101 in nine of 12
    ],
)
def test_samples_are_asked_in_even_blocks(negatives: int, block: int, room: int) -> None:
    made = steps(negatives=negatives)
    assert (len(made.taken), made.room) == (block, room)
    assert made.work(11).targets.size == 2 * room


def test_a_path_is_asked_four_nodes_at_once() -> None:
    # counts 4, 3, 2: (2, 3) → 5, (4, 5) → 9: paths of 1, 2 and 2 nodes fit into one block
    made = steps(objective="hierarchical")
    assert np.diff(made.questions.starts).tolist() == [0, 0, 1, 2, 0, 2, 0]
    assert (len(made.taken), made.room) == (4, 4)


def test_a_threads_memory_holds_the_largest_window_of_the_longest_words() -> None:
    # a window of 2 has 4 words; the longest word consists of 3 rows
    work = steps(spelling=SPELLING).work(13)
    assert (work.kept.size, work.rows.size, work.bag.size) == (13, 4, 12)
    assert work.hidden.shape == (2, 16)
    assert steps().work(13).bag.size == 4


# -- stretches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [None, SPELLING])
def test_a_measurement_is_always_the_same_and_changes_nothing(spelling: Spelling | None) -> None:
    made = steps(spelling=spelling)
    work, tokens = made.work(23), made.job.train.tokens
    made.stretch(tokens, 0.1, 0, work)
    before = {name: array.copy() for name, array in made.arrays().items()}
    first, second, other = (made.measure(tokens, number, work) for number in (3, 3, 4))
    assert first == second
    assert first.nats != other.nats  # other samples, the same text
    assert first.words == 9  # the unknown word and the ends of texts are none
    for name, array in made.arrays().items():
        np.testing.assert_allclose(array, before[name], atol=1e-7)


def test_with_zeros_for_targets_each_question_costs_log_two() -> None:
    # nothing was learnt: every score is 0. A tree's path has 1 node for id 2 and 2 for ids 3 and 5. Each word is asked
    # of each neighbour within 2 places; the unknown word is left out, so the first text is 2 3 2 5 3 2
    #   neighbours of its words: 2, 3, 4, 4, 3, 2; nodes 1, 2, 1, 2, 2, 1: 2 + 6 + 4 + 8 + 6 + 2 = 28 questions
    #   the second is 5 2 3, two neighbours each: (2 + 1 + 2) · 2 = 10 questions
    made = steps(objective="hierarchical", dynamic_window=False)
    tally = made.measure(made.job.train.tokens, 0, made.work(23))
    assert tally.words == 9
    assert tally.predictions == 18 + 6
    assert tally.nats == pytest.approx(38 * np.log(2), rel=1e-6)
    assert tally.loss == pytest.approx(38 * np.log(2) / 24, rel=1e-6)


def test_a_stretch_draws_by_its_number_and_the_seed_alone() -> None:
    def after(number: int, seed: int = 7) -> Any:
        made = steps(seed=seed)
        made.matrices.inputs[:] = 0.25  # the same beginning for every seed
        made.stretch(made.job.train.tokens, 0.1, number, made.work(23))
        return made.outputs()

    assert np.array_equal(after(3), after(3))
    assert not np.array_equal(after(3), after(4))
    assert not np.array_equal(after(3), after(3, seed=8))


# -- checkpoints ------------------------------------------------------------------------------------------------------


def test_arrays_of_a_checkpoint_are_the_matrices_themselves() -> None:
    made, other = steps(spelling=SPELLING), steps(spelling=SPELLING, seed=8)
    assert set(made.arrays()) == {"inputs", "outputs"}
    made.stretch(made.job.train.tokens, 0.1, 0, made.work(23))
    other.restore({name: array.copy() for name, array in made.arrays().items()})
    assert np.array_equal(other.vectors(), made.vectors())
    assert np.array_equal(other.outputs(), made.outputs())


def test_arrays_of_another_run_are_refused() -> None:
    made, wider = steps(), steps(spelling=SPELLING)
    with pytest.raises(ValueError, match="'inputs' has another shape"):
        made.restore(wider.arrays())
    with pytest.raises(KeyError):
        made.restore({"inputs": made.matrices.inputs})


def test_a_tally_adds_up() -> None:
    tally = Tally(3, 1.5, 2)
    tally.add(Tally(4, 2.5, 6))
    assert tally.numbers() == [7, 4.0, 8]
    assert tally.loss == 0.5
    assert Tally(*tally.numbers()) == tally  # type: ignore[arg-type]
    assert Tally().loss == 0.0  # nothing was asked
