"""Training by hidden tokens: what a batch holds, its loss by the formula, and what the held-out loss is."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import MASK, VOCABULARY, fit, job, stream, weights
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.encoding import NeuralMaskedModel
from ziggurat.training.held_out import spread_order
from ziggurat.training.job import Job, WordMarks
from ziggurat.training.masked import Config
from ziggurat.training.objectives.masked import MaskedTokens, commonest


def objective(asked: Job | None = None, *, part: float = 0.15, whole: bool = False, rows: int = 5) -> MaskedTokens:
    asked = job("encoder", steps=1) if asked is None else asked
    model = asked.family.build(asked.model_config, asked.train.vocabulary, seed=asked.seed)
    return MaskedTokens(asked, model, rows=rows, window=23, part=part, whole=whole)


def test_a_row_begins_and_ends_and_has_as_many_hidden_as_its_part_says() -> None:
    found = objective()
    for number in range(7):
        ids, targets = found.batch(number)
        assert ids.shape == targets.shape == (5, 23)
        assert set(ids[:, 0]) == set(ids[:, -1]) == {VOCABULARY.bos}  # bos = eos
        # 21 ids of text: 0.15 · 21 = 3.15
        assert ((targets >= 0).sum(axis=1) == 3).all()
        asked = targets >= 0
        assert not np.isin(targets[asked], VOCABULARY.special).any()
        assert not (ids[~asked] == MASK).any()


def test_what_is_not_asked_about_is_the_text_itself() -> None:
    found = objective()
    ids, targets = found.batch(3)
    text = np.asarray(found.batches.tokens[found.batches.places(3)[:, :-1]])
    np.testing.assert_array_equal(np.where(targets >= 0, targets, ids)[:, 1:-1], text)


def test_a_batch_is_a_function_of_its_number_and_the_seed() -> None:
    one, two = objective(), objective()
    for number in (5, 0, 5):
        for first, second in zip(one.batch(number), two.batch(number), strict=True):
            np.testing.assert_array_equal(first, second)
    other = objective(dataclasses.replace(job("encoder", steps=1), seed=8))
    assert not np.array_equal(one.batch(0)[0], other.batch(0)[0])
    assert not np.array_equal(one.batch(0)[1], one.batch(1)[1])


def test_each_pass_over_the_text_hides_other_tokens() -> None:
    found = objective(rows=1)
    per_epoch = int(found.steps_per_epoch)
    hidden = [
        {int(place) for n in range(per_epoch) for place in hidden_places(found, epoch * per_epoch + n)}
        for epoch in (0, 1)
    ]
    assert len(hidden[0] & hidden[1]) < len(hidden[0]) / 2


def hidden_places(found: MaskedTokens, number: int) -> list[int]:
    """Where in the text the hidden ids of a batch stand."""
    places = found.batches.places(number)[:, :-1]
    return list(places[found.batch(number)[1][:, 1:-1] >= 0])


def test_the_loss_is_the_mean_over_hidden_tokens() -> None:
    found = objective()
    ids, targets = found.batch(2)
    with torch.no_grad():
        logits = found.network.logits(found.network.hidden(torch.from_numpy(ids).long()))
    logprobs = logits.log_softmax(-1).numpy()
    rows, places = np.nonzero(targets >= 0)
    expected = -np.mean([logprobs[row, place, targets[row, place]] for row, place in zip(rows, places, strict=True)])
    assert found.loss(2).mean.item() == pytest.approx(expected, rel=1e-5)


def test_a_batch_counts_what_it_predicts() -> None:
    found = objective()
    # 5 rows of 21 ids between their ends, 3 of each hidden
    assert found.loss(2).predicted == found.tokens_per_batch == 5 * 3


def test_a_batch_with_nothing_to_guess_costs_nothing() -> None:
    unknown = dataclasses.replace(VOCABULARY, unk=1)
    asked = dataclasses.replace(job("encoder", steps=1), train=MemoryStream.of([[1] * 97], unknown), dev=None)
    loss, predicted = objective(asked).loss(0)
    assert (loss.item(), predicted) == (0, 0)
    fitted = fit(asked)
    assert all(np.isfinite(value).all() for value in weights(fitted).values())


def test_held_out_text_of_special_tokens_alone_is_no_loss() -> None:
    unknown = dataclasses.replace(VOCABULARY, unk=1)
    dev = MemoryStream.of([[1] * 97, [1, 1]], unknown)
    train = MemoryStream.of([[2, 3, 4] * 31], unknown)
    assert objective(dataclasses.replace(job("encoder", steps=1), train=train, dev=dev)).dev_loss(100) is None


def test_the_held_out_loss_hides_the_same_every_time_and_nothing_else() -> None:
    found = objective()
    first = found.dev_loss(100)
    assert found.dev_loss(100) == first
    rows = found._held_out(100)
    assert sum(len(read) - 2 for read, _ in rows) == 100
    assert all(((read == MASK) == (asked >= 0)).all() for read, asked in rows)
    total = count = 0.0
    for read, asked in rows:
        told, _ = found.model.guess(read[None], np.array([len(read)], np.int32), asked[None])
        total, count = total - told.sum(), count + (asked >= 0).sum()
    assert first == pytest.approx(total / count, rel=1e-5)


def test_held_out_text_stays_apart_by_document() -> None:
    found = objective()
    assert found.job.dev is not None
    lengths = [len(found.job.dev.document(number)) - 2 for number in spread_order(len(found.job.dev.starts) - 1)[:3]]
    rows = found._held_out(sum(lengths))
    cut = [min(21, length - start) for length in lengths for start in range(0, length, 21)]
    assert [len(read) - 2 for read, _ in rows] == cut


def marks(of: MemoryStream) -> Any:
    """Every id that follows on one smaller than it goes on its word."""
    found = np.zeros(len(of.tokens), np.bool_)
    found[1:] = (np.diff(of.tokens) > 0) & (of.tokens[:-1] != VOCABULARY.bos)
    return found


def test_whole_words_are_hidden_together() -> None:
    train, dev = stream(), stream(5, seed=1)
    asked = dataclasses.replace(
        job("encoder", steps=1), train=train, dev=dev, words=WordMarks(marks(train), marks(dev))
    )
    found = objective(asked, part=0.3, whole=True)
    goes_on = marks(train)
    for number in range(11):
        places = found.batches.places(number)[:, :-1]
        for row, asked_row in zip(places, found.batch(number)[1][:, 1:-1] >= 0, strict=True):
            for place in np.flatnonzero(asked_row):
                if place + 1 < len(row) and goes_on[row[place + 1]]:
                    assert asked_row[place + 1]
                if place > 0 and goes_on[row[place]]:
                    assert asked_row[place - 1]
    read, targets = found._held_out(200)[0]
    ids = np.where(targets >= 0, targets, read)[1:-1]
    for place in np.flatnonzero(targets[1:-1] >= 0):
        if place + 1 < len(ids) and ids[place + 1] > ids[place]:
            assert targets[place + 2] >= 0


def test_whole_words_train_and_repeat() -> None:
    train, dev = stream(), stream(5, seed=1)
    keys = {"steps": 7, "rows": 3, "window": 11, "whole_words": True}
    asked = dataclasses.replace(
        job("encoder", steps=1),
        config=from_mapping(Config, keys, where="training"),
        words=WordMarks(marks(train), marks(dev)),
    )
    one, two = fit(asked), fit(asked)
    assert one.facts["dev_loss"] == two.facts["dev_loss"]


# -- what can't be ----------------------------------------------------------------------------------------------------


def test_words_that_nobody_marked() -> None:
    with pytest.raises(UsageError, match="it is not known which tokens make a word; set whole_words = false"):
        objective(whole=True)


def test_a_vocabulary_without_a_token_that_hides() -> None:
    plain = MemoryStream.of([[1, 2, 3, 4, 5, 6, 7]], Vocabulary(size=13, bos=0, eos=0))
    with pytest.raises(UsageError, match=r"no token that hides another .*kind = \"wordpiece\""):
        fit(dataclasses.replace(job("encoder", steps=1), train=plain, dev=None))


def test_an_encoder_without_a_head_and_a_model_of_another_family() -> None:
    headless = dataclasses.replace(job("encoder", steps=1).model_config, head=False)
    with pytest.raises(UsageError, match=r"guesses no hidden tokens \(an encoder needs head = true\)"):
        fit(dataclasses.replace(job("encoder", steps=1), model_config=headless))
    with pytest.raises(UsageError, match="the masked trainer can't fit this decoder model"):
        objective(job("decoder", steps=1))


# ids 1, 2, 2, 5 and 5, 5: 5 three times of 6; the end is no guess
def test_the_commonest_id() -> None:
    text = MemoryStream.of([[1, 2, 2, 5], [5, 5]], VOCABULARY)
    assert commonest(text) == {"most_frequent_id": 5, "most_frequent_part": 0.5}


def test_a_model_remembers_the_commonest_id_and_tells_what_its_loss_is_of() -> None:
    events: list[Any] = []
    fitted = fit(job("encoder", steps=20, listener=events.append))
    assert isinstance(fitted.model, NeuralMaskedModel)
    counts = np.bincount(job("encoder", steps=1).train.tokens, minlength=14)[1:13]
    assert fitted.facts["most_frequent_id"] == int(counts.argmax()) + 1
    told = [event for event in events if event["event"] in ("step", "eval")]
    assert {event["per"] for event in told} == {"hidden token"}
    assert len(told) > 2
