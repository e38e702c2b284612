"""What a network that labels words is made of, each part against numbers by hand or against all labellings counted."""

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.fakes.word_batches import word_batch
from ziggurat.core.schemes import misfit
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.character_cnn import CharacterCNN
from ziggurat.models.blocks.crf import LinearChainCRF
from ziggurat.models.blocks.lstm import BidirectionalLSTM
from ziggurat.models.blocks.tagging import TaggingKeys, WordTensors, of_rows, piece_means, word_tensors
from ziggurat.models.recurrent_tagger import FAMILY, RecurrentTaggerConfig

CPU = torch.device("cpu")


def tensors(firsts: list[list[int]], words: list[int], lengths: list[int]) -> WordTensors:
    rows, most = len(firsts), max(lengths)
    ids, characters = torch.zeros(rows, most, dtype=torch.long), torch.zeros(rows, len(firsts[0]), 1, dtype=torch.long)
    return WordTensors(ids, torch.tensor(lengths), torch.tensor(firsts), torch.tensor(words), characters)


def test_a_word_has_the_mean_of_its_ids() -> None:
    # bos 1 2 3 4 eos: words of the ids 1 2, 3 and 4; then bos 5 6 eos: one word of 5 6
    x = torch.tensor([[9.0, 1, 2, 3, 4, 9], [9, 5, 6, 9, 9, 9]])[..., None]
    found = piece_means(x, tensors([[1, 3, 4], [1, 0, 0]], [3, 1], [6, 4]))
    assert found[..., 0].tolist() == [[1.5, 3, 4], [5.5, 0, 0]]


def test_words_that_share_an_id_or_have_none_have_the_one_at_their_place() -> None:
    # bos 1 2 eos: two words share 1, the third has 2, the fourth none, so what stands at its place
    x = torch.tensor([[9.0, 1, 2, 7]])[..., None]
    assert piece_means(x, tensors([[1, 1, 2, 3]], [4], [4]))[0, :, 0].tolist() == [1, 1, 2, 7]


def cnn() -> CharacterCNN:
    """Characters of one number each, their code point; one filter, 1·x₁ + 10·x₂, over two; and its opposite."""
    made = CharacterCNN(rows=7, width=1, filters=2, window=2)
    with torch.no_grad():
        made.embedding.weight.copy_(torch.arange(7.0)[:, None])
        made.convolve.weight.copy_(torch.tensor([[1.0, 10.0], [-1.0, -10.0]]))
        made.convolve.bias.copy_(torch.tensor([0.5, 30.5]))
    return made


def test_a_word_is_spelled_by_what_each_filter_answers_most() -> None:
    # rows of 2 3 1 are 1 + (c − 1) mod 6 = 2 3 1; windows (2 3) (3 1) (1 0): 32, 13, 1, so the best is 32 + 0.5;
    # the opposite −32, −13, −1 and 30.5: 29.5
    found = cnn()(torch.tensor([[2, 3, 1, 0]]))
    assert found.tolist() == [[32.5, 29.5]]
    # 6 is row 6, 7 and 13 are row 1 + 6 mod 6 = 1 again: window (1 0) alone: 1.5 and 29.5
    assert cnn()(torch.tensor([[7, 0], [13, 0]])).tolist() == [[1.5, 29.5]] * 2


def test_a_word_without_characters_is_zeros() -> None:
    assert cnn()(torch.zeros(2, 3, 5, dtype=torch.long)).tolist() == torch.zeros(2, 3, 2).tolist()
    assert cnn()(torch.zeros(2, 3, 0, dtype=torch.long)).shape == (2, 3, 2)


def test_the_second_direction_reads_each_row_from_its_own_end() -> None:
    layer = BidirectionalLSTM(3, 5)
    layer.fill(seed=7, name="layer")
    x = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(3))
    found = layer(x, torch.tensor([7, 4]))
    zeros = torch.zeros(1, 5)
    for row, length in enumerate((7, 4)):
        alone = x[row : row + 1, :length]
        ahead, _ = layer.forwards(alone, (zeros, zeros))
        back, _ = layer.backwards(alone.flip(1), (zeros, zeros))
        torch.testing.assert_close(found[row, :length], torch.cat([ahead, back.flip(1)], dim=-1)[0])


def test_rows_are_taken_without_the_padding_that_no_row_needs() -> None:
    batch = word_batch([7, 2, 3], spare=5, filler=101)
    found = of_rows(batch, np.array([2, 1]))
    assert found.words.tolist() == [3, 2]
    assert found.ids.shape == (2, max(batch.lengths[1:]))
    assert found.firsts.shape == (2, 3)
    longest = (batch.characters[[1, 2], :2] > 0).any(axis=(0, 1)).sum()
    assert longest <= found.characters.shape[2] <= 5
    np.testing.assert_array_equal(found.characters[0], batch.characters[2, :3, : found.characters.shape[2]])


@pytest.mark.parametrize(
    ("labels", "scheme", "resolved"),
    [
        (("O", "B-A", "I-A"), "auto", "BIO"),
        (("O", "I-A"), "auto", "IOB1"),
        (("NOUN", "VERB"), "auto", None),
        (("B", "M", "E", "S"), "auto", "BMES"),
        (("O", "B-A", "I-A"), "IOB1", "IOB1"),
        (("O", "B-A", "I-A"), "none", None),
    ],
)
def test_the_scheme_is_told_or_seen(labels: tuple[str, ...], scheme: str, resolved: str | None) -> None:
    keys = TaggingKeys(labels=labels, scheme=scheme)  # type: ignore[arg-type]
    assert keys.resolved_scheme == resolved
    assert (keys.masks() is None) == (resolved is None)


@pytest.mark.parametrize("scheme", ["auto", "none", "IOB1", "BIO", "BIOES", "BILOU", "BMES"])
def test_a_scheme_can_be_named_before_labels_are_known(scheme: str) -> None:
    assert TaggingKeys(scheme=scheme).masks() is None  # type: ignore[arg-type]
    assert RecurrentTaggerConfig(scheme=scheme).scheme == scheme  # type: ignore[arg-type]


def test_where_no_label_can_fill_every_sentence_all_may_stand() -> None:
    # B and E alone: a sentence of one word could have no label at all
    assert TaggingKeys(labels=("B", "E"), scheme="BMES").masks() is None
    model = FAMILY.build(RecurrentTaggerConfig(labels=("B", "E"), scheme="BMES"), Vocabulary(11, 0, 0), seed=0)
    assert (model.tag(word_batch([1]))[0] >= 0).all()


def test_what_is_said_is_the_best_of_all_labellings_that_may_be() -> None:
    model = FAMILY.tiny(seed=5)
    network, labels = model.network, model.labels
    batch = word_batch([5, 3], seed=7)
    said, sure = model.tag(batch)
    with torch.no_grad():
        emissions = network.emissions(word_tensors(batch, CPU)).double().numpy()
    for row, words in enumerate((5, 3)):
        scores = {
            path: scored(path, emissions[row], network.crf)
            for path in itertools.product(range(5), repeat=words)
            if misfit([labels[label] for label in path], "BIO") is None
        }
        assert len(scores) < 5**words
        assert tuple(said[row, :words].tolist()) == max(scores, key=lambda path: scores[path])
        total = np.logaddexp.reduce(list(scores.values()))
        for place in range(words):
            same = [score for path, score in scores.items() if path[place] == said[row, place]]
            assert sure[row, place] == pytest.approx(np.exp(np.logaddexp.reduce(same) - total), rel=1e-4)


def scored(path: tuple[int, ...], emissions: npt.NDArray[np.float64], crf: LinearChainCRF) -> float:
    """The score of one labelling as the formula of the CRF is written."""
    start, move, end = (weight.detach().double().numpy() for weight in (crf.start, crf.transitions, crf.end))
    score = start[path[0]] + end[path[-1]] + sum(emissions[place, label] for place, label in enumerate(path))
    return float(score + sum(move[pair] for pair in itertools.pairwise(path)))


def test_a_network_of_either_part_alone_labels_too() -> None:
    for keys in ({"character_filters": 0}, {"layers": 3}, {"ngram_orders": (2,), "ngram_rows": 53}):
        config = RecurrentTaggerConfig(labels=("O", "B-A", "I-A"), embedding=5, hidden=3, **keys)
        model = FAMILY.build(config, Vocabulary(11, 0, 0), seed=0)
        assert (model.tag(word_batch([3, 2]))[0] >= 0).sum() == 5
        anatomy = FAMILY.anatomy(config, model.vocabulary)
        assert anatomy.parameters == model.network.parameter_count


def test_a_size_is_about_what_was_asked_for() -> None:
    for wanted in (10_000, 100_000, 1_000_000):
        config = FAMILY.sized(wanted)
        anatomy = FAMILY.anatomy(config, Vocabulary(101, 0, 0))
        beside = anatomy.parameters - 101 * config.embedding - config.character_rows * config.character_embedding
        assert 0.8 < beside / wanted < 1.25
