"""Laws of words in every combination of their options: one text and many, library and kernels, see the same words."""

import itertools
import json
import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Core
from tokenizers import normalizers

from tests.fakes.tokenizers import BITING, CHINESE, ENGLISH, HARD_TEXTS, TEXTS, config_of, learnt, refuses
from ziggurat.core.errors import UsageError
from ziggurat.tokens import word_counts, word_tokenizer
from ziggurat.tokens.cutting import Cut, escaped, for_each_part, joined, unescaped
from ziggurat.tokens.loading import load_tokenizer
from ziggurat.tokens.word_counts import read_words
from ziggurat.tokens.word_tokenizer import WordTokenizer

fuzzed = settings(max_examples=30, deadline=None)
CUTS = [Cut(*choice) for choice in itertools.product((False, True), repeat=4)]
every_cut = pytest.mark.parametrize("cut", CUTS, ids=str)
CHOICES = [
    {"split": split, "lowercase": low, "punctuation": signs, **({"phrases": 2, **BITING["phrases"]} if phrases else {})}
    for split in ("auto", "unicode", "jieba", "whitespace")
    for low in (False, True)
    for signs in (True, False)
    for phrases in (False, True)
    if not refuses("words", split=split, punctuation=signs)
]
every_choice = pytest.mark.parametrize("keys", CHOICES, ids=str)

MIXED = st.text(
    st.sampled_from("aBéİß'’\u0301\u0e0117٣中文字塔〇々⺀_,.\x00\x1f\x1c \n\u3000\u0085Σ👍\U00020001"), max_size=23
)
ANY = st.one_of(TEXTS, MIXED)

_trained: dict[str, WordTokenizer] = {}


def words_of(keys: dict[str, Any]) -> WordTokenizer:
    name = json.dumps(keys)
    if name not in _trained:
        found = learnt("words", [*ENGLISH, *CHINESE, *HARD_TEXTS], **keys)
        assert isinstance(found, WordTokenizer)
        _trained[name] = found
    return _trained[name]


def by_the_library(cut: Cut, text: str) -> list[str]:
    normal = normalizers.Lowercase().normalize_str(text) if cut.lowercase else text
    return [word for word, _ in cut.pre_tokenizer().pre_tokenize_str(normal)]


def by_the_kernel(cut: Cut, texts: list[str]) -> list[list[str]]:
    raw = cut.words(joined(texts)).tobytes()
    assert not any(byte < 0x20 and byte != 0x0A for byte in raw)  # they would be white space to the table of words
    lines = raw.decode("utf-8", "surrogatepass").split("\n")[:-1]
    return [[unescaped(word) for word in line.split(" ") if word] for line in lines]


@every_cut
@fuzzed
@given(texts=st.lists(ANY, max_size=5))
def test_the_kernel_cuts_as_the_library_does(cut: Cut, texts: list[str]) -> None:
    assert by_the_kernel(cut, texts) == [by_the_library(cut, text) for text in texts]


@every_cut
def test_every_character_is_cut_as_the_library_cuts_it(cut: Cut) -> None:
    letters = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
    blocks = ["".join(letters[start : start + 97]) for start in range(0, len(letters), 97)]
    if cut.han_runs != cut.lowercase:  # a quarter of the work, and each option both ways
        assert by_the_kernel(cut, blocks) == [by_the_library(cut, block) for block in blocks]


@given(st.text())
def test_what_was_escaped_comes_back(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert not any(letter < " " for letter in escaped(text))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=7), max_size=11), st.integers(1, 5))
def test_parts_hold_whole_texts_and_lose_none(texts: list[str], threads: int) -> None:
    parts = for_each_part(lambda part, number: (number, part.tobytes()), joined(texts), threads)
    assert b"".join(part for _, part in parts) == b"".join(text.encode() + b"\xff" for text in texts)
    assert all(part.endswith(b"\xff") for _, part in parts)
    numbers = [number for number, _ in parts]
    assert numbers == sorted(set(numbers))
    assert all(number < threads for number in numbers)


@every_choice
@fuzzed
@given(texts=st.lists(ANY, max_size=5))
def test_many_texts_through_the_kernels_give_what_each_gives_alone(keys: dict[str, Any], texts: list[str]) -> None:
    tokenizer = words_of(keys)
    alone = [tokenizer.encode(text).ids.tolist() for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_tokenizer, "COMPILED_FROM", 0)
        for threads in ("1", "3"):
            patch.setenv("OMP_NUM_THREADS", threads)
            together = tokenizer.encode_batch(texts)
            assert [ids.tolist() for ids in together] == alone
            assert all(ids.dtype == np.int32 for ids in together)


@every_choice
@fuzzed
@given(text=ANY)
def test_another_program_finds_the_same_ids_in_the_prepared_text(keys: dict[str, Any], text: str) -> None:
    tokenizer = words_of(keys)
    theirs = Core.from_str(tokenizer.to_json())
    theirs.encode_special_tokens = True
    found = theirs.encode(tokenizer.prepared(text), add_special_tokens=False).ids
    # what is spelled like the end token is that token to them, as with every word list
    assert [index or tokenizer.vocabulary.unk for index in found] == tokenizer.encode(text).ids.tolist()


@every_choice
@fuzzed
@given(text=ANY)
def test_offsets_are_those_of_the_words(keys: dict[str, Any], text: str) -> None:
    tokenizer = words_of(keys)
    encoding = tokenizer.encode(text)
    low = normalizers.Lowercase().normalize_str if keys["lowercase"] else str
    for index, (start, stop) in zip(encoding.ids, encoding.offsets.tolist(), strict=True):
        if index != tokenizer.vocabulary.unk:
            whole = re.sub(r"\s+", "", low(text[start:stop]))
            assert tokenizer.decode([index]).replace("_", "") == whole.replace("_", "")


@every_choice
def test_opened_again_it_is_the_same(keys: dict[str, Any]) -> None:
    tokenizer = words_of(keys)
    opened = load_tokenizer(tokenizer.to_json())
    assert opened.fingerprint == tokenizer.fingerprint
    assert opened.to_json() == tokenizer.to_json()
    for text in HARD_TEXTS:
        np.testing.assert_array_equal(opened.encode(text).offsets, tokenizer.encode(text).offsets)
        np.testing.assert_array_equal(opened.encode(text).ids, tokenizer.encode(text).ids)


def test_tokenizers_that_differ_have_different_fingerprints() -> None:
    prints = Counter(words_of(keys).fingerprint for keys in CHOICES if keys["split"] != "auto")
    assert set(prints.values()) == {1}


@every_choice
def test_the_words_are_counted_as_they_are_encoded(keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*ENGLISH, *CHINESE, *HARD_TEXTS]
    tokenizer = words_of(keys)
    counts = np.zeros(tokenizer.vocabulary.size, np.int64)
    for text in texts:
        counts += np.bincount(tokenizer.encode(text).ids, minlength=counts.size)
    # all words are known (min_count 1) but what is written like the special tokens; frequent ones come first
    assert (counts[2:] > 0).all()
    assert (np.diff(counts[2:]) <= 0).all()
    monkeypatch.setattr(word_counts, "BATCH_CHARACTERS", 997)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert learnt("words", texts, **keys).fingerprint == tokenizer.fingerprint


@given(st.lists(ANY, max_size=7))
@fuzzed
def test_the_order_of_words_is_kept_where_it_is_wanted(texts: list[str]) -> None:
    cut = Cut(punctuation=False)
    found = read_words(texts, cut, ordered=True)
    assert found.stream is not None
    names = [found.names[number] for number in found.stream.tolist() if number]
    with_signs = [by_the_library(Cut(), text) for text in texts]
    assert Counter(names) == Counter(word for text in texts for word in by_the_library(cut, text))
    assert {name: count for name, count in zip(found.names, found.counts.tolist(), strict=True) if count} == Counter(
        names
    )
    pairs = Counter(
        pair for text in with_signs for pair in itertools.pairwise(text) if all(by_the_library(cut, w) for w in pair)
    )
    stream = [found.names[number] for number in found.stream.tolist()]
    assert Counter(pair for pair in itertools.pairwise(stream) if all(pair)) == pairs


def test_whitespace_words_keep_their_signs_so_leaving_signs_out_is_refused() -> None:
    with pytest.raises(UsageError, match='punctuation: false does not go with split = "whitespace"'):
        config_of("words", split="whitespace", punctuation=False)
