"""The recurrent encoder–decoder: what it looks at, what it copies, and that copying can be learnt."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from tests.fakes.jobs import Recorder
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.types import Vocabulary
from ziggurat.models.recurrent_seq2seq import FAMILY, Look, Memory, RecurrentSeq2seqConfig, RecurrentSeq2seqNetwork
from ziggurat.training import conditional
from ziggurat.training.job import Job

VOCABULARY = Vocabulary(size=17, bos=0, eos=0)


def network(**keys: object) -> RecurrentSeq2seqNetwork:
    config = dataclasses.replace(RecurrentSeq2seqConfig(embedding=6, hidden=10), **keys)  # type: ignore[arg-type]
    made = FAMILY.build(config, VOCABULARY, seed=3).network
    assert isinstance(made, RecurrentSeq2seqNetwork)
    return made


def test_a_look_by_hand() -> None:
    # the query is the vector itself: scores (1·1 + 0·0)/√4 and (1·3)/√4 = 0.5 and 1.5, weights 1/(1 + e) and e/(1 + e)
    look = Look(4, 4)
    with torch.no_grad():
        look.query.weight.copy_(torch.eye(4))
    vectors = torch.tensor([[[1.0, 0, 0, 0], [3.0, 0, 0, 2.0], [9.0, 9, 9, 9]]])
    keep_mask = torch.tensor([[True, True, False]])
    memory = Memory(vectors, torch.tensor([[5, 7, 0]]), keep_mask, (torch.zeros(1, 4),))
    found, weights = look(torch.tensor([[[1.0, 0, 0, 0]]]), memory)
    second = math.e / (1 + math.e)
    torch.testing.assert_close(weights, torch.tensor([[[1 - second, second, 0.0]]]))
    torch.testing.assert_close(found, torch.tensor([[[1 + 2 * second, 0, 0, 2 * second]]]))


def test_with_a_shut_gate_only_ids_of_the_source_are_written() -> None:
    made = network()
    assert made.gate is not None
    with torch.no_grad():
        made.gate.bias.fill_(-200.0)
    model = FAMILY.build(made.config, VOCABULARY, seed=3)
    model.network.load_state_dict(made.state_dict())
    conditioned = model.condition(np.array([[5, 11, 5, 0]], np.int32), np.array([4], np.int32))
    logprobs, _ = conditioned.begin(np.array([[0]], np.int32), np.array([1], np.int32))
    chances = np.exp(logprobs[0])
    assert chances[[0, 5, 11]].sum() == pytest.approx(1, abs=1e-5)
    assert (chances[[0, 5, 11]] > 0.01).all()


def test_what_is_copied_is_what_the_upper_layer_looks_at() -> None:
    made = network().eval()
    ids, lengths = torch.tensor([[5, 11, 5, 0], [2, 0, 9, 9]]), torch.tensor([4, 2])
    hidden = made.hidden(torch.tensor([[0, 3, 4], [0, 3, 4]]), made.source(ids, lengths))
    assert hidden.shape == (2, 3, 6 + 1 + 17) == (2, 3, made.width)
    copies = hidden[..., 7:]
    torch.testing.assert_close(copies.sum(-1), torch.ones(2, 3))
    assert copies[0, :, [1, 2, 3, 4, 6, 7, 8, 9, 10]].abs().max() == 0
    assert copies[1, :, 9].abs().max() == 0  # padding


def test_without_copying_a_vector_is_what_is_written_from() -> None:
    made = network(copies=False).eval()
    assert made.width == 6
    assert made.gate is None
    source = made.source(torch.tensor([[5, 0]]), torch.tensor([2]))
    hidden = made.hidden(torch.tensor([[0, 3]]), source)
    expected = hidden @ made.embedding.weight.T + made.bias
    torch.testing.assert_close(made.logits(hidden), expected)


def test_first_weights_come_from_the_seed() -> None:
    one, two = network(), network()
    other = FAMILY.build(one.config, VOCABULARY, seed=5).network
    for (name, weight), same, different in zip(
        one.named_parameters(), two.parameters(), other.parameters(), strict=True
    ):
        assert torch.equal(weight, same), name
        assert weight.dim() < 2 or not torch.equal(weight, different), name


def pairs(count: int, ids: range, seed: int) -> tuple[MemoryStream, MemoryStream]:
    """Sources of three ids; the target is the middle one, between fixed ids."""
    dice = np.random.default_rng(seed)
    sources = [[int(one) for one in dice.choice(ids, 3)] for _ in range(count)]
    return MemoryStream.of(sources, VOCABULARY), MemoryStream.of([[1, one[1], 2] for one in sources], VOCABULARY)


def test_ids_that_no_target_had_are_copied() -> None:
    """Learnt on the ids 3 to 12; measured on 13 to 16, of which the sources of training had some, no target any."""
    dice = np.random.default_rng(11)
    rows = [[int(dice.integers(3, 17)), int(dice.integers(3, 13)), int(dice.integers(3, 17))] for _ in range(300)]
    sources = MemoryStream.of(rows, VOCABULARY)
    targets = MemoryStream.of([[1, row[1], 2] for row in rows], VOCABULARY)
    held = pairs(40, range(13, 17), 7)
    losses = {}
    for copies in (True, False):
        config = RecurrentSeq2seqConfig(embedding=16, hidden=32, copies=copies)
        keys = conditional.Config(
            steps=250, rows=24, window=5, learning_rate=0.01, label_smoothing=0.0, precision="f32", keep="last"
        )
        job = Job(FAMILY, config, keys, targets, held[1], 3, None, Recorder(), train_sources=sources)
        fitted = conditional.fit(dataclasses.replace(job, dev_sources=held[0]))
        losses[copies] = float(fitted.facts["dev_loss"])
    assert losses[True] < 0.5 * losses[False]
    assert losses[False] > 1
