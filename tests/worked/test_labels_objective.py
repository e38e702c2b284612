"""What a classifier is trained by: the cross-entropy of labels, by hand; smoothed, weighed, padded, cut."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.jobs import VOCABULARY, Recorder, fit, job
from tests.fakes.token_streams import MemoryStream
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.models.blocks.classifying import NeuralClassifier
from ziggurat.models.registry import FAMILIES
from ziggurat.tokens.batches import TextBatches
from ziggurat.training import labelled
from ziggurat.training.job import Job, Labels, Share
from ziggurat.training.objectives.labels import LabelledTexts, class_weights
from ziggurat.training.objectives.refined import SHARPNESS, RefinedLoss

FAMILY: Any = FAMILIES.get("recurrent_classifier")
TEXTS = [[3, 5, 7], [2], [11, 4, 4, 9, 8]]
NAMES = ("bad", "fair", "good")


def asked(texts: list[list[int]] = TEXTS, train: Any = (2, 0, 0), dev: Any = (2, 0, 0), **keys: Any) -> Job:
    stream = MemoryStream.of(texts, VOCABULARY)
    still = {"head_dropout": 0.0, "dropout_words": 0.0, "dropout_input": 0.0}
    config = FAMILY.config(**{"embedding": 5, "hidden": 7, "labels": NAMES, **still, **keys.pop("model", {})})
    return Job(
        family=FAMILY,
        model_config=config,
        config=labelled.Config(**{"steps": 3, "rows": 3, **keys}),
        train=stream,
        dev=stream,
        seed=3,
        labels=Labels(NAMES, np.array(train, np.int32), None if dev is None else np.array(dev, np.int32)),
    )


def objective(one: Job, *, window: int = 512, smoothing: float = 0.0, weighted: bool = False) -> Any:
    model = FAMILY.build(one.model_config, one.train.vocabulary, seed=one.seed)
    return LabelledTexts(one, model, window=window, smoothing=smoothing, weighted=weighted), model


def logprobs(model: NeuralClassifier, texts: list[list[int]] = TEXTS) -> np.ndarray:
    """Each text's log-probabilities, one text at a time, without padding."""
    rows = [np.array([[0, *text, 0]], np.int32) for text in texts]
    return np.concatenate([model.label_logprobs(row, np.array([row.shape[1]], np.int32)) for row in rows])


def refined(told: np.ndarray, targets: list[int], weights: tuple[float, ...] = (1.0, 1.0, 1.0)) -> float:
    """The least of the means over texts of −w·log softmax(β·log p)[label], β by β."""
    found = []
    for beta in SHARPNESS:
        chances = np.exp(told.astype(np.float64)) ** beta
        logs = np.log(chances / chances.sum(axis=1, keepdims=True))
        found.append(float(np.mean([-weights[label] * row[label] for row, label in zip(logs, targets, strict=True)])))
    return min(found)


def test_the_held_out_loss_is_that_of_who_is_as_sure_as_suits_it() -> None:
    # two texts told with 0.99, one of them wrongly: 0.33 is the flattest that is tried
    told = np.log([[0.99, 0.01], [0.99, 0.01]])
    loss = RefinedLoss()
    assert loss.mean is None
    for row, label in zip(told, (0, 1), strict=True):
        logs = [beta * row - np.logaddexp(*(beta * row)) for beta in SHARPNESS]
        loss.add([-each[label] for each in logs], 1)
    odds = 99**0.33
    assert loss.mean == pytest.approx(-(math.log(odds / (1 + odds)) + math.log(1 / (1 + odds))) / 2)


def test_the_loss_is_the_mean_over_texts() -> None:
    made, model = objective(asked())
    expected = -logprobs(model)[[0, 1, 2], [2, 0, 0]].mean()
    loss = made.loss(0)
    assert (loss.mean.item(), loss.predicted) == (pytest.approx(expected, rel=1e-5), 3)
    assert made.dev_loss(1000) == pytest.approx(refined(logprobs(model), [2, 0, 0]), rel=1e-5)
    assert made.tokens_per_batch == 5 + 3 + 7
    assert made.steps_per_epoch == 1


def test_smoothing_spreads_a_part_over_all_labels_and_dev_loss_is_not_smoothed() -> None:
    # (1 − ε)·(−log p(label)) + ε·mean over all labels of −log p (Szegedy et al. 2016, section 7)
    made, model = objective(asked(), smoothing=0.3)
    told = logprobs(model)
    plain = -told[[0, 1, 2], [2, 0, 0]].mean()
    assert made.loss(0).mean.item() == pytest.approx(0.7 * plain + 0.3 * -told.mean(), rel=1e-5)
    assert made.dev_loss(1000) == pytest.approx(refined(told, [2, 0, 0]), rel=1e-5)


def test_weights_of_labels() -> None:
    # 3 texts of 3 labels: 3/(3·2) of the label that two have, 3/(3·1) of that which one has; none has the second
    assert class_weights(np.array([2, 0, 0]), 3).tolist() == [0.5, 3 / 3, 1.0]
    made, model = objective(asked(), weighted=True)
    told = logprobs(model)
    expected = -(1.0 * told[0, 2] + 0.5 * told[1, 0] + 0.5 * told[2, 0]) / 3
    assert made.loss(0).mean.item() == pytest.approx(expected, rel=1e-5)
    assert made.dev_loss(1000) == pytest.approx(refined(told, [2, 0, 0], (0.5, 1.0, 1.0)), rel=1e-5)


def test_padding_adds_nothing_to_the_gradient() -> None:
    together, model = objective(asked())
    together.loss(0).mean.backward()
    summed: dict[str, torch.Tensor] = {}
    for number in range(3):
        alone, other = objective(asked(TEXTS[number : number + 1], [(2, 0, 0)[number]], None))
        (alone.loss(0).mean / 3).backward()
        for name, parameter in other.network.named_parameters():
            summed[name] = summed.get(name, torch.zeros(())) + parameter.grad
    for name, parameter in model.network.named_parameters():
        torch.testing.assert_close(parameter.grad, summed[name], rtol=1e-4, atol=1e-6)


def test_accumulated_batches_are_one_large_batch() -> None:
    # 2 texts and 1 count as 3 do together
    tells = [Recorder(), Recorder()]
    keys: dict[str, Any] = {"clip_norm": 0.0, "weight_decay": 0.0, "steps": 1}
    one = labelled.fit(dataclasses.replace(asked(rows=2, accumulate=2, **keys), listener=tells[0]))
    two = labelled.fit(dataclasses.replace(asked(rows=3, **keys), listener=tells[1]))
    first, second = (recorder.of("step")[0] for recorder in tells)
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)
    assert first["gradient_norm"] == pytest.approx(second["gradient_norm"], rel=1e-5)
    assert one.facts["epochs"] == two.facts["epochs"] == 1
    assert first["per"] == "text"


def test_held_out_texts_whose_label_is_not_known_are_left_out() -> None:
    made, model = objective(asked(dev=(-1, 0, -1)))
    assert made.dev_loss(1000) == pytest.approx(refined(logprobs(model)[1:2], [0]), rel=1e-5)
    assert objective(asked(dev=(-1, -1, -1)))[0].dev_loss(1000) is None
    assert objective(asked(dev=None))[0].dev_loss(1000) is None


def test_dev_loss_reads_as_many_tokens_as_were_asked_for_and_leaves_dropout_as_it_was() -> None:
    made, model = objective(asked(model={"head_dropout": 0.5}))
    model.network.train()
    assert made.dev_loss(2) == pytest.approx(refined(logprobs(model)[:1], [2]), rel=1e-5)
    assert all(module.training for module in model.network.modules())


def test_long_texts_are_cut_and_that_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    made, model = objective(asked(), window=4)
    for number in range(3):
        made.loss(number)
    made.dev_loss(1000)
    assert caplog.text.count("2 texts are longer than 4 tokens: of each the beginning is read") == 1
    # [0 3 5 7 0] is read as [0 3 5 0]
    told = logprobs(model, [[3, 5], [2], [11, 4]])
    assert made.loss(0).mean.item() == pytest.approx(-told[[0, 1, 2], [2, 0, 0]].mean(), rel=1e-5)
    assert made.dev_loss(1000) == pytest.approx(refined(told, [2, 0, 0]), rel=1e-5)


def test_a_context_cuts_too(caplog: pytest.LogCaptureFixture) -> None:
    wanted = job("encoder_classifier", steps=1, window=1000)
    config = dataclasses.replace(wanted.model_config, context=7)
    fit(dataclasses.replace(wanted, model_config=config))
    assert caplog.text.count("are longer than 7 tokens") == 1


def test_processes_share_a_batch() -> None:
    whole, _ = objective(asked())
    total = 0.0
    for rank in range(3):
        part, _ = objective(dataclasses.replace(asked(), share=Share(rank, 3)))
        loss = part.loss(0)
        assert loss.predicted == 1
        total += loss.mean.item()
    assert total / 3 == pytest.approx(whole.loss(0).mean.item(), rel=1e-5)
    # of a last batch of one text two processes have none, and read it for nothing
    few = [
        objective(dataclasses.replace(asked(TEXTS[:1], [2], None), share=Share(rank, 3)))[0].loss(0).predicted
        for rank in range(3)
    ]
    assert sorted(few) == [0, 0, 1]


def test_what_the_run_says_of_itself() -> None:
    facts = labelled.fit(asked(steps=2)).facts
    assert (facts["most_frequent_label"], facts["most_frequent_part"]) == ("bad", pytest.approx(2 / 3))
    assert facts["tokens"] == 2 * 15
    # texts are as long as they happen to be, so that a window says nothing of what a step does
    assert "flops_per_second" not in facts


def test_labels_come_with_the_text() -> None:
    wanted = asked(steps=1)
    without = dataclasses.replace(wanted, model_config=dataclasses.replace(wanted.model_config, labels=()))
    model: Any = labelled.fit(without).model
    assert model.labels == model.network.config.labels == NAMES


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "a recurrent_classifier model learns which label a text has, and these texts have none"),
        (Labels(("bad",), np.zeros(3, np.int32), None), "the training text has only bad; give two or more"),
        (Labels(("bad", "good"), np.zeros(3, np.int32), None), r"\[model\] names bad, fair, good and the text has bad"),
        (Labels(NAMES, np.zeros(2, np.int32), None), "there are 2 of them for 3 texts"),
        (Labels(NAMES, np.zeros(3, np.int32), np.zeros(5, np.int32)), "there are 5 of them for 3 texts"),
    ],
)
def test_labels_that_do_not_fit(labels: Labels | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        labelled.fit(dataclasses.replace(asked(), labels=labels))


def test_other_models_are_refused() -> None:
    one = asked()
    with pytest.raises(UsageError, match="it tells no labels by a network"):
        LabelledTexts(one, FAMILIES.get("recurrent").tiny(seed=0), window=9, smoothing=0.0, weighted=False)
    other = dataclasses.replace(one, labels=Labels(("a", "b"), np.zeros(3, np.int32), None))
    with pytest.raises(UsageError, match="the model has bad, fair, good and the text a, b"):
        objective(other)


# -- batches -----------------------------------------------------------------------------------------------------------


def lengthy(count: int, *, seed: int = 0) -> MemoryStream:
    dice = np.random.default_rng(seed)
    return MemoryStream.of([[1] * int(dice.integers(1, 60)) for _ in range(count)], VOCABULARY)


def test_an_epoch_has_every_text_once_and_batches_of_like_length() -> None:
    stream = lengthy(97)
    batches = TextBatches(stream, rows=7, longest=50, seed=3)
    assert batches.steps_per_epoch == 14  # 97 = 13 · 7 + 6
    seen, padding, read = [], 0, 0
    for step in range(14):
        texts, numbers = batches.batch(step)
        seen += numbers.tolist()
        lengths = [len(text) for text in texts]
        assert max(lengths) <= 50
        padding += max(lengths) * len(lengths) - sum(lengths)
        read += sum(lengths)
        for text, number in zip(texts, numbers.tolist(), strict=True):
            assert len(text) == min(50, len(stream.document(number)))
    assert sorted(seen) == list(range(97))
    assert padding < 0.2 * read
    assert batches.tokens_per_batch == round(read / 14)


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    one, two = (TextBatches(lengthy(41), rows=5, longest=99, seed=3) for _ in range(2))
    other = TextBatches(lengthy(41), rows=5, longest=99, seed=4)
    steps = [7, 0, 30, 3, 7]
    found = [[batches.batch(step)[1].tolist() for step in steps] for batches in (one, two, other)]
    assert found[0] == found[1] != found[2]
    epochs = [[one.batch(epoch * 9 + step)[1].tolist() for step in range(9)] for epoch in range(2)]
    assert epochs[0] != epochs[1]


def test_no_text_is_too_little() -> None:
    with pytest.raises(TooLittleTextError, match="the training split has no text"):
        TextBatches(MemoryStream.of([], VOCABULARY), rows=2, longest=9, seed=0)
