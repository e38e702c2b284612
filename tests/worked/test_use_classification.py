"""Labels of texts, from a classifier whose log-probabilities are known."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import Classifier
from ziggurat.core.types import Example, FloatArray, IdArray, Told, Vocabulary
from ziggurat.models.registry import FAMILIES
from ziggurat.use.tasks import TASKS
from ziggurat.use.tasks.classification import TASK
from ziggurat.use.temperature import PULL

TOKENIZER = eleven_words()
LABELS = ("few", "some", "many")


class Lengths:
    """Says by a text's ids, of which it reads ``context``, how many they are: 3 : 1 : 1 for one of a third of it."""

    labels = LABELS

    def __init__(self, context: int | None = 11) -> None:
        self.context = context
        self.seen: list[tuple[int, int]] = []

    @property
    def vocabulary(self) -> Vocabulary:
        return TOKENIZER.vocabulary

    def label_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        self.seen.append((ids.shape[0], ids.shape[1]))
        assert (ids[:, 0] == self.vocabulary.bos).all()
        assert (ids[np.arange(len(ids)), lengths - 1] == self.vocabulary.eos).all()
        chances = np.ones((len(ids), 3))
        chances[np.arange(len(ids)), np.minimum((lengths - 2) // 3, 2)] = 3
        return np.log(chances / 5).astype(np.float32)


def texts(*counts: int) -> list[str]:
    return [" ".join(["two"] * count) for count in counts]


def test_the_likeliest_label_and_all_chances() -> None:
    model = Lengths()
    assert isinstance(model, Classifier)
    found = TASK.decode(model, TOKENIZER, texts(7, 0, 4))
    assert [one.answer for one in found] == ["many", "few", "some"]
    # 3 : 1 : 1
    assert [one.confidence for one in found] == pytest.approx([0.6] * 3)
    assert list(found[0].probabilities) == ["many", "few", "some"]
    assert found[0].probabilities == pytest.approx({"many": 0.6, "few": 0.2, "some": 0.2})


def test_a_temperature_changes_how_sure_it_is_and_no_answer() -> None:
    found = TASK.decode(Lengths(), TOKENIZER, texts(0), temperature=0.5)
    # 3² : 1 : 1
    assert found[0].probabilities == pytest.approx({"few": 9 / 11, "some": 1 / 11, "many": 1 / 11})


def test_what_is_longer_than_the_context_is_read_from_its_beginning() -> None:
    model = Lengths(7)
    assert [one.answer for one in TASK.decode(model, TOKENIZER, texts(9, 5))] == ["some", "some"]
    assert max(width for _, width in model.seen) == 7


def test_nothing_asked_nothing_said() -> None:
    assert TASK.decode(Lengths(), TOKENIZER, []) == []


def test_the_temperature_that_fits_held_out_labels() -> None:
    # the model says 3 : 1 : 1 and 4 of 5 are right: 5·ln 3·(4/5 − 3^β / (3^β + 2)) is as much as the pull to β = 1
    examples = [Example(f"a:{n}", "", "few" if n < 4 else "many") for n in range(5)]
    examples.append(Example("a:9", "", "a label that nobody learnt"))
    beta = 1 / TASK.tune(Lengths(), TOKENIZER, examples)
    assert 5 * np.log(3) * (4 / 5 - 3**beta / (3**beta + 2)) == pytest.approx(PULL * (1 - 1 / beta), rel=1e-4)
    assert TASK.tune(Lengths(), TOKENIZER, examples[-1:]) == 1.0


def test_a_model_without_labels_is_refused() -> None:
    model = FAMILIES.get("ngram").tiny(seed=0)
    for act in (lambda: TASK.decode(model, TOKENIZER, ["two"]), lambda: TASK.tune(model, TOKENIZER, [])):
        with pytest.raises(UsageError, match="tells no labels: train one with ziggurat task classification train"):
            act()


def test_files_are_read_one_after_another(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(f"1\tthe text of {name}\n0\tanother one\n", encoding="utf-8")
    found = list(TASK.read([str(tmp_path / "b"), str(tmp_path / "a")], labelled=True))
    assert [(one.input, one.answer) for one in found[::2]] == [("the text of b", "1"), ("the text of a", "1")]
    assert "classification" in TASKS.names()
    assert TASK.shown("a text", "1") == "1"
    assert TASK.written(Example("a:1", "a\ttext"), Told("1", 0.25)) == "1\t0.2500\ta text\n"
    assert TASK.written(Example("a:1", "a text"), Told("very\tgood\nindeed")) == "very good indeed\t\ta text\n"
