"""Uncertainty by hand, and told alike by every model."""

import numpy as np
import pytest

from tests.fakes.families import LANGUAGE_FAMILIES, tiny_language_model
from ziggurat.core.protocols import LanguageModel
from ziggurat.models import ngram
from ziggurat.models import uncertainty as module
from ziggurat.models.blocks import network
from ziggurat.models.uncertainty import _spell, token_uncertainty, uncertainty


def test_entropy_as_a_share_of_the_largest() -> None:
    # (1/2, 1/4, 1/8, 1/8): 1/2·1 + 1/4·2 + 2·1/8·3 = 1.75 bits of log₂ 4 = 2: 7/8.
    rows = np.log(np.array([[1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4] * 4], dtype=np.float32))
    assert uncertainty(rows) == pytest.approx([7 / 8, 1])


def test_what_cannot_be_adds_nothing() -> None:
    with np.errstate(divide="ignore"):
        sure = np.log(np.array([1.0, 0.0, 0.0], dtype=np.float32))
    assert uncertainty(sure) == pytest.approx(0, abs=1e-30)
    assert uncertainty(np.zeros((2, 1), dtype=np.float32)).tolist() == [0, 0]


@pytest.fixture(params=LANGUAGE_FAMILIES)
def model(request: pytest.FixtureRequest) -> LanguageModel:
    return tiny_language_model(request.param)


def random_ids(rows: int, length: int) -> np.ndarray:
    ids = np.random.default_rng(5).integers(0, 11, size=(rows, length), dtype=np.int32)
    ids[:, 0] = 0
    return ids


def test_every_model_tells_what_its_distributions_say(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOGPROB_COUNT", 22)
    monkeypatch.setattr(ngram, "LOGPROB_COUNT", 66)
    monkeypatch.setattr(network, "LOGIT_COUNT", 33)
    ids, lengths = random_ids(3, 13), np.array([13, 1, 7], dtype=np.int32)
    logprobs, found = token_uncertainty(model, ids, lengths)
    np.testing.assert_allclose(logprobs, model.token_logprobs(ids, lengths), atol=2e-5)
    expected = np.zeros((2, 3, 12), dtype=np.float32)
    _spell(model, ids, expected)
    inside = np.arange(1, 13) < lengths[:, None]
    np.testing.assert_allclose(found, np.where(inside, expected[1], 0), atol=2e-5)
    assert found.min() >= 0
    assert found.max() <= 1


def test_nothing_to_predict_is_nothing_to_be_uncertain_of(model: LanguageModel) -> None:
    logprobs, found = token_uncertainty(model, random_ids(2, 1), np.ones(2, dtype=np.int32))
    assert logprobs.shape == found.shape == (2, 0)
