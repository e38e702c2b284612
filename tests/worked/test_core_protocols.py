"""The interfaces: small, complete in words, and recognised at run time where that is needed."""

import inspect
from typing import Any

import numpy as np
import pytest

from ziggurat.core import metrics, protocols
from ziggurat.core.protocols import LanguageModel
from ziggurat.core.types import FloatArray, IdArray, Vocabulary

PROTOCOLS = [
    cls for module in (protocols, metrics) for name in module.__all__ if inspect.isclass(cls := getattr(module, name))
]


def own_verbs(cls: type) -> list[str]:
    return [name for name, value in vars(cls).items() if inspect.isfunction(value) and not name.startswith("_")]


@pytest.mark.parametrize("cls", PROTOCOLS, ids=lambda cls: cls.__name__)
def test_an_interface_has_at_most_five_verbs(cls: type) -> None:
    assert len(own_verbs(cls)) <= 5


@pytest.mark.parametrize("cls", PROTOCOLS, ids=lambda cls: cls.__name__)
def test_every_verb_and_fact_is_explained(cls: type) -> None:
    assert inspect.getdoc(cls)
    for name, value in vars(cls).items():
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert inspect.getdoc(value), f"{cls.__name__}.{name}"


class Uniform:
    """The smallest language model: every id is as likely as any other."""

    vocabulary = Vocabulary(11, 0, 0)
    context = None

    def score(self, ids: IdArray, lengths: IdArray) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.asarray(-np.log(11.0) * (lengths - 1), dtype=np.float64)

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        return np.full((len(ids), ids.shape[1] - 1), -np.log(11.0), dtype=np.float32)

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, Any]:
        return np.full((len(ids), 11), -np.log(11.0), dtype=np.float32), None

    def step(self, state: Any, ids: IdArray) -> tuple[FloatArray, Any]:
        return np.full((len(ids), 11), -np.log(11.0), dtype=np.float32), None

    def reorder(self, state: Any, rows: IdArray) -> Any:
        return None


def test_a_language_model_is_what_has_its_verbs() -> None:
    model: LanguageModel = Uniform()
    assert isinstance(model, LanguageModel)
    ids = np.array([[0, 3, 5, 0]], dtype=np.int32)
    lengths = np.array([4], dtype=np.int32)
    # three predictions, each log 1/11
    assert model.score(ids, lengths)[0] == pytest.approx(-3 * np.log(11))
    assert model.token_logprobs(ids, lengths).sum() == pytest.approx(-3 * np.log(11))


def test_what_only_scores_is_no_language_model() -> None:
    class Scorer:
        def score(self, ids: IdArray, lengths: IdArray) -> Any:
            return np.zeros(len(ids))

    assert not isinstance(Scorer(), LanguageModel)
