"""Byte-level BPE by hand. The end token is 0, then come the 256 bytes by their letters: "!" is 1, so "a" is 65."""

import itertools
import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.fakes.tokenizers import CHINESE, ENGLISH, TEXTS, trained
from ziggurat.core.errors import UsageError
from ziggurat.tokens.bpe import TOKENIZER, BpeConfig
from ziggurat.tokens.fast import END, FastTokenizer, byte_alphabet

A, B, C, D = 65, 66, 67, 68
SPACE = 1 + sorted(byte_alphabet()).index("Ġ")


def learnt(texts: list[str], merges: int, pattern: str = "gpt2") -> FastTokenizer:
    return TOKENIZER.train(texts, BpeConfig(vocab_size=257 + merges, pattern=pattern))  # type: ignore[arg-type]


def merges(tokenizer: FastTokenizer) -> list[tuple[str, str]]:
    return [tuple(pair) for pair in json.loads(tokenizer.to_json())["model"]["merges"]]


# a a a b d a a a b a c: pairs aa 4, ab 2, bd da ba ac 1        → merge aa (257)
# aa a b d aa a b a c: pairs (aa, a) 2, ab 2, …; a is lower      → merge ab (258)
# aa ab d aa ab a c: pairs (aa, ab) 2, all others 1              → merge aaab (259)
# aaab d aaab a c
def test_three_merges_of_a_word() -> None:
    tokenizer = learnt(["aaabdaaabac"], 3)
    assert merges(tokenizer) == [("a", "a"), ("a", "b"), ("aa", "ab")]
    assert tokenizer.encode("aaabdaaabac").ids.tolist() == [259, D, 259, A, C]
    assert tokenizer.byte_lengths[[257, 258, 259]].tolist() == [2, 2, 4]


# aaab again, by rank: aa first, then ab; baab has b + aa + b, and no merge of aa with b
def test_merges_are_applied_in_the_order_in_which_they_were_learnt() -> None:
    tokenizer = learnt(["aaabdaaabac"], 3)
    assert tokenizer.encode("baab").ids.tolist() == [B, 257, B]
    assert tokenizer.encode("abab").ids.tolist() == [258, 258]
    assert tokenizer.encode("aaaa").ids.tolist() == [257, 257]


# words "ab", " ab", " ab": pair (a, b) 3 times, (space, a) 2 → ab; then (space, ab) 2 → " ab"; nothing crosses words
def test_a_merge_never_crosses_a_word() -> None:
    tokenizer = learnt(["ab ab ab"], 5)
    assert merges(tokenizer) == [("a", "b"), ("Ġ", "ab")]
    assert tokenizer.encode("ab ab").ids.tolist() == [257, 258]
    assert tokenizer.encode("b a").ids.tolist() == [B, SPACE, A]


# 中 is E4 B8 AD, written ä ¸ Ń; both pairs are there 3 times and ¸ is the lowest letter → ¸Ń (257), then ä¸Ń (258)
def test_a_frequent_chinese_character_becomes_one_token() -> None:
    tokenizer = learnt(["中 中 中"], 2)
    assert merges(tokenizer) == [("¸", "Ń"), ("ä", "¸Ń")]
    encoding = tokenizer.encode("中")
    assert (encoding.ids.tolist(), encoding.offsets.tolist()) == ([258], [[0, 1]])
    assert tokenizer.byte_lengths[[257, 258]].tolist() == [2, 3]


# 席 is E5 B8 AD, of which the last two bytes are a token
def test_tokens_that_share_a_character_share_its_place() -> None:
    encoding = learnt(["中 中 中"], 2).encode("a席")
    assert encoding.ids.tolist() == [A, 1 + sorted(byte_alphabet()).index("å"), 257]
    assert encoding.offsets.tolist() == [[0, 1], [1, 2], [1, 2]]


@pytest.mark.parametrize(("pattern", "tokens"), [("gpt2", 1), ("qwen2", 4)])
def test_digits_are_merged_with_the_pattern_of_gpt2_and_not_with_that_of_qwen2(pattern: str, tokens: int) -> None:
    assert len(learnt(["2026 2026 2026"], 4, pattern).encode("2026").ids) == tokens


def test_text_gives_out_before_the_vocabulary_is_full() -> None:
    assert learnt(["ab"], 1000).vocabulary.size == 258


def test_fewer_merges_are_a_cut_of_more() -> None:
    texts = [*ENGLISH, *CHINESE]
    large = learnt(texts, 311)
    for count in (0, 1, 53, 311):
        small = learnt(texts, count)
        cut = large.truncated(257 + count)
        assert cut.vocabulary.size == 257 + count
        assert merges(cut) == merges(small)
        assert cut.encode(ENGLISH[0]).ids.tolist() == small.encode(ENGLISH[0]).ids.tolist()


# short words over two letters, where the same string may come of two pairs
@settings(max_examples=40, deadline=None)
@given(words=st.lists(st.text("ab", min_size=1, max_size=11), min_size=1, max_size=7), count=st.integers(1, 11))
def test_a_cut_is_what_would_have_been_learnt_with_so_many_merges(words: list[str], count: int) -> None:
    text = " ".join(words)
    small, large = learnt([text], count), learnt([text], 13)
    assume(large.kind == "bpe")  # a single letter has nothing to merge
    cut = large.truncated(257 + count)
    assert merges(cut) == merges(small)
    assert cut.vocabulary == small.vocabulary


def test_a_cut_keeps_at_least_the_bytes() -> None:
    with pytest.raises(UsageError, match="a bpe vocabulary has at least 257 tokens, asked for 256"):
        learnt(["aab aab"], 2).truncated(256)
    for kind in ("bytes", "words", "unigram"):
        tokenizer = trained(kind)
        assert isinstance(tokenizer, FastTokenizer)
        with pytest.raises(UsageError, match=f"only a bpe tokenizer can be cut to fewer merges, this is {kind}"):
            tokenizer.truncated(300)


def slow_ids(tokenizer: FastTokenizer, text: str) -> list[int]:
    """Sennrich et al. 2016, algorithm 1, as it is defined: again and again the earliest learnt pair, everywhere."""
    rank = {pair: index for index, pair in enumerate(merges(tokenizer))}
    vocabulary = tokenizer.core.get_vocab()
    found = []
    for word, _ in tokenizer.core.pre_tokenizer.pre_tokenize_str(text):
        parts = list(word)
        while pairs := [pair for pair in itertools.pairwise(parts) if pair in rank]:
            first = min(pairs, key=lambda pair: rank[pair])
            index = 0
            while index < len(parts) - 1:
                if (parts[index], parts[index + 1]) == first:
                    parts[index : index + 2] = ["".join(first)]
                index += 1
        found += [vocabulary[part] for part in parts]
    return found


@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_ids_are_those_of_the_definition(text: str) -> None:
    tokenizer = trained("bpe")
    assert isinstance(tokenizer, FastTokenizer)
    assert tokenizer.encode(text).ids.tolist() == slow_ids(tokenizer, text)


def test_merges_are_learnt_from_a_sample_and_the_rest_of_the_text_still_goes_through() -> None:
    tokenizer = TOKENIZER.train(["ab" * 50, "塔楼" * 50], BpeConfig(vocab_size=300, sample_bytes=1))
    assert len({set(left + right) <= set("ab") for left, right in merges(tokenizer)}) == 1
    assert tokenizer.decode(tokenizer.encode("ab塔楼").ids) == "ab塔楼"


def test_the_end_token_is_the_first_and_text_that_spells_it_is_text() -> None:
    tokenizer = learnt([END * 20], 100)
    assert tokenizer.core.token_to_id(END) == 0
    assert 0 not in tokenizer.encode(END).ids
    assert tokenizer.decode(tokenizer.encode(END).ids) == END
    assert tokenizer.decode([0, *tokenizer.encode("a").ids, 0]) == "a"
