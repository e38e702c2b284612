"""Phrases by hand, against the definition, and as gensim 4.4 finds them."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from ziggurat.tokens import phrases
from ziggurat.tokens.phrases import Joiner, PhraseRules, find_phrases, join_few

Sentence = list[str]


def found(
    sentences: list[Sentence], rules: PhraseRules, *, never: str = ""
) -> tuple[list[list[tuple[str, str]]], list[Sentence]]:
    """Return the phrases of each pass, and the sentences with them joined."""
    names = ["", *sorted({word for sentence in sentences for word in sentence})]
    number = {name: index for index, name in enumerate(names)}
    stream = np.array([n for sentence in sentences for n in (*(number[word] for word in sentence), 0)], np.int32)
    passes, stream = find_phrases(stream, names, [name not in ("", *never) for name in names], rules)
    ends = np.flatnonzero(stream == 0)
    return passes, [[names[n] for n in part[:-1]] for part in np.split(stream, ends + 1)[:-1]]


# new 3, york 3, is 2, big 3, the 1: N = 12. new york 3, york is 2, is big 2, the big 1, big new 1
#   new york (3 − 1)·12 / (3·3) = 2.67    york is (2 − 1)·12 / (3·2) = 2    is big 2    big new (1 − 1) … = 0
SENTENCES = [["new", "york", "is", "big"], ["new", "york", "is", "big", "new", "york"], ["the", "big"]]


@pytest.mark.parametrize(
    ("threshold", "expected", "sentence"),
    [
        (2.7, [], ["new", "york", "is", "big", "new", "york"]),
        (2.5, [[("new", "york")]], ["new_york", "is", "big", "new_york"]),
        # from left to right: new york is taken before york is
        (1.9, [[("new", "york"), ("is", "big"), ("york", "is")]], ["new_york", "is_big", "new_york"]),
    ],
)
def test_equation_6_by_hand(threshold: float, expected: list[list[tuple[str, str]]], sentence: Sentence) -> None:
    passes, joined = found(SENTENCES, PhraseRules(1, threshold, 1))
    assert passes == expected
    assert joined[1] == sentence


# after the first pass at 2.5: new_york 3, is 2, big 3, the 1: N = 9; new_york is (2 − 1)·9 / (3·2) = 1.5 and so is big
def test_the_second_pass_counts_what_the_first_has_joined() -> None:
    first, _ = found(SENTENCES, PhraseRules(1, 2.5, 1))
    assert first == [[("new", "york")]]
    _, joined = found(found(SENTENCES, PhraseRules(1, 2.5, 1))[1], PhraseRules(1, 1.4, 1))
    assert joined == [["new_york_is", "big"], ["new_york_is", "big", "new_york"], ["the", "big"]]
    both, _ = found(SENTENCES, PhraseRules(2, 1.9, 1))
    assert both == [[("new", "york"), ("is", "big"), ("york", "is")]]  # the second pass found none, so there is none


def test_a_score_equal_to_the_threshold_is_not_above_it() -> None:
    # a 2, b 2: N = 4; (2 − 1)·4 / (2·2) = 1
    assert found([["a", "b"], ["a", "b"]], PhraseRules(1, 1.0, 1))[0] == []
    assert found([["a", "b"], ["a", "b"]], PhraseRules(1, 0.99, 1))[0] == [[("a", "b")]]


def test_what_may_not_join_is_in_no_phrase_and_parts_what_stands_around_it() -> None:
    sentences = [["a", ",", "b"], ["a", ",", "b"], ["c", "d"], ["c", "d"]]
    passes, joined = found(sentences, PhraseRules(1, 1.0, 0), never=",")
    assert passes == [[("c", "d")]]
    assert joined[0] == ["a", ",", "b"]


def test_no_phrase_reaches_over_the_end_of_a_text() -> None:
    assert found([["a"], ["b"]] * 3, PhraseRules(1, 0.1, 0))[0] == []


def test_equal_scores_come_in_the_order_of_their_spelling() -> None:
    passes, _ = found([["d", "c"], ["a", "b"], ["a", "c"], ["d", "b"]], PhraseRules(1, 0.1, 0))
    assert passes == [[("a", "b"), ("a", "c"), ("d", "b"), ("d", "c")]]


# gensim 4.4: Phrases(sentences, min_count=3, threshold=1.5, scoring="default", connector_words=frozenset()), twice;
# its score has the size of its table (150 and 128 words and pairs) where ours has N (2150 and 1594 words)
GENSIM_SCORES = {
    ("once", "more"): 3.390838786436645,
    ("every", "word"): 3.244997295835587,
    ("her", "sister"): 2.9877772747849707,
    ("long", "road"): 2.9296875,
    ("at", "dawn"): 2.873802582257393,
    ("white", "stone"): 2.82,
    ("his", "three"): 2.768166089965398,
    ("old", "mason"): 2.768166089965398,
    ("three", "sons"): 2.768166089965398,
    ("in", "silence"): 2.535076530612245,
    ("great", "care"): 2.413099683998851,
    ("with", "great"): 2.413099683998851,
    ("seventh", "step"): 2.3380811609782315,
}
GENSIM_COUNTS = {
    "the": 318, "a": 95, "seventh_step": 61, "with_great_care": 59, "tower": 58, "in_silence": 56, "crosses": 54,
    "remembers": 52, "river": 52, "counts": 51, "his_three_sons": 51, "old_mason": 51, "white_stone": 50,
    "at_dawn": 49, "before": 48, "climbs": 48, "forgets": 48, "long_road": 48, "rain": 48, "her_sister": 47,
    "stranger": 45, "every_word": 43, "once_more": 41,
}  # fmt: skip


def test_gensim_finds_the_same_phrases() -> None:
    sentences = [[w.strip(".") for w in s.split()] for text in documents(11, seed=3) for s in text.split(". ")]
    assert sum(map(len, sentences)) == 2150
    for least, score in [(score - 1e-6, score) for score in GENSIM_SCORES.values()]:
        above = {pair for pair, other in GENSIM_SCORES.items() if other > least}
        passes, _ = found(sentences, PhraseRules(1, least * 2150 / 150, 3))
        assert set(passes[0]) == above
        assert next(iter(GENSIM_SCORES)) == passes[0][0], score
    _, once = found(sentences, PhraseRules(1, 1.5 * 2150 / 150, 3))
    assert sum(map(len, once)) == 1594
    _, twice = found(once, PhraseRules(1, 1.5 * 1594 / 128, 3))
    counts = Counter(word for sentence in twice for word in sentence)
    assert {word: count for word, count in counts.items() if count > 1} == GENSIM_COUNTS


def by_definition(sentences: list[Sentence], rules: PhraseRules) -> tuple[list[list[tuple[str, str]]], list[Sentence]]:
    passes = []
    for _ in range(rules.passes):
        words = Counter(word for sentence in sentences for word in sentence)
        pairs = Counter(pair for sentence in sentences for pair in itertools.pairwise(sentence))
        total = sum(words.values())
        scores = {
            (a, b): (count - rules.discount) * total / (words[a] * words[b])
            for (a, b), count in pairs.items()
            if count > rules.discount
        }
        good = sorted((pair for pair in scores if scores[pair] > rules.threshold), key=lambda p: (-scores[p], p))
        if not good:
            break
        passes.append(good)
        joined = []
        for sentence in sentences:
            out: Sentence = []
            place = 0
            while place < len(sentence):
                pair = tuple(sentence[place : place + 2])
                out.append("_".join(pair) if pair in good else sentence[place])
                place += 2 if pair in good else 1
            joined.append(out)
        sentences = joined
    return passes, sentences


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefg"), max_size=13), max_size=7),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.7, 1.3, 2.1]),
    st.integers(0, 2),
)
def test_phrases_against_the_definition(
    sentences: list[Sentence], passes: int, threshold: float, discount: int
) -> None:
    rules = PhraseRules(passes, threshold, discount)
    assert found(sentences, rules) == by_definition(sentences, rules)


@pytest.mark.parametrize("threads", ["1", "3"])
def test_pairs_that_do_not_fit_are_counted_in_further_readings(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    generator = np.random.default_rng(5)
    sentences = [[str(n) for n in generator.integers(0, 97, 101)] for _ in range(37)]
    whole = found(sentences, PhraseRules(2, 1.5, 1))
    assert len(whole[0][0]) > 101
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    monkeypatch.setattr(phrases, "MOST_SLOTS", 256)  # of some 3,000 different pairs
    assert found(sentences, PhraseRules(2, 1.5, 1)) == whole


def test_joining_in_a_stream_and_in_a_list_is_the_same() -> None:
    pairs = {(1, 2): 4, (2, 3): 5, (3, 3): 6}
    stream = [1, 2, 3, 0, 2, 3, 3, 3, -1, 1, -2, 2, 1]
    # 1 2 → 4; 2 3 → 5; 3 3 → 6; what is below 1 parts; the last 1 has no right neighbour
    expected = [4, 3, 0, 5, 6, -1, 1, -2, 2, 1]
    joined = Joiner(list(pairs), list(pairs.values()), 7).join(np.array(stream, np.int32))
    assert joined.tolist() == expected
    few = join_few([(number, [place]) for place, number in enumerate(stream)], pairs)
    assert [number for number, _ in few] == expected
    assert [parts for _, parts in few] == [[0, 1], [2], [3], [4, 5], [6, 7], [8], [9], [10], [11], [12]]
