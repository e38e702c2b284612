"""Laws that every tokenizer obeys. Kinds and what they can be told are found, not listed: new files are tested here."""

import dataclasses
import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from tests.fakes.tokenizers import (
    CHINESE,
    ENGLISH,
    HARD_TEXTS,
    TEXTS,
    VARIANTS,
    config_of,
    kind_of,
    learnt,
    refuses,
    trained,
)
from ziggurat.core.config import from_mapping, options
from ziggurat.core.errors import InputError, UsageError
from ziggurat.tokens.display import pieces
from ziggurat.tokens.loading import TOKENIZERS, load_tokenizer, train_tokenizer

every_kind = pytest.mark.parametrize("kind", TOKENIZERS.names())
every_variant = pytest.mark.parametrize("kind", VARIANTS)
fuzzed = settings(max_examples=50, deadline=None)


def folded(text: str) -> str:
    """Return what a tokenizer may keep of a text: no case, no accents, no control characters."""
    apart = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in apart if unicodedata.category(letter) not in {"Mn", "Cc", "Cf"})


def unjoined(text: str) -> str:
    """Return a phrase without what holds its words together."""
    return "".join(text.replace("_", " ").split())


@every_kind
def test_a_kind_says_what_it_can_be_told(kind: str) -> None:
    config = TOKENIZERS.get(kind).config
    assert dataclasses.is_dataclass(config)
    assert all(doc for _, _, doc in options(config).values())


@every_variant
def test_a_tokenizer_knows_its_kind_and_its_special_ids(kind: str) -> None:
    tokenizer = trained(kind)
    vocabulary = tokenizer.vocabulary
    assert tokenizer.kind == kind_of(kind)
    # one token for both is the first; where they are two, both are among the special ones that come first
    assert vocabulary.special == tuple(range(len(vocabulary.special)))
    assert (vocabulary.bos == vocabulary.eos == 0) == (vocabulary.mask is None)
    assert tokenizer.byte_lengths.shape == (vocabulary.size,)
    assert tokenizer.byte_lengths.dtype == np.int32
    assert not tokenizer.byte_lengths[list(vocabulary.special)].any()
    assert (tokenizer.byte_lengths >= 0).all()


@every_variant
def test_what_knows_all_text_needs_no_unknown_token(kind: str) -> None:
    assert trained(kind).lossless == (trained(kind).vocabulary.unk is None)


@every_variant
@fuzzed
@given(text=TEXTS)
def test_every_text_comes_back_where_that_is_promised(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    if tokenizer.lossless:
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


@every_variant
@fuzzed
@given(text=TEXTS)
def test_byte_lengths_add_up_to_the_text_where_nothing_is_lost(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    if tokenizer.lossless:
        assert tokenizer.byte_lengths[tokenizer.encode(text).ids].sum() == len(text.encode())


@every_variant
@fuzzed
@given(text=TEXTS)
def test_ids_are_in_range_and_never_a_begin_or_an_end(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    ids, vocabulary = tokenizer.encode(text).ids, tokenizer.vocabulary
    assert ids.dtype == np.int32
    assert ((ids >= 0) & (ids < vocabulary.size)).all()
    assert not np.isin(ids, [token for token in vocabulary.special if token != vocabulary.unk]).any()


@every_variant
@fuzzed
@given(text=TEXTS)
def test_offsets_run_through_the_original_text(kind: str, text: str) -> None:
    encoding = trained(kind).encode(text)
    starts, stops = encoding.offsets[:, 0], encoding.offsets[:, 1]
    assert encoding.offsets.dtype == np.int32
    assert encoding.offsets.shape == (len(encoding.ids), 2)
    assert ((starts >= 0) & (starts < stops) & (stops <= len(text))).all()
    assert (np.diff(starts) >= 0).all()
    assert (np.diff(stops) >= 0).all()


@every_variant
@fuzzed
@given(text=TEXTS)
def test_offsets_slice_back_to_what_their_tokens_say(kind: str, text: str) -> None:
    tokenizer = trained(kind)
    encoding = tokenizer.encode(text)
    found = pieces(text, encoding)
    if tokenizer.lossless:
        assert "".join(piece.text for piece in found) == text
        assert [tokenizer.decode(encoding.ids[p.start : p.stop]) for p in found] == [p.text for p in found]
    else:
        for index, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
            if index != tokenizer.vocabulary.unk:
                said = folded(tokenizer.decode([index]).removeprefix("##"))
                assert said == folded(text[start:stop]) or unjoined(said) == unjoined(folded(text[start:stop]))


@every_variant
@fuzzed
@given(texts=st.lists(TEXTS, max_size=5))
def test_many_texts_at_once_give_what_they_give_one_by_one(kind: str, texts: list[str]) -> None:
    tokenizer = trained(kind)
    together = tokenizer.encode_batch(texts)
    assert [ids.tolist() for ids in together] == [tokenizer.encode(text).ids.tolist() for text in texts]
    assert all(ids.dtype == np.int32 for ids in together)


@every_variant
def test_an_empty_text_has_no_tokens(kind: str) -> None:
    tokenizer = trained(kind)
    encoding = tokenizer.encode("")
    assert (encoding.ids.shape, encoding.offsets.shape) == ((0,), (0, 2))
    assert [ids.shape for ids in tokenizer.encode_batch(["", "a", ""])][::2] == [(0,), (0,)]
    assert tokenizer.encode_batch([]) == []
    assert tokenizer.decode([]) == ""


@every_variant
@fuzzed
@given(data=st.data())
def test_any_ids_can_be_read_and_special_ones_give_nothing(kind: str, data: st.DataObject) -> None:
    tokenizer = trained(kind)
    ids = data.draw(st.lists(st.integers(1, tokenizer.vocabulary.size - 1), max_size=13))
    text = tokenizer.decode(ids)
    text.encode()
    assert tokenizer.decode([tokenizer.vocabulary.bos, *ids, tokenizer.vocabulary.eos]) == text
    assert tokenizer.decode(np.array(ids, np.int32)) == text


@every_variant
@pytest.mark.parametrize("text", ["\ud800", "good \udfff bad", "塔\ud83d"])
def test_half_a_surrogate_pair_is_refused_with_its_place(kind: str, text: str) -> None:
    place = next(index for index, letter in enumerate(text) if "\ud800" <= letter <= "\udfff")
    with pytest.raises(InputError, match=f"lone surrogate at character {place}: "):
        trained(kind).encode(text)
    with pytest.raises(InputError, match=f"lone surrogate at character {place}: "):
        trained(kind).encode_batch(["good", text])


@every_variant
def test_saved_and_opened_it_is_the_same_tokenizer(kind: str) -> None:
    saved = trained(kind)
    opened = load_tokenizer(saved.to_json())
    assert opened.fingerprint == saved.fingerprint
    assert (opened.kind, opened.lossless, opened.vocabulary) == (saved.kind, saved.lossless, saved.vocabulary)
    np.testing.assert_array_equal(opened.byte_lengths, saved.byte_lengths)
    for text in HARD_TEXTS:
        one, other = saved.encode(text), opened.encode(text)
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_array_equal(one.offsets, other.offsets)
        assert opened.decode(one.ids) == saved.decode(one.ids)
    assert opened.to_json() == saved.to_json()


@every_variant
def test_the_layout_of_the_file_does_not_change_the_fingerprint(kind: str) -> None:
    raw = json.loads(trained(kind).to_json())
    compact = json.dumps(dict(reversed(raw.items())), separators=(",", ":"))
    assert load_tokenizer(compact).fingerprint == trained(kind).fingerprint


@every_variant
def test_the_same_text_gives_the_same_tokenizer_in_whatever_order_it_comes(kind: str) -> None:
    for texts in ([*ENGLISH, *CHINESE], [*CHINESE, *ENGLISH], reversed([*ENGLISH, *CHINESE])):
        assert learnt(kind, iter(texts)).fingerprint == trained(kind).fingerprint


@every_variant
def test_another_text_gives_another_tokenizer_unless_there_is_nothing_to_learn(kind: str) -> None:
    other = learnt(kind, ["一 个 个 another another text text", *documents(3, seed=5)])
    has_keys = bool(options(TOKENIZERS.get(kind_of(kind)).config))
    assert (other.fingerprint != trained(kind).fingerprint) == has_keys


@every_variant
@pytest.mark.parametrize("texts", [[], [""], ["\n"], ["a"], ["塔"]])
def test_hardly_any_text_to_learn_from_still_gives_a_tokenizer(kind: str, texts: list[str]) -> None:
    tokenizer = learnt(kind, texts)
    assert tokenizer.lossless == trained(kind).lossless
    assert tokenizer.encode("塔 a").ids.max() < tokenizer.vocabulary.size
    if tokenizer.lossless:
        assert tokenizer.decode(tokenizer.encode("塔 a\n").ids) == "塔 a\n"


@every_variant
def test_no_vocabulary_is_larger_than_asked_for(kind: str) -> None:
    config = TOKENIZERS.get(kind_of(kind)).config
    if "vocab_size" not in options(config):
        return
    lowest = next(f.metadata["low"] for f in dataclasses.fields(config) if f.name == "vocab_size")
    for size in (lowest, lowest + 1, lowest + 31, 311):
        if refuses(kind, vocab_size=size):  # too few for the special tokens of a variant
            continue
        tokenizer = learnt(kind, [*ENGLISH, *CHINESE], vocab_size=size)
        assert tokenizer.vocabulary.size <= size
        assert tokenizer.encode("the tower 塔").ids.max() < size
    with pytest.raises(UsageError, match=rf"^recipe\.toml \[tokens\]: vocab_size: must be at least {lowest}, got 2$"):
        from_mapping(config, {"vocab_size": 2}, where="recipe.toml [tokens]")


@every_variant
def test_training_text_with_half_a_surrogate_pair_is_named_unless_it_is_not_read(kind: str) -> None:
    texts = iter(["good", "b\ud800d"])
    if options(TOKENIZERS.get(kind_of(kind)).config):
        with pytest.raises(InputError, match=r"^training text 2: text has a lone surrogate at character 1: "):
            train_tokenizer(texts, kind_of(kind), config_of(kind))
    else:
        assert learnt(kind, texts).lossless
