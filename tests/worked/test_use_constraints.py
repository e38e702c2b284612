"""What a grammar allows after each id, by hand, with every tokenizer that loses nothing; and models under it."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from tests.fakes.tokenizers import ENGLISH
from ziggurat.core.errors import UsageError
from ziggurat.core.numerics import log_softmax
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.tokens.loading import train_tokenizer
from ziggurat.tokens.token_bytes import token_bytes
from ziggurat.tokens.words import WordsConfig
from ziggurat.use.completion import GenerationConfig, generate
from ziggurat.use.constraints import ConstrainedModel, Constraint, RowConstraints, followed

llguidance = pytest.importorskip("llguidance")

GRAMMAR = 'start: "a" | "ab" | "cd" | "塔"'
TEXTS = ("a", "ab", "cd", "塔")
KINDS = ("bytes", "bpe", "unigram", "characters")


class Drawn:
    """A model of the id before alone, drawn at random; with ids that its tokenizer lacks."""

    context = None

    def __init__(self, vocabulary: Vocabulary, *, surplus: int = 3) -> None:
        self.vocabulary = Vocabulary(vocabulary.size + surplus, bos=vocabulary.bos, eos=vocabulary.eos)
        logits = np.random.default_rng(5).normal(size=(self.vocabulary.size, self.vocabulary.size))
        self.table = log_softmax(logits).astype(np.float32)

    def begin(self, ids: IdArray, lengths: IdArray) -> tuple[FloatArray, Any]:
        return self.table[ids[np.arange(len(ids)), lengths - 1]], None

    def step(self, state: Any, ids: IdArray) -> tuple[FloatArray, Any]:
        return self.table[ids], None

    def reorder(self, state: Any, rows: IdArray) -> Any:
        return None

    def token_logprobs(self, ids: IdArray, lengths: IdArray) -> FloatArray:
        return np.asarray(self.table[ids[:, :-1], ids[:, 1:]])

    def score(self, ids: IdArray, lengths: IdArray) -> Any:
        keep = np.arange(1, ids.shape[1]) < lengths[:, None]
        return np.where(keep, self.token_logprobs(ids, lengths), 0).sum(axis=1, dtype=np.float64)


def id_of(tokenizer, text: str) -> int:
    (index,) = tokenizer.encode(text).ids.tolist()
    return int(index)


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    return train_tokenizer(ENGLISH, request.param)


@pytest.fixture(scope="module")
def plain():
    return train_tokenizer(ENGLISH, "bytes")


def test_the_bytes_of_tokens_are_those_of_their_texts(tokenizer) -> None:
    spellings = token_bytes(tokenizer)
    assert [len(one) for one in spellings] == tokenizer.byte_lengths.tolist()
    for text in ("The tower climbs at dawn.", "塔楼 é\n", "<0x41> Ġ"):
        assert b"".join(spellings[index] for index in tokenizer.encode(text).ids) == text.encode()


def test_only_texts_of_the_grammar_are_accepted(tokenizer) -> None:
    constraint = Constraint(tokenizer, GRAMMAR)
    assert all(constraint.accepts(text) for text in TEXTS)
    assert not any(constraint.accepts(text) for text in ("", "b", "abc", "c", "aa", "A", "塔塔", "楼"))


def test_what_may_follow_by_hand(plain) -> None:
    a, b, c, d = (id_of(plain, letter) for letter in "abcd")
    first_of_tower = plain.encode("塔").ids[0]  # a byte of three
    eos = plain.vocabulary.eos
    constraint = Constraint(plain, GRAMMAR)
    places = constraint.begin(2)
    assert [set(np.flatnonzero(row)) for row in constraint.keep_mask(places)] == [{a, c, first_of_tower}] * 2
    assert constraint.may_end(places).tolist() == [False, False]
    constraint.advance(places, np.array([a, c], dtype=np.int32))
    assert [set(np.flatnonzero(row)) for row in constraint.keep_mask(places)] == [{b, eos}, {d}]
    assert constraint.may_end(places).tolist() == [True, False]
    swapped = constraint.reorder(places, np.array([1, 0, 0], dtype=np.int32))
    constraint.advance(places, np.array([eos, d], dtype=np.int32))  # the copies stay where they were
    assert [set(np.flatnonzero(row)) for row in constraint.keep_mask(swapped)] == [{d}, {b, eos}, {b, eos}]
    assert set(np.flatnonzero(constraint.keep_mask(places)[0])) == {eos}  # behind the end is only the end


def test_an_id_that_is_not_allowed_is_named(plain) -> None:
    constraint = Constraint(plain, GRAMMAR)
    with pytest.raises(UsageError, match=f"row 1: the grammar does not allow id {id_of(plain, 'b')} here"):
        constraint.advance(constraint.begin(2), np.array([id_of(plain, "a"), id_of(plain, "b")], dtype=np.int32))


def test_what_is_refused(plain) -> None:
    with pytest.raises(UsageError, match=r"the grammar has a fault: .*nothing"):
        Constraint(plain, "start: nothing")
    with pytest.raises(UsageError, match="of kind 'wordpiece' loses something"):
        Constraint(train_tokenizer(ENGLISH, "wordpiece"), GRAMMAR)
    small = Drawn(Vocabulary(7, bos=0, eos=0), surplus=0)
    with pytest.raises(UsageError, match="the model knows 7 ids"):
        ConstrainedModel(small, Constraint(plain, GRAMMAR))


def rows(tokenizer, texts) -> tuple[IdArray, IdArray]:
    """Texts as ids with begin and end, padded with a letter that the grammar has."""
    ends = tokenizer.vocabulary
    found = [[ends.bos, *tokenizer.encode(text).ids.tolist(), ends.eos] for text in texts]
    longest = max(map(len, found))
    padded = [row + [id_of(tokenizer, "a")] * (longest - len(row)) for row in found]
    return np.array(padded, dtype=np.int32), np.array([len(row) for row in found], dtype=np.int32)


def test_the_mass_of_all_texts_is_one_and_of_others_nothing(plain) -> None:
    model = ConstrainedModel(Drawn(plain.vocabulary), Constraint(plain, GRAMMAR))
    ids, lengths = rows(plain, (*TEXTS, "b", "abd"))
    scores = model.score(ids, lengths)
    assert math.fsum(np.exp(scores[:4])) == pytest.approx(1, abs=1e-6)
    assert scores[4:].tolist() == [-math.inf, -math.inf]
    alone = [model.score(ids[row : row + 1, : lengths[row]], lengths[row : row + 1])[0] for row in range(6)]
    assert scores.tolist() == pytest.approx(alone)


def test_probabilities_keep_their_ratio(plain) -> None:
    inner = Drawn(plain.vocabulary)
    model = ConstrainedModel(inner, Constraint(plain, GRAMMAR))
    bos = np.array([[plain.vocabulary.bos]], dtype=np.int32)
    logprobs, state = model.begin(bos, np.array([1], dtype=np.int32))
    assert np.exp(logprobs[0].astype(np.float64)).sum() == pytest.approx(1, abs=1e-6)
    a, c = id_of(plain, "a"), id_of(plain, "c")
    before = inner.table[plain.vocabulary.bos]
    assert logprobs[0, a] - logprobs[0, c] == pytest.approx(before[a] - before[c], abs=1e-5)
    assert np.isneginf(logprobs[0, plain.vocabulary.size :]).all()
    state = model.reorder(state, np.array([0, 0], dtype=np.int32))
    stepped, _ = model.step(state, np.array([a, c], dtype=np.int32))
    again, _ = model.begin(np.array([[bos[0, 0], a], [bos[0, 0], c]], dtype=np.int32), np.array([2, 2], dtype=np.int32))
    np.testing.assert_allclose(stepped, again)


def test_where_the_model_holds_all_for_impossible_it_is_all_alike(plain) -> None:
    inner = Drawn(plain.vocabulary)
    inner.table[:] = -np.inf
    inner.table[:, id_of(plain, "z")] = 0
    model = ConstrainedModel(inner, Constraint(plain, GRAMMAR))
    logprobs, _ = model.begin(np.array([[plain.vocabulary.bos]], dtype=np.int32), np.array([1], dtype=np.int32))
    assert np.exp(logprobs[0][np.isfinite(logprobs[0])]).tolist() == pytest.approx([1 / 3] * 3)


def test_whatever_is_generated_is_of_the_grammar(tokenizer) -> None:
    grammar = 'start: "SELECT " name (", " name)* ";"\nname: "塔" | "height" | "city name"'
    constraint = Constraint(tokenizer, grammar)
    model = ConstrainedModel(Drawn(tokenizer.vocabulary), constraint)
    config = GenerationConfig(max_tokens=300, samples=7)
    found = generate(model, tokenizer, [""], config, seed=3)
    ended = [one.text for one in found if one.reason == "end"]
    assert ended
    assert all(constraint.accepts(text) for text in ended)
    assert any(one != other for one, other in itertools.pairwise(ended))


def test_rows_are_each_held_to_their_own_grammar(tokenizer) -> None:
    first = Constraint(tokenizer, 'start: "a"')
    each = [first, first.with_grammar('start: "cd"'), first]
    model = ConstrainedModel(Drawn(tokenizer.vocabulary), RowConstraints(each))
    bos = tokenizer.vocabulary.bos
    prompts = np.full((3, 1), bos, np.int32)
    logprobs, state = model.begin(prompts, np.ones(3, np.int32))
    alone = [
        ConstrainedModel(Drawn(tokenizer.vocabulary), one).begin(prompts[:1], np.ones(1, np.int32))[0][0]
        for one in each
    ]
    assert np.array_equal(logprobs, np.array(alone))
    assert np.isfinite(logprobs[0]).sum() == 1
    swapped = model.reorder(state, np.array([1, 0], np.int32))
    ids = [tokenizer.encode("cd").ids[0], tokenizer.encode("a").ids[0]]
    _, state = model.step(swapped, np.array(ids, np.int32))
    with pytest.raises(UsageError, match="row 0: the grammar does not allow"):
        model.step(state, np.array([ids[1], tokenizer.vocabulary.eos], np.int32))
    with pytest.raises(UsageError, match="2 rows can't be held to 3 constraints"):
        model.begin(prompts[:2], np.ones(2, np.int32))
    assert RowConstraints([first, first]).accepts("a")
    assert not RowConstraints(each).accepts("a")


def test_a_fault_of_another_grammar_is_said(tokenizer) -> None:
    with pytest.raises(UsageError, match="the grammar has a fault"):
        Constraint(tokenizer, 'start: "a"').with_grammar("start: nothing")


def test_words_parted_by_white_space_stand_for_a_blank_behind_each() -> None:
    words = train_tokenizer(["the tower of Ur", "the 塔"], "words", WordsConfig(split="whitespace"))
    spelled = token_bytes(words, spaced=True)
    assert b"".join(spelled[index] for index in words.encode("the  塔 of").ids) == "the 塔 of ".encode()
    assert spelled[words.vocabulary.eos] == b""
    held = Constraint(words, 'start: ("the" | "of") " Ur "')
    assert held.accepts("the Ur")
    assert not held.accepts("the tower")
    assert not held.accepts("the")
    places = held.begin(1)
    allowed = held.keep_mask(places)[0].nonzero()[0].tolist()
    assert sorted(allowed) == sorted(words.encode("the of").ids.tolist())


@pytest.mark.parametrize("config", [WordsConfig(), WordsConfig(split="whitespace", lowercase=True)])
def test_other_words_stand_for_no_bytes(config: WordsConfig) -> None:
    with pytest.raises(UsageError, match="loses something of its texts"):
        token_bytes(train_tokenizer(["the tower"], "words", config), spaced=True)


def test_it_is_known_whether_grammars_can_be_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert followed()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not followed()
