"""What a study can measure by: answers of small bundles by hand, scores, and resampled scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.size_studies import word_bundle
from ziggurat.core.errors import InputError, TooLittleTextError, UnknownNameError, UsageError
from ziggurat.study.yardstick import YARDSTICKS, Measure, asked_of_all, lexicon_of, open_measure, resampled_ratio

COMPASS = {
    "north": [0.0, 1.0], "south": [0.0, -1.0], "east": [1.0, 0.0], "west": [-1.0, 0.0], "noon": [0.1, 0.9]
}  # fmt: skip


def measured(task: str) -> Measure:
    return open_measure(task)[1]


def test_the_yardsticks_there_are() -> None:
    assert YARDSTICKS.names() == ("analogies", "labels", "loss", "similarity")
    assert [YARDSTICKS.get(name).higher_is_better for name in YARDSTICKS.names()] == [True, True, False, True]


def test_a_task_is_a_name_and_perhaps_a_file(tmp_path: Path) -> None:
    assert open_measure("loss")[0] == "loss"
    (tmp_path / "a=b.txt").write_text("one two three four\n", encoding="utf-8")
    name, found = open_measure(f"analogies={tmp_path / 'a=b.txt'}")
    assert (name, found.label, found.questions) == ("analogies", "a=b", 1)


@pytest.mark.parametrize(
    ("task", "kind", "message"),
    [
        ("losss", UnknownNameError, "--task: unknown task 'losss'; did you mean 'loss'?"),
        ("", UnknownNameError, "--task: unknown task ''"),
        ("analogies", UsageError, "--task analogies: needs a file: --task analogies=questions-words.txt"),
        ("labels=", UsageError, "--task labels: needs a file"),
        ("loss=x", UsageError, "--task loss: takes no file"),
        ("similarity=/nowhere/at all", InputError, "--task similarity: /nowhere/at all: no such file"),
    ],
)
def test_a_task_that_can_not_be_is_named(task: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        open_measure(task)
    assert message in str(caught.value)


# -- loss -------------------------------------------------------------------------------------------------------------


def test_the_loss_is_that_of_all_parts(tmp_path: Path) -> None:
    parts = [[30.0, 10], [10.0, 10], [20.0, 20]]
    bundle = word_bundle(tmp_path / "b", COMPASS, training={"dev_loss": 1.5, "dev_parts": parts})
    loss = measured("loss")
    answers = np.array([loss.answers(bundle)])
    # 60 nats over 40 predictions
    assert loss.figures(answers).tolist() == [1.5]
    draws = loss.resampled(answers, seed=0, resamples=500)
    assert draws.shape == (1, 500)
    # three times the first part gives 3, three times the second or third 1
    assert draws.min() == 1.0
    assert draws.max() == 3.0
    assert draws.mean() == pytest.approx(1.6, abs=0.15)


def test_a_trainer_that_tells_the_mean_alone_leaves_chance_to_the_seeds(tmp_path: Path) -> None:
    loss = measured("loss")
    answers = np.array([loss.answers(word_bundle(tmp_path / "b", COMPASS, training={"dev_loss": 0.25}))])
    assert loss.figures(answers).tolist() == [0.25]
    assert loss.resampled(answers, seed=0, resamples=500).tolist() == [[0.25]]


def test_a_trainer_that_measures_no_loss_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--task loss: recipe made-up measures no held-out loss; give another --task"):
        measured("loss").answers(word_bundle(tmp_path / "b", COMPASS))


# -- analogies --------------------------------------------------------------------------------------------------------


def test_analogies_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    # north − south + west: (−1, 2): noon (0.1, 0.9) is near, but north is barred with west and south: noon, not east
    path.write_text(": turns\nsouth north west noon\nsouth north west east\nnorth up east west\n", encoding="utf-8")
    analogies = measured(f"analogies={path}")
    answers = analogies.answers(word_bundle(tmp_path / "b", COMPASS))
    assert answers == [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    assert analogies.figures(np.array([answers])).tolist() == [0.5]


def test_a_question_counts_where_every_model_could_be_asked() -> None:
    # (models, rows, questions): the second row says who could be asked
    answers = np.array([[[1, 0, 1.0], [1, 1, 1]], [[0, 0, 0.0], [1, 1, 0]]], np.float64)
    assert asked_of_all(answers, 1).tolist() == [True, True, False]


def test_analogies_resample_pairs_of_words_the_same_for_all(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    words = [f"w{n} v{n}" for n in range(12)]
    lines = [f"{a} {b}" for a in words for b in words if a != b]
    path.write_text(": one\n" + "\n".join(lines), encoding="utf-8")
    analogies = measured(f"analogies={path}")
    right = np.random.default_rng(0).random(len(lines)) < 0.4
    asked = np.ones(len(lines))
    answers = np.array([[right, asked], [right, asked], [~right, asked]], np.float64)
    draws = analogies.resampled(answers, seed=3, resamples=200)
    assert np.array_equal(draws[0], draws[1])
    assert draws[0] + draws[2] == pytest.approx(np.ones(200))
    assert draws[0].mean() == pytest.approx(right.mean(), abs=0.05)
    # over 132 independent questions it would be 0.043; pairs recur in 22 questions each
    assert draws[0].std() > 0.043


def test_no_question_that_can_be_asked_is_said(tmp_path: Path) -> None:
    path = tmp_path / "q.txt"
    path.write_text("one two three four\n", encoding="utf-8")
    analogies = measured(f"analogies={path}")
    answers = np.array([analogies.answers(word_bundle(tmp_path / "b", COMPASS))])
    with pytest.raises(TooLittleTextError, match="q: no question whose four words"):
        analogies.figures(answers)


# -- similarity -------------------------------------------------------------------------------------------------------

PAIRS = "north noon 9\nnorth east 5\nnorth west 4\nnorth south 1\neast west 2\nnoon up 3\n"


def test_similarity_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "s.txt"
    path.write_text(PAIRS, encoding="utf-8")
    similarity = measured(f"similarity={path}")
    answers = similarity.answers(word_bundle(tmp_path / "b", COMPASS))
    assert answers[1] == [1, 1, 1, 1, 1, 0]
    assert answers[0] == pytest.approx([0.9 / np.sqrt(0.82), 0, 0, -1, -1, 0], abs=1e-6)
    # people: ranks 5 4 3 1 2; cosines 5 3.5 3.5 1.5 1.5. Deviations 2 1 0 −2 −1 and 2 0.5 0.5 −1.5 −1.5:
    # products 4 + 0.5 + 0 + 3 + 1.5 = 9; squares 10 and 4 + 0.25 + 0.25 + 2.25 + 2.25 = 9
    assert similarity.figures(np.array([answers])) == pytest.approx([9 / np.sqrt(90)])
    draws = similarity.resampled(np.array([answers, answers]), seed=0, resamples=300)
    assert np.array_equal(draws[0], draws[1], equal_nan=True)
    assert np.nanmax(draws) <= 1 + 1e-9


def test_too_few_pairs_are_said(tmp_path: Path) -> None:
    path = tmp_path / "s.txt"
    path.write_text("north noon 9\nnorth east 5\n", encoding="utf-8")
    similarity = measured(f"similarity={path}")
    answers = np.array([similarity.answers(word_bundle(tmp_path / "b", COMPASS))])
    with pytest.raises(TooLittleTextError, match="s: 2 pairs are in the vocabulary; it needs 5"):
        similarity.figures(answers)


# -- labels -----------------------------------------------------------------------------------------------------------


def labelled(folder: Path, rows: list[tuple[str, str]]) -> str:
    path = folder / "l.jsonl"
    text = "\n".join(json.dumps({"text": text, "label": label}) for text, label in rows)
    path.write_text(text, encoding="utf-8")
    return f"labels={path}"


def test_labels_are_told_from_the_words(tmp_path: Path) -> None:
    rows = [("north noon" if n % 2 else "south south", "up" if n % 2 else "down") for n in range(30)]
    labels = measured(labelled(tmp_path, rows))
    answers = labels.answers(word_bundle(tmp_path / "b", COMPASS))
    assert answers == [[1.0] * 30]
    assert labels.figures(np.array([answers])).tolist() == [1.0]
    assert labels.questions == 30
    # words without a vector tell nothing: all texts look alike
    blind = labels.answers(word_bundle(tmp_path / "c", {"other": [1.0, 2.0]}))
    assert np.mean(blind) <= 0.5


def test_labels_resample_texts(tmp_path: Path) -> None:
    labels = measured(labelled(tmp_path, [(f"text {n}", str(n % 2)) for n in range(100)]))
    answers = np.array([[[1.0] * 70 + [0.0] * 30]])
    draws = labels.resampled(answers, seed=0, resamples=4000)[0]
    # √(0.7 · 0.3 / 100) = 0.0458
    assert draws.std() == pytest.approx(0.0458, rel=0.05)


def test_a_label_that_stands_alone_is_said(tmp_path: Path) -> None:
    task = labelled(tmp_path, [("a", "x"), ("b", "x"), ("c", "y")])
    with pytest.raises(InputError, match="--task labels: l: label 'y' has one text; each needs 2"):
        open_measure(task)


# -- what they share --------------------------------------------------------------------------------------------------


def test_ratios_over_resampled_questions() -> None:
    class Fixed:
        def multinomial(self, *_: Any, **__: Any) -> Any:
            return np.array([[2, 0, 1], [0, 3, 0]])

    # twice the first and the third: (2 · 1 + 5) / (2 · 1 + 2); three times the second: 9 / 6
    numerators, denominators = np.array([[1.0, 3.0, 5.0]]), np.array([[1.0, 2.0, 2.0]])
    draw: Any = Fixed()
    found = resampled_ratio(numerators, denominators, draw=draw, resamples=2)
    assert found.tolist() == [[7 / 4, 9 / 6]]


def test_a_lexicon_leaves_out_what_is_no_word(tmp_path: Path) -> None:
    bundle = word_bundle(tmp_path / "b", COMPASS)
    whole, part = lexicon_of(bundle), lexicon_of(bundle, restrict=2)
    assert list(whole.words) == list(COMPASS)
    assert (len(whole), len(part), part.find("east")) == (5, 2, None)
    assert whole.find("West") == 3
    assert np.array_equal(whole.vectors[0], [0, 1])


def test_a_model_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no vectors of words; choose another --recipe"):
        lexicon_of(make_bundle(tmp_path / "b", "ngram"))


def test_what_decides_answers_is_in_the_key(tmp_path: Path) -> None:
    one = measured(labelled(tmp_path, [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")])).key
    other = measured(labelled(tmp_path, [("a", "x"), ("b", "x"), ("c", "y"), ("e", "y")])).key
    assert one != other
    assert json.dumps(one) == json.dumps(one)
