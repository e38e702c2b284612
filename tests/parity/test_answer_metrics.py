"""Metrics of labels beside nervaluate's strict F1 and scikit-learn's means."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.schemes import labels_of, lenient_spans_of
from ziggurat.judge.answers import ANSWER_METRICS

WORDS = 7
TAGS = ["O", "B-a", "I-a", "B-b", "I-b", "B-c", "I-c"]
SENTENCES = st.lists(
    st.tuples(*[st.lists(st.sampled_from(TAGS), min_size=WORDS, max_size=WORDS)] * 2), min_size=1, max_size=5
)


def value(name: str, gold: list[Any], said: list[Any]) -> float:
    metric = ANSWER_METRICS.get(name)()
    metric.update(gold, said)
    return metric.value()


@given(sentences=SENTENCES)
def test_span_f1_is_the_strict_f1_of_nervaluate(sentences: list[tuple[list[str], list[str]]]) -> None:
    evaluation = pytest.importorskip("nervaluate.evaluator")
    spans = [[lenient_spans_of(tags) for tags in pair] for pair in sentences]
    gold, said = ([pair[side] for pair in spans] for side in (0, 1))
    tags = [[labels_of(one, WORDS, "BIO") for one in side] for side in (gold, said)]
    told = evaluation.Evaluator(*tags, tags=["a", "b", "c"], loader="list").evaluate()["overall"]["strict"]
    assert value("span_f1", gold, said) == pytest.approx(told.f1, abs=1e-12)


@pytest.mark.parametrize("seed", [3, 5, 7])
def test_means_are_those_of_scikit_learn(seed: int) -> None:
    peer = pytest.importorskip("sklearn.metrics")
    dice = random.Random(seed)
    gold = dice.choices("abcde", weights=[31, 11, 5, 2, 0], k=53)
    said = [label if dice.random() < 0.6 else dice.choice("abde") for label in gold]
    assert value("accuracy", gold, said) == pytest.approx(peer.accuracy_score(gold, said))
    for mean in ("macro", "micro"):
        told = peer.f1_score(gold, said, average=mean, zero_division=0)
        assert value(f"{mean}_f1", gold, said) == pytest.approx(told)


@pytest.mark.parametrize("seed", [3, 5, 7])
def test_several_labels_a_text_are_those_of_scikit_learn_too(seed: int) -> None:
    peer = pytest.importorskip("sklearn.metrics")
    dice = random.Random(seed)
    gold, said = ([{label for label in "abcd" if dice.random() < 0.4} for _ in range(53)] for _ in range(2))
    rows = [[[label in one for label in "abcd"] for one in side] for side in (gold, said)]
    assert value("accuracy", gold, said) == pytest.approx(peer.accuracy_score(*rows))
    for mean in ("macro", "micro"):
        assert value(f"{mean}_f1", gold, said) == pytest.approx(peer.f1_score(*rows, average=mean))


@pytest.mark.parametrize("seed", [3, 5, 7])
def test_bleu_and_chrf_are_those_of_sacrebleu(seed: int) -> None:
    peer = pytest.importorskip("sacrebleu")
    dice = random.Random(seed)
    words = ["der", "Hund,", "läuft", "über", "3.5", "Wiese.", "«ja»", "x-y", ""]
    gold = [" ".join(dice.choices(words, k=dice.randrange(1, 11))) for _ in range(53)]
    said = [" ".join(word for word in text.split(" ") if dice.random() < 0.8) for text in gold]
    said[:3] = ["", "unerhört", gold[2]]
    assert value("bleu", gold, said) == pytest.approx(peer.corpus_bleu(said, [gold]).score, rel=1e-12)
    assert value("chrf", gold, said) == pytest.approx(peer.corpus_chrf(said, [gold]).score, rel=1e-12)
    for name, metric in (("bleu", peer.BLEU(effective_order=True)), ("chrf", peer.CHRF())):
        ours = ANSWER_METRICS.get(name)()
        ours.update(gold, said)
        theirs = [metric.sentence_score(one, [other]).score for one, other in zip(said, gold, strict=True)]
        assert ours.each() == pytest.approx(theirs, rel=1e-12)
    one = peer.BLEU()
    one.corpus_score(said, [gold])
    told = ANSWER_METRICS.get("bleu")()
    told.update(gold, said)
    assert told.signature == str(one.get_signature())


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_nothing_right_of_some_length_is_smoothed_as_sacrebleu_does(cut: int) -> None:
    peer = pytest.importorskip("sacrebleu")
    gold = ["a b c d e f g h"]
    said = [" ".join(f"{word} x" if place % cut == 0 else word for place, word in enumerate("abcdefgh", start=1))]
    assert value("bleu", gold, said) == pytest.approx(peer.corpus_bleu(said, [gold]).score, rel=1e-12)
