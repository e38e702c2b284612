"""Word vectors of a climb: how many passes, which words are shown, and what is said of them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from tests.fakes.token_streams import MemoryStream
from ziggurat.artefacts.bundle import load
from ziggurat.core.errors import MissingExtraError
from ziggurat.core.types import Vocabulary
from ziggurat.study import cooccurrence
from ziggurat.study.clock import Clock
from ziggurat.study.entrants import Entry
from ziggurat.study.result import WordSpace
from ziggurat.study.word_space import Spread, learn_words, passes, rare, spreads, telling_words
from ziggurat.text.corpus import Corpus
from ziggurat.use.vectors import Vectors


def test_passes_by_hand() -> None:
    # 7 s × 500 000 words a second / 800 000 words = 4.375
    assert passes(7.0, 800_000) == 4
    # at least one, however long the text; at most 25, however short
    assert passes(7.0, 10**9) == 1
    assert passes(7.0, 3) == passes(7.0, 0) == 25


def test_a_longer_text_asks_more_of_a_word() -> None:
    assert [rare(size) for size in (0, 2_999_999, 3_000_000, 4_000_000, 5_000_000, 10**12)] == [2, 2, 3, 4, 5, 5]


def test_spread_by_hand() -> None:
    # ids 2 "of" in all four documents, 3 "tower" thrice in one of them, 4 "sea" once in two of them
    stream = MemoryStream.of([[2, 3, 3, 3], [2, 4], [2, 4], [2, 2]], Vocabulary(size=5, bos=0, eos=0, unk=1))
    of, tower, sea = spreads(["of", "tower", "sea"], stream, 2)
    assert [(one.word, one.count) for one in (of, tower, sea)] == [("of", 5), ("tower", 3), ("sea", 2)]
    # −log2(d / 4) + log2(1 − e^(−n / 4))
    assert of.residual_bits == pytest.approx(0 + math.log2(1 - math.exp(-5 / 4)))
    assert tower.residual_bits == pytest.approx(2 + math.log2(1 - math.exp(-3 / 4)))
    assert sea.residual_bits == pytest.approx(1 + math.log2(1 - math.exp(-2 / 4)))
    assert tower.residual_bits > sea.residual_bits > of.residual_bits


def test_spread_is_the_same_however_little_of_the_text_is_looked_at_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(0)
    texts = [dice.integers(1, 13, size).tolist() for size in (5, 0, 17, 1, 3, 11)]
    stream, words = MemoryStream.of(texts, Vocabulary(size=13, bos=0, eos=0, unk=1)), [f"w{n}" for n in range(2, 13)]
    whole = spreads(words, stream, 2)
    assert [one.count for one in whole] == [sum(text.count(n) for text in texts) for n in range(2, 13)]
    for tokens in (1, 7, 19):
        monkeypatch.setattr(cooccurrence, "CHUNK_TOKENS", tokens)
        assert spreads(words, stream, 2) == whole


def test_words_that_a_text_is_about_come_by_frequency() -> None:
    # ten words occur often enough: the first two, a fifth, are passed over; "7th" and "x" are no words of letters;
    # six are left, of which the quarter with the highest residual is two
    found = [
        Spread("the", 900, 9.0),
        Spread("and", 800, 9.0),
        Spread("7th", 700, 9.0),
        Spread("x", 600, 9.0),
        Spread("stone", 500, 2.0),
        Spread("with", 400, 0.1),
        Spread("very", 300, 0.0),
        Spread("台阶", 200, 3.0),
        Spread("late", 100, 1.0),
        Spread("soon", 20, 1.5),
        Spread("hapax", 19, 99.0),
    ]
    assert [one.word for one in telling_words(found, 12)] == ["stone", "台阶"]
    assert [one.word for one in telling_words(found, 1)] == ["stone"]
    assert telling_words(found[-1:], 12) == []


def test_only_the_thousand_most_frequent_are_looked_at() -> None:
    letters = "abcdefghij"
    names = ["".join(letters[int(digit)] for digit in f"{number:04d}") for number in range(1500)]
    found = [Spread(name, 2000 - number, float(number)) for number, name in enumerate(names)]
    shown = telling_words(found, 300)
    # 1000 less a fifth: 800; a quarter of them: 200, those with the highest residual, which are the last
    assert [one.word for one in shown] == names[800:1000]


# -- from a text ------------------------------------------------------------------------------------------------------


def learnt(
    folder: Path, texts: list[str], minutes: float = 0.2, **options: str
) -> tuple[WordSpace | None, Corpus, Path]:
    corpus = prepared(
        folder, write_lines(folder / "a.jsonl", [json.dumps({"text": text}) for text in texts]), **options
    )
    entry = Entry(("a.jsonl",), folder / "run", minutes, "title", "ziggurat climb a.jsonl", seed=3)
    return learn_words(entry, corpus, Clock(60 * minutes), lambda event: None), corpus, entry.folder


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> tuple[WordSpace, Corpus, Path]:
    found, corpus, folder = learnt(tmp_path_factory.mktemp("space"), documents(79))
    assert found is not None
    return found, corpus, folder


def test_what_is_said_of_the_words_is_so(space: tuple[WordSpace, Corpus, Path]) -> None:
    found, corpus, folder = space
    vectors = Vectors.of(load(folder / found.bundle, verify=True))
    assert (found.words, found.width) == (len(vectors), vectors.width)
    # 3 % of 0.2 minutes are 0.36 s, and tokens are running words and one end of text a document, and one more
    assert found.epochs == passes(0.36, found.running_words + len(corpus.train) + 1) > 1
    assert 0 < found.covered <= 1
    # numbers at the beginning of documents are each seen once, so they have no vector
    text = " ".join(document.text for document in corpus.train)
    assert found.least_count == 2
    assert found.running_words >= len(text.split())
    for one in found.neighbourhoods:
        assert one.count == sum(word.strip(".") == one.word for word in text.lower().split())
        answers = [(word, pytest.approx(cosine, abs=1e-5)) for word, cosine in vectors.nearest(one.word, count=6)]
        assert list(one.nearest) == answers
        assert len(one.nearest) == 6


def test_the_loss_is_that_of_a_model_which_learnt(space: tuple[WordSpace, Corpus, Path]) -> None:
    found, _, _ = space
    # one true and five drawn neighbours told apart by chance: 6 · ln 2 = 4.159
    assert 0 < found.loss < 6 * math.log(2)
    assert found.dev_loss is not None
    assert 0 < found.dev_loss < 6 * math.log(2)


def test_the_map_holds_the_shown_words_and_those_near_them(space: tuple[WordSpace, Corpus, Path]) -> None:
    found, _, _ = space
    shown = {one.word for one in found.neighbourhoods}
    near = {word for one in found.neighbourhoods for word, _ in one.nearest}
    assert {place.word for place in found.places} == shown | near
    assert {place.group for place in found.places} <= shown
    assert all(np.isfinite([place.x, place.y]).all() for place in found.places)
    assert found.layout in ("pca", "tsne")
    assert 0 <= found.trust <= 1


def test_the_same_seed_learns_the_same(space: tuple[WordSpace, Corpus, Path], tmp_path: Path) -> None:
    again, _, _ = learnt(tmp_path, documents(79))
    first, _, _ = space
    assert again is not None
    assert (again.neighbourhoods, again.places, again.loss) == (first.neighbourhoods, first.places, first.loss)


def test_chinese_has_words_too(tmp_path: Path) -> None:
    found, corpus, _ = learnt(tmp_path, documents(97, chinese=True))
    assert found is not None
    text = "".join(document.text for document in corpus.train)
    for one in found.neighbourhoods:
        assert one.word in text
        assert len(one.word) > 1


def test_a_text_without_two_words_has_no_space(tmp_path: Path) -> None:
    texts = [" ".join(["seen" + chr(number) + "once", *["tower"] * number]) for number in range(0x430, 0x450)]
    found, _, _ = learnt(tmp_path, texts, duplicates="keep")
    assert found is None


def test_chinese_without_the_extra_is_learnt_by_characters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingExtraError("cutting Chinese into words", "zh")

    monkeypatch.setattr("ziggurat.tokens.chinese.installed", lambda: False)
    monkeypatch.setattr("ziggurat.tokens.chinese.require", missing)
    found, corpus, folder = learnt(tmp_path, documents(97, chinese=True))
    assert found is not None
    assert 'split = "unicode"' in (folder / "skipgram" / "recipe.toml").read_text(encoding="utf-8")
    characters = {letter for document in corpus.train for letter in document.text if "\u4e00" <= letter <= "\u9fff"}
    assert characters <= set(Vectors.of(load(folder / found.bundle)).vocabulary_words)
    # a character alone says too little to be shown
    assert (found.neighbourhoods, found.places) == ((), ())
