"""Ensembles of classifiers by hand, over parts whose probabilities are written down."""

import math
import subprocess
import sys

import numpy as np
import pytest

from ziggurat.core.errors import ArtefactError, UsageError
from ziggurat.core.protocols import Classifier
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.classifier_ensemble import (
    FAMILY,
    ClassifierEnsemble,
    ClassifierEnsembleConfig,
    part_logprobs,
    pooled,
)
from ziggurat.models.registry import FAMILIES, telling

VOCABULARY = Vocabulary(size=5, bos=0, eos=4)
AB = ["a", "b"]


class Says:
    """A classifier that says the same of every text, and remembers what it was given to read."""

    def __init__(
        self,
        *chances: float,
        context: int | None = None,
        labels: tuple[str, ...] = ("no", "yes"),
        vocabulary: Vocabulary = VOCABULARY,
    ) -> None:
        with np.errstate(divide="ignore"):
            self.logprobs = np.log(np.array(chances, np.float32))
        self.context, self.labels, self.vocabulary = context, labels, vocabulary
        self.read: list[list[int]] = []

    def label_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        self.read += [row[:length].tolist() for row, length in zip(ids, lengths, strict=True)]
        return np.tile(self.logprobs, (len(ids), 1))


def chances(model: Classifier) -> list[float]:
    found = model.label_logprobs(np.array([[0, 1, 4]], np.int32), np.array([3], np.int32))
    return np.exp(found[0]).tolist()  # type: ignore[no-any-return]


def test_the_pool_multiplies_powers_of_chances() -> None:
    # 0.8^(1/2) · 0.5^(1/2) : 0.2^(1/2) · 0.5^(1/2) = 2 : 1
    assert chances(ClassifierEnsemble([Says(0.2, 0.8), Says(0.5, 0.5)], (0.5, 0.5), families=AB)) == pytest.approx(
        [1 / 3, 2 / 3]
    )
    # 0.8² · 0.25 : 0.2² · 0.75 = 16 : 3
    sure = ClassifierEnsemble([Says(0.2, 0.8), Says(0.75, 0.25)], (2, 1), families=AB)
    assert chances(sure) == pytest.approx([3 / 19, 16 / 19])


def test_a_part_without_weight_says_nothing() -> None:
    assert chances(ClassifierEnsemble([Says(0.2, 0.8), Says(0.9, 0.1)], (1, 0), families=AB)) == pytest.approx(
        [0.2, 0.8]
    )


def test_what_one_part_holds_for_impossible_it_does_not_decide_alone() -> None:
    # e^−30 counts in its place: 1 · 0.1 against e^−30 · 0.9, and nothing at all without weight
    sure, other = Says(0.0, 1.0), Says(0.9, 0.1)
    assert chances(ClassifierEnsemble([sure, other], (1, 1), families=AB)) == pytest.approx([0, 1], abs=1e-9)
    assert chances(ClassifierEnsemble([sure, other], (0, 1), families=AB)) == pytest.approx([0.9, 0.1])


def test_one_part_of_weight_one_is_itself() -> None:
    assert chances(ClassifierEnsemble([Says(0.3, 0.7)], (1,), families=["a"])) == pytest.approx([0.3, 0.7])


def test_weights_far_above_one_stay_numbers() -> None:
    found = pooled((1e4, 1e4), np.log(np.array([[[0.4, 0.6]], [[0.4, 0.6]]], np.float32)))
    assert np.isfinite(found).all()
    assert np.exp(found[0]).tolist() == pytest.approx([0, 1])


def test_a_part_reads_the_beginning_of_a_text_that_is_too_long_for_it() -> None:
    whole, short = Says(0.5, 0.5), Says(0.5, 0.5, context=4)
    ids = np.array([[0, 1, 2, 3, 1, 4], [0, 1, 4, 3, 3, 3], [0, 1, 2, 4, 3, 3]], np.int32)
    model = ClassifierEnsemble([whole, short], (1, 1), families=AB)
    model.label_logprobs(ids, np.array([6, 3, 4], np.int32))
    assert whole.read == [[0, 1, 2, 3, 1, 4], [0, 1, 4], [0, 1, 2, 4]]
    assert short.read == [[0, 1, 2, 4], [0, 1, 4], [0, 1, 2, 4]]
    assert ids[0].tolist() == [0, 1, 2, 3, 1, 4]  # what was given is not written to


def test_what_a_part_can_read_whole_it_is_given_as_it_is() -> None:
    part = Says(0.5, 0.5, context=3)
    ids = np.array([[0, 1, 4]], np.int32)
    assert part_logprobs(part, ids, np.array([3], np.int32)).tolist() == [part.logprobs.tolist()]
    assert part.read == [[0, 1, 4]]


@pytest.mark.parametrize(("contexts", "longest"), [((None, 3), None), ((7, 3), 7), ((None, None), None)])
def test_it_reads_as_far_as_the_part_that_reads_farthest(contexts: tuple[int | None, ...], longest: int | None) -> None:
    parts = [Says(0.5, 0.5, context=context) for context in contexts]
    assert ClassifierEnsemble(parts, (1, 1), families=AB).context == longest


@pytest.mark.parametrize(
    ("parts", "weights", "families", "said"),
    [
        ([Says(0.5, 0.5)], (1, 1), ["a"], "1 parts, 1 families and 2 weights"),
        ([], (), [], "0 parts, 0 families and 0 weights"),
        ([Says(0.5, 0.5)], (0,), ["a"], "must be 0 or more, one of them more, got \\[0\\]"),
        ([Says(0.5, 0.5)] * 2, (1, -1), AB, "must be 0 or more"),
        ([Says(0.5, 0.5)] * 2, (1, math.nan), AB, "must be 0 or more"),
        ([Says(0.5, 0.5)] * 2, (1, math.inf), AB, "must be 0 or more"),
        ([Says(0.5, 0.5), Says(0.5, 0.5, labels=("yes", "no"))], (1, 1), AB, "must tell the same labels"),
        ([Says(0.5, 0.5), Says(0.5, 0.5, vocabulary=Vocabulary(6, 0, 4))], (1, 1), AB, "must share one tokenizer"),
    ],
)
def test_what_is_no_ensemble_is_refused(
    parts: list[Says], weights: tuple[float, ...], families: list[str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ClassifierEnsemble(parts, weights, families=families)


def test_it_is_built_of_untrained_parts_that_count_alike() -> None:
    model = FAMILY.build(ClassifierEnsembleConfig(labels=("x", "y", "z")), VOCABULARY, seed=3)
    assert (model.weights, model.labels, model.families) == (
        (0.5, 0.5),
        ("x", "y", "z"),
        ("linear", "recurrent_classifier"),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": None}, "does not describe an ensemble"),
        ({"weights": ["much", 1]}, "does not describe an ensemble"),
        ({"weights": [1.0]}, "2 parts, 2 families and 1 weights"),
        ({"weights": [1.0, -1.0]}, "must be 0 or more"),
        ({"parts": None}, "does not describe an ensemble"),
        ({"parts": [{"family": "ngram"}]}, "does not describe an ensemble"),
    ],
)
def test_a_file_that_describes_none_is_refused(change: dict[str, object], said: str) -> None:
    config, tensors = FAMILY.state(FAMILY.tiny(seed=3))
    with pytest.raises(ArtefactError, match=said):
        FAMILY.restore({**config, **change}, tensors)
    without = {key: value for key, value in config.items() if key not in change}
    with pytest.raises(ArtefactError, match=r"does not describe an ensemble: '(weights|parts)' is missing"):
        FAMILY.restore(without, tensors)


def test_what_tells_no_labels_is_named() -> None:
    with pytest.raises(UsageError, match="ngram: tells no labels of texts; give a classifier"):
        telling(FAMILIES.get("ngram").tiny(seed=0), "ngram")


def test_one_of_linear_models_needs_no_torch() -> None:
    code = (
        "import sys\nfrom ziggurat.core.types import Vocabulary\n"
        "from ziggurat.models.classifier_ensemble import FAMILY, ClassifierEnsembleConfig as C\n"
        "m = FAMILY.build(C(labels=('a', 'b'), parts=('linear',)), Vocabulary(5, 0, 4), seed=1)\n"
        "FAMILY.restore(*FAMILY.state(m))\nassert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
