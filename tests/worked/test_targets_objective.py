"""What an encoder–decoder is trained by: target tokens given their sources, smoothed, padding left out."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import VOCABULARY, job
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.types import Vocabulary
from ziggurat.models.blocks.conditioned import NeuralConditionalModel
from ziggurat.models.registry import FAMILIES
from ziggurat.training import conditional, gradient
from ziggurat.training.job import Job
from ziggurat.training.objectives.targets import Targets

FAMILY = FAMILIES.get("seq2seq")


def asked(sources: list[list[int]], targets: list[list[int]], vocabulary: Vocabulary = VOCABULARY, **model: Any) -> Job:
    keys = {"layers": 1, "width": 12, "heads": 2, "dropout": 0.0, **model}
    return Job(
        family=FAMILY,
        model_config=from_mapping(FAMILY.config, keys, where="test"),
        config=conditional.Config(steps=3),
        train=MemoryStream.of(targets, vocabulary),
        train_sources=MemoryStream.of(sources, vocabulary),
        dev=MemoryStream.of(targets, vocabulary),
        dev_sources=MemoryStream.of(sources, vocabulary),
        seed=3,
    )


def objective(one: Job, *, tokens: int = 1000, smoothing: float = 0.0) -> tuple[Targets, NeuralConditionalModel]:
    model = FAMILY.build(one.model_config, one.train.vocabulary, seed=one.seed)
    assert isinstance(model, NeuralConditionalModel)
    return Targets(one, model, tokens=tokens, smoothing=smoothing), model


PAIRS = ([[3, 5, 7], [2], [11, 4, 4, 9, 8]], [[7], [2, 9, 4, 4], [6, 6]])


def logprobs(model: NeuralConditionalModel) -> list[np.ndarray]:
    """Each pair's full next-id distributions, one pair at a time, without padding."""
    found = []
    for source, target in zip(*PAIRS, strict=True):
        lm = model.condition(np.array([[*source, 0]], np.int32), np.array([len(source) + 1], np.int32))
        told, state = lm.begin(np.array([[0]], np.int32), np.array([1], np.int32))
        rows = [told[0]]
        for token in target:
            told, state = lm.step(state, np.array([token], np.int32))
            rows.append(told[0])
        found.append(np.stack(rows))
    return found


def test_the_loss_is_the_mean_over_target_tokens_and_their_ends() -> None:
    made, model = objective(asked(*PAIRS))
    picked = [
        told[np.arange(len(target) + 1), [*target, 0]] for told, target in zip(logprobs(model), PAIRS[1], strict=True)
    ]
    expected = -np.concatenate(picked).mean()  # 2 + 5 + 3 tokens
    assert sum(map(len, picked)) == made.tokens_per_batch == 10
    assert made.loss(0).mean.item() == pytest.approx(expected, rel=1e-5)
    assert made.dev_loss(1000) == pytest.approx(expected, rel=1e-5)


def test_smoothing_spreads_a_part_over_all_ids_and_dev_loss_is_not_smoothed() -> None:
    # (1 − ε)·(−log p(target)) + ε·mean over all ids of −log p (Szegedy et al. 2016, section 7)
    made, model = objective(asked(*PAIRS), smoothing=0.3)
    plain, _ = objective(asked(*PAIRS))
    every = np.concatenate(logprobs(model))
    expected = 0.7 * plain.loss(0).mean.item() + 0.3 * -every.mean()
    assert made.loss(0).mean.item() == pytest.approx(expected, rel=1e-5)
    assert made.dev_loss(1000) == pytest.approx(plain.loss(0).mean.item(), rel=1e-5)


def test_padding_adds_nothing_to_the_gradient() -> None:
    together, model = objective(asked(*PAIRS))
    together.loss(0).mean.backward()
    summed: dict[str, torch.Tensor] = {}
    for number in range(3):
        alone, other = objective(asked(PAIRS[0][number : number + 1], PAIRS[1][number : number + 1]))
        (alone.loss(0).mean * alone.tokens_per_batch / 10).backward()
        for name, parameter in other.network.named_parameters():
            assert parameter.grad is not None
            summed[name] = summed.get(name, torch.zeros(())) + parameter.grad
    for name, parameter in model.network.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, summed[name], rtol=1e-4, atol=1e-6)


def test_dev_loss_leaves_dropout_as_it_was() -> None:
    made, model = objective(asked(*PAIRS, dropout=0.5))
    model.network.train()
    first, again = made.dev_loss(1000), made.dev_loss(1000)
    assert first == again
    assert model.network.training
    assert all(module.training for module in model.network.modules())
    torch.manual_seed(1)
    assert made.loss(0).mean.item() != made.loss(0).mean.item()


def test_dev_loss_reads_as_many_pairs_as_were_asked_for() -> None:
    made, model = objective(asked(*PAIRS))
    target = np.array([0, 7, 0], np.int32)
    lm = model.condition(np.array([[3, 5, 7, 0]], np.int32), np.array([4], np.int32))
    expected = -lm.token_logprobs(target[None], np.array([3], np.int32)).mean()
    assert made.dev_loss(2) == pytest.approx(float(expected), rel=1e-5)


def test_pairs_beyond_the_context_are_left_out_and_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    one = asked(*PAIRS, context=4)  # sources with their ends: 4, 2 and 6; targets with their begins: 2, 5 and 3
    made, _ = objective(one)
    assert made.tokens_per_batch == 2
    assert "2 pairs are longer than the model's context (4 tokens) and are left out" in caplog.text
    assert (made.dev_loss(1000) or 0) > 0
    with pytest.raises(TooLittleTextError, match="none of 3 pairs fits a context of 2 tokens"):
        conditional.fit(dataclasses.replace(asked(*PAIRS, context=2), config=conditional.Config(steps=1)))


def test_held_out_pairs_that_are_all_too_long_are_no_loss() -> None:
    one = asked([*PAIRS[0], [2]], [*PAIRS[1], [7]], context=4)
    long = [[3, 5, 7, 9, 2]]
    streams = {"dev": MemoryStream.of([[7]], VOCABULARY), "dev_sources": MemoryStream.of(long, VOCABULARY)}
    made, _ = objective(dataclasses.replace(one, **streams))  # type: ignore[arg-type]
    assert made.dev_loss(1000) is None
    assert made.loss(0).predicted == made.tokens_per_batch


def test_documents_are_no_pairs() -> None:
    one = asked(*PAIRS)
    with pytest.raises(UsageError, match="a seq2seq model can't be fitted to pairs of a source and a target"):
        conditional.fit(dataclasses.replace(one, train_sources=None))
    with pytest.raises(UsageError, match="it is no neural language model"):
        gradient.fit(dataclasses.replace(one, config=gradient.Config(steps=1)))


def test_other_special_ids_do_too() -> None:
    apart = Vocabulary(size=17, bos=13, eos=14, pad=15)
    made, model = objective(asked(*PAIRS, vocabulary=apart))
    lm = model.condition(np.array([[2, 14]], np.int32), np.array([2], np.int32))
    ids = np.array([[13, 2, 9, 4, 4, 14]], np.int32)
    alone, _ = objective(asked([[2]], [[2, 9, 4, 4]], vocabulary=apart))
    expected = -lm.token_logprobs(ids, np.array([6], np.int32)).mean()
    assert alone.loss(0).mean.item() == pytest.approx(float(expected), rel=1e-5)
    assert made.tokens_per_batch == 10


@pytest.mark.slow
def test_it_learns_what_only_the_source_tells() -> None:
    # targets are drawn at random and sources say them: without looking, nothing below log 12 can be reached
    dice = np.random.default_rng(5)
    texts = [dice.integers(1, 13, size=4).tolist() for _ in range(300)]
    keys = {"steps": 250, "rows": 32, "window": 8, "learning_rate": 5e-3, "warmup_steps": 20, "label_smoothing": 0.0}
    one = dataclasses.replace(
        asked(texts, texts, width=24), config=from_mapping(conditional.Config, keys, where="test")
    )
    fitted = conditional.fit(one)
    assert fitted.facts["dev_loss"] < 0.5 * np.log(12)


def test_the_laws_job_has_sources() -> None:
    made = job("seq2seq", steps=1)
    assert made.train_sources is not None
    assert len(made.train_sources.starts) == len(made.train.starts)
