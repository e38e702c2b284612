"""Our n-gram models, written as ARPA files, say in KenLM what they say here."""

import contextlib
import gzip
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.texts import documents
from tests.fakes.token_streams import MemoryStream
from ziggurat.artefacts.interchange.arpa import read_arpa, write_arpa
from ziggurat.core.errors import InputError
from ziggurat.core.types import Vocabulary
from ziggurat.models.ngram import FAMILY, NgramConfig, NgramLanguageModel
from ziggurat.training import count
from ziggurat.training.job import Job

kenlm = pytest.importorskip("kenlm")

WORDS = ["<|endoftext|>", "<unk>", *["alpha", "beta", "gamma", "delta", "塔", "楼", "don't", "ü"]]
VOCABULARY = Vocabulary(size=len(WORDS), bos=0, eos=0, unk=1)


def counted(sentences: list[list[int]], vocabulary: Vocabulary, **keys: Any) -> NgramLanguageModel:
    stream = MemoryStream.of(sentences, vocabulary)
    model = count.fit(Job(FAMILY, NgramConfig(**keys), count.Config(), stream, None, 0)).model
    assert isinstance(model, NgramLanguageModel)
    return model


def score(model: NgramLanguageModel, ids: list[int]) -> float:
    """log10 of the probability of a sentence and its end."""
    row = np.array([[0, *ids, 0]], np.int32)
    return float(model.score(row, np.array([row.size], np.int32))[0]) / math.log(10)


SENTENCES = st.lists(st.lists(st.integers(2, len(WORDS) - 1), max_size=9), min_size=3, max_size=17)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sentences=SENTENCES,
    queries=st.lists(st.lists(st.integers(1, len(WORDS) - 1), max_size=9), max_size=5),
    order=st.integers(2, 5),
    prune=st.sampled_from([(0,), (0, 0, 1), (0, 1)]),
)
def test_random_small_models(
    sentences: list[list[int]], queries: list[list[int]], order: int, prune: tuple[int, ...], tmp_path: Path
) -> None:
    model = counted(sentences, VOCABULARY, order=order, prune=prune, discounts=(0.5, 1.0, 1.5))
    path = tmp_path / "model.arpa"
    write_arpa(model, WORDS, path)
    peer = kenlm.Model(str(path))
    for ids in [*queries, *sentences]:
        text = " ".join(WORDS[index] for index in ids)
        assert score(model, ids) == pytest.approx(peer.score(text), abs=2e-4)
    again, words = read_arpa(path)
    numbers = {word: number for number, word in enumerate(words)}
    for ids in queries:
        mapped = [numbers[WORDS[index]] for index in ids]
        assert score(again, mapped) == pytest.approx(score(model, ids), abs=1e-4)


def test_each_word_s_probability_and_how_long_its_context_was(tmp_path: Path) -> None:
    sentences = [[2, 3, 4], [2, 3, 5], [2, 3, 4, 6], [7, 8, 9]] * 3
    model = counted(sentences, VOCABULARY, order=3, discounts=(0.5, 1.0, 1.5))
    path = tmp_path / "model.arpa"
    write_arpa(model, WORDS, path)
    peer = kenlm.Model(str(path))
    ids = [2, 3, 4, 6, 1, 9]
    row = np.array([[0, *ids, 0]], np.int32)
    ours = model.token_logprobs(row, np.array([row.size], np.int32))[0] / math.log(10)
    theirs = [one for one, _, _ in peer.full_scores(" ".join(WORDS[index] for index in ids))]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_real_text_of_many_words(shared_data: Path, tmp_path: Path) -> None:
    file = shared_data / "novels" / "dev.jsonl.gz"
    with gzip.open(file, "rt", encoding="utf-8") as records:
        text = json.loads(next(records))["text"][:400_000].lower()
    lines = [re.findall(r"[^\W\d_]+|\d+", paragraph) for paragraph in text.split("\n")]
    lines = [line for line in lines if line]
    train, held_out = lines[: len(lines) * 9 // 10], lines[len(lines) * 9 // 10 :]
    words = ["<|endoftext|>", "<unk>", *sorted({word for line in train for word in line})]
    numbers = {word: number for number, word in enumerate(words)}
    vocabulary = Vocabulary(size=len(words), bos=0, eos=0, unk=1)
    model = counted([[numbers[word] for word in line] for line in train], vocabulary, order=5)
    path = tmp_path / "model.arpa"
    write_arpa(model, words, path)
    peer = kenlm.Model(str(path))
    assert peer.order == 5
    for line in held_out[:400]:
        ours = score(model, [numbers.get(word, 1) for word in line])
        assert ours == pytest.approx(peer.score(" ".join(line)), abs=2e-3, rel=1e-5)


def test_characters_and_their_spaces_survive(tmp_path: Path) -> None:
    letters = sorted({letter for text in documents(7) for letter in text})
    words = ["<|endoftext|>", *letters]
    numbers = {letter: number for number, letter in enumerate(words)}
    texts = [[numbers[letter] for letter in text] for text in documents(7)]
    model = counted(texts, Vocabulary(size=len(words), bos=0, eos=0), order=6)
    path = tmp_path / "model.arpa"
    write_arpa(model, words, path)
    peer = kenlm.Model(str(path))
    query = "the river at dawn"
    spelled = " ".join("<0x20>" if letter == " " else letter for letter in query)
    assert score(model, [numbers[letter] for letter in query]) == pytest.approx(peer.score(spelled), abs=1e-3)


HEAD = "\\data\\\nngram 1=3\nngram 2=1\n\n"
UNIGRAMS = "\\1-grams:\n-99\t<s>\t-0.3\n-0.3\t</s>\n-0.3\ta\t0\n\n"
BIGRAMS = "\\2-grams:\n-0.1\t<s> a\n\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":0: not an ARPA file"),
        ("some text\n", ":1: not an ARPA file"),
        ("\\data\\\nngram one=3\n", ":2: expected 'ngram 1=COUNT', found 'ngram one=3'"),
        ("\\data\\\nngram 1=3\nngram 3=1\n", ":3: expected 'ngram 2=COUNT'"),
        ("\\data\\\n\\2-grams:\n", ":2: expected '\\1-grams:' after the counts"),
        ("\\data\\\nngram 1=99999999999\n\n\\1-grams:\n", "the header announces 99,999,999,999 n-grams, more than"),
        (HEAD + UNIGRAMS.replace("-0.3\ta\t0\n", "") + BIGRAMS + "\\end\\\n", "announced, 2 are there"),
        (HEAD + UNIGRAMS + BIGRAMS, "expected '\\end\\', the file ends: it was cut off"),
        (HEAD + UNIGRAMS + "\\3-grams:\n", ":10: expected '\\2-grams:', found '\\3-grams:'"),
        (HEAD + UNIGRAMS + BIGRAMS.replace("<s> a", "<s> b") + "\\end\\\n", ":11: a word is not among the unigrams"),
        (HEAD + UNIGRAMS + BIGRAMS.replace("-0.1", "x") + "\\end\\\n", ":11: a logarithm is not a number"),
        (HEAD + UNIGRAMS + BIGRAMS.replace("-0.1", "0.1") + "\\end\\\n", ":11: a log-probability is above 0"),
        (HEAD + UNIGRAMS + BIGRAMS.replace("<s> a", "a") + "\\end\\\n", ":11: "),
        (HEAD + UNIGRAMS.replace("\ta\t", "\t</s>\t") + BIGRAMS + "\\end\\\n", "stands twice among the unigrams"),
        (HEAD + UNIGRAMS.replace("</s>", "b") + BIGRAMS + "\\end\\\n", "the model can't end a text"),
    ],
)
def test_a_malformed_file_is_named_by_its_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.arpa"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_arpa(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_bytes_changed_at_random_never_crash(data: st.DataObject, tmp_path: Path) -> None:
    whole = bytearray((HEAD + UNIGRAMS + BIGRAMS + "\\end\\\n").encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(whole) - 1))
        how = data.draw(st.sampled_from(["cut", "set", "drop"]))
        if how == "cut":
            whole = whole[: max(1, place)]
        elif how == "set":
            whole[place] = data.draw(st.integers(0, 255))
        else:
            whole = whole[:place] + whole[place + 1 :] or bytearray(b"x")
    path = tmp_path / "fuzzed.arpa"
    path.write_bytes(whole)
    with contextlib.suppress(InputError):  # any other exception would end the test
        model, words = read_arpa(path)
        assert model.vocabulary.size == len(words)
