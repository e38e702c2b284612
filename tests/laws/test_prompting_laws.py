"""Laws of in-context learning, on every family that predicts: found by listing, never named."""

import itertools

import numpy as np
import pytest

from tests.fakes.bundles import WORDS, eleven_words
from tests.fakes.families import LANGUAGE_FAMILIES, tiny_language_model
from ziggurat.core.protocols import LanguageModel
from ziggurat.core.types import IdArray
from ziggurat.use.calibration import CONTENT_FREE
from ziggurat.use.label_scores import LabelScorer
from ziggurat.use.prompting import ROUNDING, FewShotClassifier, Labelling, PromptConfig

TOLERANCE = 2e-5
"""Nats: the same sums taken in another order in 32-bit."""

TOKENIZER = eleven_words()
EXAMPLES = [("one two", "a"), ("three", "b"), ("five six seven", "c")]
ANSWERS = {"a": "four", "b": "five five", "c": "five nine one"}
TEXTS = ["one", "two three four", "nine nine", "seven eight one two three", "six", ""]


@pytest.fixture(params=LANGUAGE_FAMILIES)
def model(request: pytest.FixtureRequest) -> LanguageModel:
    return tiny_language_model(request.param)


def classifier(model: LanguageModel, answers: dict[str, str] | None = None, **keys: object) -> FewShotClassifier:
    config = PromptConfig(**{"template": "eight {text} seven {label}", "separator": " ", **keys})  # type: ignore[arg-type]
    return FewShotClassifier(model, TOKENIZER, EXAMPLES, answers or ANSWERS, config)


def close(found: list[Labelling], expected: list[Labelling]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=TOLERANCE)
        assert one.uncalibrated_logprobs == pytest.approx(other.uncalibrated_logprobs, abs=TOLERANCE)


def prompts_and_labels(rows: int = 7) -> tuple[list[IdArray], list[IdArray]]:
    draw = np.random.default_rng(11)
    shared = draw.integers(1, 11, 5)
    prompts = [np.array([0, *shared, *draw.integers(1, 11, draw.integers(1, 9))], np.int32) for _ in range(rows)]
    return prompts, [np.array(label, np.int32) for label in ((3,), (3, 5), (7, 2, 9), (7, 2), (10,))]


def test_a_label_is_as_likely_as_when_prompt_and_label_are_scored_in_one_piece(model: LanguageModel) -> None:
    prompts, labels = prompts_and_labels()
    found = LabelScorer(model, labels).logprobs(prompts)
    for (row, prompt), (column, label) in itertools.product(enumerate(prompts), enumerate(labels)):
        whole = np.concatenate([prompt, label])[None]
        scored = model.token_logprobs(whole, np.array([whole.shape[1]], np.int32))[0]
        assert found[row, column] == pytest.approx(scored[len(prompt) - 1 :].sum(), abs=len(label) * TOLERANCE)


@pytest.mark.parametrize("batch_tokens", [1, 23, 10_000])
def test_the_size_of_a_batch_changes_nothing(model: LanguageModel, batch_tokens: int) -> None:
    prompts, labels = prompts_and_labels()
    expected = LabelScorer(model, labels).logprobs(prompts)
    found = LabelScorer(model, labels, batch_tokens=batch_tokens).logprobs(prompts)
    np.testing.assert_allclose(found, expected, rtol=0, atol=3 * TOLERANCE)


def test_a_text_is_labelled_the_same_alone_and_in_company(model: LanguageModel) -> None:
    together = classifier(model).label(TEXTS)
    close(together, [classifier(model).label([text])[0] for text in TEXTS])
    one_by_one = classifier(model)
    close(together, [one_by_one.label([text])[0] for text in TEXTS])
    close(together[::-1], classifier(model).label(TEXTS[::-1]))


def test_the_order_of_the_labels_does_not_matter(model: LanguageModel) -> None:
    expected = classifier(model).label(TEXTS)
    for order in itertools.permutations(ANSWERS):
        found = classifier(model, {label: ANSWERS[label] for label in order}).label(TEXTS)
        close(found, expected)
        assert [one.label for one in found] == [one.label for one in expected]


@pytest.mark.parametrize("score", ["sum", "mean"])
def test_probabilities_among_labels_sum_to_one(model: LanguageModel, score: str) -> None:
    for one in classifier(model, score=score).label(TEXTS):
        for logprobs in (one.logprobs, one.uncalibrated_logprobs):
            assert sum(np.exp(value) for value in logprobs.values()) == pytest.approx(1)
        assert one.logprobs[one.label] >= max(one.logprobs.values()) - ROUNDING
        assert one.uncalibrated_logprobs[one.uncalibrated] >= max(one.uncalibrated_logprobs.values()) - ROUNDING


@pytest.mark.parametrize("score", ["sum", "mean"])
def test_calibration_of_what_has_no_content_is_uniform(model: LanguageModel, score: str) -> None:
    # "[MASK]" and "N/A" are unknown words here, and so is any other: all are one content-free input or none
    found = classifier(model, score=score)
    told = found.label(list(CONTENT_FREE))
    mean = np.mean([[np.exp(value) for value in one.uncalibrated_logprobs.values()] for one in told], axis=0)
    np.testing.assert_allclose(np.log(mean), found.bias(), atol=TOLERANCE)
    # what is as likely as the bias says is uniform: p̂ / p̂_cf of the mean itself
    uniform = mean / np.exp(found.bias())
    np.testing.assert_allclose(uniform / uniform.sum(), 1 / 3, atol=TOLERANCE)
    for one in told:
        raw = np.array(list(one.uncalibrated_logprobs.values())) - found.bias()
        expected = raw - np.log(np.exp(raw).sum())
        np.testing.assert_allclose(list(one.logprobs.values()), expected, atol=TOLERANCE)


def test_without_calibration_nothing_is_divided_out(model: LanguageModel) -> None:
    plain = classifier(model, no_calibrate=True).label(TEXTS)
    assert all(one.logprobs == one.uncalibrated_logprobs and one.label == one.uncalibrated for one in plain)
    for one, other in zip(plain, classifier(model).label(TEXTS), strict=True):
        assert one.uncalibrated_logprobs == pytest.approx(other.uncalibrated_logprobs, abs=TOLERANCE)


def test_a_short_context_is_never_exceeded_and_every_prompt_keeps_what_fits(model: LanguageModel) -> None:
    if model.context is None:
        pytest.skip("it has no limit")
    text = WORDS * 7
    (one,) = classifier(model).label([text])
    assert one.shots < len(EXAMPLES) or one.shortened
