"""Targets written from sources, many at once, with a model whose answers are known: it repeats its source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.families import CONDITIONAL_FAMILIES
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.protocols import ConditionalModel, LanguageModel
from ziggurat.core.types import FloatArray, IdArray, Pair, Vocabulary
from ziggurat.judge.evaluate import evaluate_pairs
from ziggurat.models.registry import FAMILIES
from ziggurat.use import translation
from ziggurat.use.completion import GenerationConfig
from ziggurat.use.scoring import score_pairs
from ziggurat.use.translation import source_ids, translate

TOKENIZER = eleven_words()
GREEDY = GenerationConfig(temperature=0.0, max_tokens=29)


@dataclass
class Echo:
    """Repeats its source with probability 0.9 an id; the rest goes to all others equally."""

    context: int | None = 13
    asked: list[tuple[int, ...]] | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        return TOKENIZER.vocabulary

    def condition(self, source: IdArray, lengths: IdArray) -> LanguageModel:
        if self.asked is not None:
            self.asked.append(source.shape)
        return EchoOf([row[:length].tolist() for row, length in zip(source, lengths, strict=True)], self.context)


@dataclass
class EchoOf:
    """`Echo` beside its sources; the state is which source, and how much of it is written."""

    sources: list[list[int]]
    context: int | None

    @property
    def vocabulary(self) -> Vocabulary:
        return TOKENIZER.vocabulary

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, Any]:
        assert ids.shape == (len(self.sources), 1)
        assert not ids.any()
        state = [(row, 0) for row in range(len(ids))]
        return self._told(state), state

    def step(self, state: Any, ids: IdArray) -> tuple[FloatArray, Any]:
        state = [(row, written + 1) for row, written in state]
        return self._told(state), state

    def reorder(self, state: Any, rows: IdArray) -> Any:
        return [state[row] for row in rows.tolist()]

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        found = np.zeros((ids.shape[0], ids.shape[1] - 1), np.float32)
        for row, length in enumerate(lengths.tolist()):
            for t in range(1, length):
                found[row, t - 1] = self._told([(row, t - 1)])[0, ids[row, t]]
        return found

    def score(self, ids: IdArray, lengths: IdArray) -> Any:
        return self.token_logprobs(ids, lengths).sum(axis=1, dtype=np.float64)

    def _told(self, state: Any) -> FloatArray:
        told = np.full((len(state), 11), np.log(0.01), np.float32)
        for place, (row, written) in enumerate(state):
            source = self.sources[row]
            told[place, source[min(written, len(source) - 1)]] = np.log(0.9)
        return told


def test_the_fake_is_what_it_stands_for() -> None:
    assert isinstance(Echo(), ConditionalModel)
    assert isinstance(Echo().condition(np.zeros((1, 1), np.int32), np.ones(1, np.int32)), LanguageModel)


def texts(found: list[Any]) -> list[str]:
    return [continuation.text.strip() for continuation in found]


def test_each_target_comes_from_its_own_source_in_the_order_given() -> None:
    sources = ["one two three four five", "nine", "six six", "one two three four five six seven"]
    found = translate(Echo(), TOKENIZER, sources, GREEDY)
    assert texts(found) == sources
    assert {continuation.reason for continuation in found} == {"end"}
    assert found[1].logprob == pytest.approx(2 * np.log(0.9))  # nine and the end


@pytest.mark.parametrize("bound", [1, 9, 20])
def test_sources_are_read_in_batches_of_like_length(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation, "BATCH_TOKENS", bound)
    sources = ["one two three four five", "nine", "six six", "one", "two two two", "three"] * 3
    model = Echo(asked=[])
    assert texts(translate(model, TOKENIZER, sources, GREEDY)) == sources
    assert model.asked is not None
    assert all(rows == 1 or rows * length <= bound for rows, length in model.asked)
    assert sum(rows for rows, _ in model.asked) == 18


def test_samples_of_one_source_stand_together_and_differ() -> None:
    config = GenerationConfig(temperature=3.0, samples=3, max_tokens=7)
    found = translate(Echo(), TOKENIZER, ["one two", "nine nine nine"], config, seed=1)
    assert len(found) == 6
    assert len({continuation.ids for continuation in found[:3]}) > 1
    again = translate(Echo(), TOKENIZER, ["one two", "nine nine nine"], config, seed=1)
    assert again == found


def test_draws_do_not_depend_on_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    config = GenerationConfig(temperature=2.0, samples=2, max_tokens=9)
    sources = ["one two three", "nine", "six six", "two two two two two"]
    whole = translate(Echo(), TOKENIZER, sources, config, seed=3)
    monkeypatch.setattr(translation, "BATCH_TOKENS", 1)
    assert translate(Echo(), TOKENIZER, sources, config, seed=3) == whole


def test_a_target_ends_at_the_context() -> None:
    # a context of 5 reads bos and four ids, and writes a fifth
    (found,) = translate(Echo(context=5), TOKENIZER, ["one two three four"], GenerationConfig(temperature=5.0, top_k=0))
    assert len(found.ids) <= 5
    found = translate(_Endless(context=5), TOKENIZER, ["one"], GREEDY)[0]
    assert (len(found.ids), found.reason) == (5, "length")


class _Endless(Echo):
    def condition(self, source: IdArray, lengths: IdArray) -> LanguageModel:
        return EchoOf([[4] for _ in source], self.context)


def test_a_source_that_is_too_long_is_named() -> None:
    with pytest.raises(UsageError, match=r"source 2: 6 tokens are more than .* \(its context is 5\): shorten it"):
        translate(Echo(context=5), TOKENIZER, ["one", "one two three four five"], GREEDY)


def test_white_space_at_the_ends_of_a_source_is_left_out() -> None:
    assert source_ids(Echo(), TOKENIZER, " one two\n", name="x").tolist() == [
        *TOKENIZER.encode("one two").ids.tolist(),
        0,
    ]


def test_nothing_to_translate_is_nothing() -> None:
    assert translate(Echo(), TOKENIZER, [], GREEDY) == []


def test_text_is_passed_on_as_it_is_written() -> None:
    heard: list[tuple[int, str]] = []
    translate(Echo(), TOKENIZER, ["one two"], GREEDY, on_text=lambda number, text: heard.append((number, text)))
    assert "".join(text for _, text in heard).strip() == "one two"
    assert {number for number, _ in heard} == {0}


def test_pairs_are_scored_by_unit_given_their_source() -> None:
    pairs = [Pair("p:1", "one two", "one two"), Pair("p:2", "one two", "one three")]
    whole = score_pairs(Echo(), TOKENIZER, pairs, by="document")
    assert [units[0].logprob for units in whole] == pytest.approx([3 * np.log(0.9), 2 * np.log(0.9) + np.log(0.01)])
    tokens = score_pairs(Echo(), TOKENIZER, pairs[1:], by="token")[0]
    assert [unit.logprob for unit in tokens] == pytest.approx([np.log(0.9), np.log(0.01), np.log(0.9)], rel=1e-6)
    assert tokens[-1].text == ""
    with pytest.raises(UsageError, match=r"p:2: 3 tokens are more than the model can read"):
        score_pairs(Echo(context=2), TOKENIZER, [Pair("p:1", "one", "one"), pairs[1]], by="document")


def test_an_evaluation_is_of_the_targets_and_counts_what_did_not_fit() -> None:
    pairs = [Pair("p:1", "one two", "one two"), Pair("p:2", "one", "two"), Pair("p:3", "one " * 20, "one")]
    found = evaluate_pairs(Echo(), TOKENIZER, pairs)
    assert found.ids == ("p:1", "p:2")
    assert found.tokens == (3, 2)
    assert found.document_bytes == (7, 3)
    assert found.nats == pytest.approx((-3 * np.log(0.9), -np.log(0.01) - np.log(0.9)))
    figures = found.figures()
    assert figures["pairs_left_out"] == 1
    assert "bits_per_byte" not in figures  # whole words lose text


class Generous:
    """A tokenizer that makes two tokens of every character, as NFKC may of a ligature, and counts its work."""

    lossless, fingerprint, vocabulary = False, "", TOKENIZER.vocabulary

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode_batch(self, texts: Sequence[str]) -> list[IdArray]:
        self.read += texts
        return [np.full(2 * len(text), 3, np.int32) for text in texts]


def test_a_source_that_is_long_only_in_tokens_is_left_out_and_no_text_is_tokenized_twice() -> None:
    # three bytes, six tokens and an end: seven; five of them fit
    pairs = [Pair("p:1", "one", "a"), Pair("p:2", "to", "b"), Pair("p:3", "x" * 97, "c")]
    generous: Any = Generous()
    found = evaluate_pairs(Echo(context=5), generous, pairs)
    assert (found.ids, found.left_out) == (("p:2",), 2)
    assert sorted(generous.read) == sorted(["one", "to", "x" * 97, "b"])
    with pytest.raises(TooLittleTextError, match="give more text"):
        evaluate_pairs(Echo(context=3), generous, pairs)


@pytest.mark.parametrize("family", CONDITIONAL_FAMILIES)
def test_writing_equals_stepping_for_every_family(family: str) -> None:
    model = FAMILIES.get(family).tiny(seed=3)
    assert isinstance(model, ConditionalModel)
    sources = ["one two three", "nine four", "six " * 11]
    for source, found in zip(sources, translate(model, TOKENIZER, sources, GREEDY), strict=True):
        ids = source_ids(model, TOKENIZER, source, name="x")
        lm = model.condition(ids[None], np.array([len(ids)], np.int32))
        told, state = lm.begin(np.zeros((1, 1), np.int32), np.ones(1, np.int32))
        total = 0.0
        for token in found.ids:
            assert told[0].argmax() == token
            total += float(told[0, token])
            told, state = lm.step(state, np.array([token], np.int32))
        assert found.logprob == pytest.approx(total, abs=1e-4)
