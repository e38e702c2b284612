"""Masked accuracy and its companions, counted by hand on a guesser that follows a rule."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from tests.fakes.bundles import eleven_words
from tests.fakes.families import CONDITIONAL_FAMILIES, LANGUAGE_FAMILIES, MASKED_FAMILIES
from tests.fakes.tokenizers import trained
from ziggurat.core.errors import TooLittleTextError, UsageError
from ziggurat.core.types import Document, FloatArray, IdArray, Pair, Vocabulary
from ziggurat.judge import masked
from ziggurat.judge.masked import MaskedEvaluation, evaluate_masked
from ziggurat.judge.measuring import figures, measurable
from ziggurat.models.registry import FAMILIES

TOKENIZER = trained("wordpiece specials=bert")
THE = int(TOKENIZER.encode("the").ids[0])


class Stubborn:
    """Always finds one id the likeliest; gives it −0.5 nats, and any other −3."""

    def __init__(self, vocabulary: Vocabulary, favourite: int, context: int | None = None) -> None:
        self.vocabulary, self.favourite, self.context = vocabulary, favourite, context
        self.read: list[list[int]] = []

    def guess(self, ids: IdArray, lengths: IdArray, targets: IdArray) -> tuple[FloatArray, IdArray]:
        self.read += [row[:length].tolist() for row, length in zip(ids, lengths.tolist(), strict=True)]
        asked = targets >= 0
        told = np.where(asked, np.where(targets == self.favourite, -0.5, -3.0), 0)
        return told.astype(np.float32), np.where(asked, self.favourite, -1).astype(np.int32)

    def score(self, ids: IdArray, lengths: IdArray) -> Any:
        raise NotImplementedError


def documents(texts: Iterable[str]) -> list[Document]:
    return [Document(str(number), text) for number, text in enumerate(texts)]


TEXTS = [f"the tower climbs {'the ' * number}river" for number in range(31)]


@pytest.fixture
def found() -> MaskedEvaluation:
    model = Stubborn(TOKENIZER.vocabulary, THE)
    return evaluate_masked(model, TOKENIZER, documents(TEXTS), training={"most_frequent_id": THE})


def test_what_is_counted(found: MaskedEvaluation) -> None:
    lengths = [len(TOKENIZER.encode(text).ids) for text in TEXTS]
    assert found.tokens == tuple(max(1, round(0.15 * length)) for length in lengths)
    assert found.right == found.commonest  # it guesses what the baseline guesses
    for nats, right, tokens in zip(found.nats, found.right, found.tokens, strict=True):
        assert nats == pytest.approx(0.5 * right + 3 * (tokens - right))
    assert found.document_bytes[3] == len(TEXTS[3])
    assert found.fingerprint == TOKENIZER.fingerprint


def test_figures_are_ratios_of_sums(found: MaskedEvaluation) -> None:
    told = found.figures(seed=3)
    right, tokens = sum(found.right), sum(found.tokens)
    assert told["masked_accuracy"] == told["baseline_accuracy"] == right / tokens
    assert told["low"] < told["masked_accuracy"] < told["high"]
    assert told["masked_loss"] == pytest.approx(3 - 2.5 * right / tokens)
    nats = sum(found.pseudo_nats) / sum(found.pseudo_tokens)
    assert told["pseudo_perplexity"] == pytest.approx(math.exp(nats))
    # every token of a text as short as this is hidden by itself
    every = sum(len(TOKENIZER.encode(text).ids) for text in TEXTS)
    assert told["pseudo_tokens"] == sum(found.pseudo_tokens) == every
    assert (told["masked_tokens"], told["documents"], told["baseline_from"]) == (tokens, 31, "training text")


def test_where_the_training_text_is_not_known_this_text_s_commonest_id_is_the_baseline() -> None:
    model = Stubborn(TOKENIZER.vocabulary, THE + 1)
    told = evaluate_masked(model, TOKENIZER, documents(TEXTS)).figures()
    assert told["baseline_from"] == "this text"
    assert told["baseline_accuracy"] > 0.5 > told["masked_accuracy"]


def test_what_is_hidden_is_fixed_by_the_seed_and_the_document() -> None:
    def hidden(seed: int, some: list[Document]) -> list[list[int]]:
        model = Stubborn(TOKENIZER.vocabulary, THE)
        evaluate_masked(model, TOKENIZER, some, seed=seed, pseudo_tokens=0)
        return sorted(model.read)

    whole = documents(TEXTS)
    assert hidden(1, whole) == hidden(1, whole[::-1])  # their order does not matter
    assert hidden(1, whole) != hidden(2, whole)
    assert all(row in hidden(1, whole) for row in hidden(1, whole[5:7]))


def test_long_documents_are_cut_to_the_context_and_nothing_is_lost() -> None:
    model = Stubborn(TOKENIZER.vocabulary, THE, context=13)
    told = evaluate_masked(model, TOKENIZER, documents([TEXTS[30]]), pseudo_tokens=0)
    count = len(TOKENIZER.encode(TEXTS[30]).ids)
    lengths = [len(row) - 2 for row in model.read]
    assert sum(lengths) == count
    assert max(lengths) == 11
    assert all((row[0], row[-1]) == (TOKENIZER.vocabulary.bos, TOKENIZER.vocabulary.eos) for row in model.read)
    assert told.tokens == (sum(max(1, round(0.15 * length)) for length in lengths),)


def test_few_single_tokens_of_many() -> None:
    model = Stubborn(TOKENIZER.vocabulary, THE)
    told = evaluate_masked(model, TOKENIZER, documents(TEXTS), pseudo_tokens=100)
    # each of some 560 tokens with chance 100 / 560: a standard deviation of √(100 · 460 / 560) = 9
    assert 64 < sum(told.pseudo_tokens) < 136


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_no_text_is_said(texts: list[str]) -> None:
    with pytest.raises(TooLittleTextError, match="give more text"):
        evaluate_masked(Stubborn(TOKENIZER.vocabulary, THE), TOKENIZER, documents(texts))


UNKNOWN = "\u2603"


def test_text_of_unknown_characters_has_nothing_to_guess() -> None:
    assert set(TOKENIZER.encode(UNKNOWN).ids) == {TOKENIZER.vocabulary.unk}
    with pytest.raises(TooLittleTextError, match="give more text"):
        evaluate_masked(Stubborn(TOKENIZER.vocabulary, THE), TOKENIZER, documents([f"{UNKNOWN} {UNKNOWN}"]))


def test_what_is_no_text_is_neither_guessed_nor_the_baseline() -> None:
    model = Stubborn(TOKENIZER.vocabulary, THE)
    told = evaluate_masked(model, TOKENIZER, documents([f"the the tower {f'{UNKNOWN} ' * 7}"] * 3))
    assert told.figures()["baseline_accuracy"] > 0  # the commonest id that is no special one: the
    every = [int(index) for index in TOKENIZER.encode("the the tower").ids]
    assert told.pseudo_tokens == (len(every),) * 3


def test_a_document_without_anything_to_guess_is_left_out_and_the_others_are_measured() -> None:
    model = Stubborn(TOKENIZER.vocabulary, THE)
    told = evaluate_masked(model, TOKENIZER, documents([UNKNOWN, "the tower", UNKNOWN]))
    assert (told.ids, told.document_bytes) == (("1",), (9,))


def test_many_rows_are_read_in_parts_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Stubborn(TOKENIZER.vocabulary, THE)
    whole = evaluate_masked(model, TOKENIZER, documents(TEXTS))
    monkeypatch.setattr(masked, "SORTED_ROWS", 7)
    monkeypatch.setattr(masked, "BATCH_ROWS", 3)
    monkeypatch.setattr(masked, "BATCH_DOCUMENTS", 5)
    assert evaluate_masked(model, TOKENIZER, documents(TEXTS)) == whole


def test_a_tokenizer_without_a_token_that_hides() -> None:
    model = Stubborn(eleven_words().vocabulary, 3)
    with pytest.raises(UsageError, match="no token that hides another"):
        evaluate_masked(model, eleven_words(), documents(["one two"]))


@pytest.mark.parametrize("family", FAMILIES.names())
def test_every_family_is_measured_by_what_it_can_do(family: str) -> None:
    model, some = FAMILIES.get(family).tiny(seed=3), documents(["one two three", "four five", "six seven eight nine"])
    tokenizer = eleven_words()
    assert measurable(model) == (family in {*LANGUAGE_FAMILIES, *MASKED_FAMILIES})
    if family in LANGUAGE_FAMILIES:
        pairs = [Pair("a", "one two", "three"), Pair("b", "four", "five six")]
        given: Any = pairs if family in CONDITIONAL_FAMILIES else some
        told = figures(model, tokenizer, given, name="it", training={})
        assert "token_perplexity" in told
        assert "masked_accuracy" not in told
    elif family in MASKED_FAMILIES:
        told = figures(model, tokenizer, some, name="it", training={"most_frequent_id": 3})
        assert 0 <= told["masked_accuracy"] <= 1
        assert not {"token_perplexity", "bits_per_byte"} & set(told)
    else:
        with pytest.raises(
            UsageError,
            match=r"it: (holds vectors and predicts|tells labels and writes|labels words and writes) no text",
        ):
            figures(model, tokenizer, some, name="it", training={})
