"""Which tokens belong to one word: English, Chinese, and every tokenizer's own pieces."""

import builtins
import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from tests.fakes.tokenizers import TEXTS, VARIANTS, trained
from ziggurat.core.errors import DamagedError, MissingExtraError
from ziggurat.core.types import Document
from ziggurat.tokens import chinese
from ziggurat.tokens.store import write_store
from ziggurat.tokens.word_marks import continued, open_marks, word_numbers, write_marks
from ziggurat.tokens.wordpiece import TOKENIZER, WordpieceConfig

needs_chinese = pytest.mark.skipif(not chinese.installed(), reason="the packages of the extra zh are not installed")


def words(text: str) -> list[str]:
    """The words that a text is said to have, in order."""
    numbers = word_numbers(text)
    cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(text)]
    parts = [text[start:stop] for start, stop in itertools.pairwise(cuts)]
    return [part for part in parts if part.strip()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The old  mason.", ["The", "old", "mason", "."]),
        ("it's O’Brien's, isn't it?!", ["it's", "O’Brien's", ",", "isn't", "it", "?", "!"]),
        ("a well-known_word 3.14", ["a", "well", "-", "known", "_", "word", "3", ".", "14"]),
        ("'quoted' naïve", ["'", "quoted", "'", "naïve"]),
        ("", []),
        (" \n", []),
    ],
)
def test_english_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@needs_chinese
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("她的妹妹登上塔楼。", ["她", "的", "妹妹", "登上", "塔楼", "。"]),
        ("北京 大学", ["北京", "大学"]),
        ("我买T恤", ["我", "买", "T", "恤"]),
        ("the 塔楼 tower", ["the", "塔楼", "tower"]),
    ],
)
def test_chinese_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_chinese_without_its_packages_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chinese, "installed", lambda: False)
    assert word_numbers("no Han here").max() == 2
    with pytest.raises(MissingExtraError, match=r"whole words of Chinese \(whole_words = false .*ziggurat\[zh\]"):
        word_numbers("a 塔")


def test_pieces_of_a_wordpiece_tokenizer() -> None:
    # letters t o w e r i n g s and pairs up to "tow" and "##er": towers = tow ##er ##s
    tokenizer = TOKENIZER.train(["tow tow tow er"], WordpieceConfig(vocab_size=60))
    encoding = tokenizer.encode("tower, tow-er")
    pieces = [tokenizer.core.id_to_token(index) for index in encoding.ids.tolist()]
    goes_on = continued("tower, tow-er", encoding).tolist()
    assert [str(piece).startswith("##") for piece in pieces] == goes_on


@needs_chinese
def test_single_characters_of_a_chinese_word_go_together() -> None:
    tokenizer = trained("wordpiece specials=bert")
    text = "她的妹妹登上塔楼"
    encoding = tokenizer.encode(text)
    assert len(encoding.ids) == len(text)
    assert continued(text, encoding).tolist() == [False, False, False, True, False, True, False, True]


@pytest.mark.parametrize("kind", VARIANTS)
@settings(max_examples=20, deadline=None)
@given(text=TEXTS)
def test_a_token_goes_on_a_word_only_where_both_end_in_it(kind: str, text: str) -> None:
    if chinese.has_han(text) and not chinese.installed():
        return
    encoding = trained(kind).encode(text)
    goes_on, numbers = continued(text, encoding), word_numbers(text)
    assert goes_on.shape == (len(encoding.ids),)
    last = [numbers[stop - 1] for _, stop in encoding.offsets.tolist()]
    assert goes_on[:1].tolist() in ([], [False])
    for place in range(1, len(last)):
        assert bool(goes_on[place]) == (last[place] == last[place - 1] >= 0)


@pytest.mark.parametrize("kind", ["wordpiece", "wordpiece specials=bert", "bpe"])
def test_marks_stand_beside_the_ids_that_they_are_of(kind: str, tmp_path: Path) -> None:
    tokenizer = trained(kind)
    texts = ["The stranger's towers climb.", "", "unheard-of stonemasonry"]
    documents = [Document(str(number), text) for number, text in enumerate(texts)]
    store = write_store(tokenizer, documents, tmp_path / "store")
    marks = write_marks(tokenizer, documents, tmp_path / "marks", store)
    assert marks.shape == store.tokens.shape
    assert not marks[np.isin(store.tokens, [store.vocabulary.bos, store.vocabulary.eos])].any()
    for number, text in enumerate(texts):
        start = int(store.starts[number]) + 1
        expected = continued(text, tokenizer.encode(text))
        assert marks[start : start + len(expected)].tolist() == expected.tolist()
    again = open_marks(tmp_path / "marks", store)
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(again, marks)


@pytest.mark.parametrize("kind", ["wordpiece", "bpe"])
@pytest.mark.parametrize("change", ["fewer", "more", "longer"])
def test_documents_that_are_not_those_of_the_store_are_refused(kind: str, change: str, tmp_path: Path) -> None:
    tokenizer = trained(kind)
    documents = [Document("a", "the tower"), Document("b", "a stranger")]
    store = write_store(tokenizer, documents, tmp_path / "store")
    others = {
        "fewer": documents[:1],
        "more": [*documents, Document("c", "")],
        "longer": [documents[0], Document("b", "a stranger climbs")],
    }
    with pytest.raises(DamagedError, match="the token store beside it is of other documents"):
        write_marks(tokenizer, others[change], tmp_path / "marks", store)
    assert not (tmp_path / "marks").exists()


def test_marks_are_written_a_document_at_a_time(tmp_path: Path) -> None:
    tokenizer = trained("wordpiece")
    text = "the tower climbs " * 300

    def many() -> Iterator[Document]:
        yield from (Document(str(number), text) for number in range(200))

    store = write_store(tokenizer, many(), tmp_path / "store")
    tracemalloc.start()
    marks = write_marks(tokenizer, many(), tmp_path / "marks", store)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(marks) > 180_000
    assert most < 180_000


def test_marks_of_another_store_are_refused(tmp_path: Path) -> None:
    tokenizer = trained("wordpiece")
    documents = [Document("a", "the tower"), Document("b", "a stranger")]
    store = write_store(tokenizer, documents, tmp_path / "store")
    write_marks(tokenizer, documents, tmp_path / "marks", store)
    fewer = write_store(tokenizer, documents[:1], tmp_path / "fewer")
    for path, of in ((tmp_path / "marks", fewer), (tmp_path / "nothing", store)):
        with pytest.raises(DamagedError, match=r"continued\.bin: damaged: it does not belong to the token store"):
            open_marks(path, of)


def test_chinese_tools_are_not_loaded_for_english(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        assert name not in chinese.PACKAGES
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert word_numbers("only Latin letters, naïve ones too").max() == 6
