"""A prepared text by hand: which documents are held out, what the facts and the ledger say, where long ones are cut."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import Document, Event
from ziggurat.text.corpus import Corpus, prepare
from ziggurat.text.ledger import read_ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.splits import DEV, TEST, TRAIN, assign


def everything(corpus: Corpus) -> list[Document]:
    return [document for part in (corpus.train, corpus.dev, corpus.test) for document in part]


def as_records(texts: list[str]) -> list[str]:
    return [json.dumps({"id": str(number), "text": text}, ensure_ascii=False) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("sizes", "options", "expected"),
    [
        # hashes are 0 … 9: test takes from the lowest until a tenth of 10,000 is reached, then dev
        ([1000] * 10, {}, [TEST, DEV, *[TRAIN] * 8]),
        ([400, 600, *[1000] * 9], {}, [TEST, TEST, DEV, *[TRAIN] * 8]),
        ([999, 1, 1000, *[1000] * 8], {}, [TEST, TEST, DEV, *[TRAIN] * 8]),
        # the document that passes the limit still belongs to it: 0.1 of 12,000 is 1200
        ([1000] * 12, {}, [TEST, TEST, DEV, DEV, *[TRAIN] * 8]),
        ([1000] * 10, {"test": 0.0}, [DEV, *[TRAIN] * 9]),
        ([1000] * 10, {"dev": 0.0}, [TEST, *[TRAIN] * 9]),
        ([1000] * 10, {"dev": 0.0, "test": 0.0}, [TRAIN] * 10),
        ([1000] * 10, {"dev": 0.3, "test": 0.2}, [TEST, TEST, DEV, DEV, DEV, *[TRAIN] * 5]),
        ([2000] * 20, {"held_out_bytes": 3000}, [TEST, TEST, DEV, DEV, *[TRAIN] * 16]),
    ],
)
def test_the_split_by_hand(sizes: list[int], options: dict[str, Any], expected: list[int]) -> None:
    digests = np.arange(len(sizes), dtype=np.uint64)
    assert assign(digests, np.array(sizes), TextConfig(**options)).tolist() == expected


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([5000] * 9, "9 documents with 45,000 bytes are too little text"),
        ([999] * 10, "10 documents with 9,990 bytes are too little text"),
    ],
)
def test_how_little_is_too_little(sizes: list[int], said: str) -> None:
    with pytest.raises(TooLittleTextError, match=said) as caught:
        assign(np.arange(len(sizes), dtype=np.uint64), np.array(sizes), TextConfig())
    assert "give at least 10 documents (or one long file) and 10,000 bytes" in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(500, 3000), min_size=20, max_size=61), st.integers(0, 999), st.integers(500, 3000))
def test_one_more_document_moves_none_from_training_but_at_the_border(sizes: list[int], seed: int, more: int) -> None:
    digests = np.random.default_rng(seed).permutation(10**4)[: len(sizes) + 1].astype(np.uint64)
    before = assign(digests[:-1], np.array(sizes), TextConfig())
    after = assign(digests, np.array([*sizes, more]), TextConfig())[:-1]
    # held-out sets stay beginnings of the order of hashes: what moves stands at their ends, a few thousand bytes
    moved = np.array(sizes)[before != after].sum()
    assert moved <= 4 * 3000


def test_test_holds_the_documents_of_the_lowest_hashes(tmp_path: Path) -> None:
    texts = documents(41)
    corpus = prepared(tmp_path, write_lines(tmp_path / "a.jsonl", as_records(texts)))
    hashes = {text: int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts}
    order = sorted(texts, key=hashes.__getitem__)
    test, dev = len(corpus.test), len(corpus.dev)
    assert {document.text for document in corpus.test} == set(order[:test])
    assert {document.text for document in corpus.dev} == set(order[test : test + dev])
    assert [document.text for document in corpus.train] == [text for text in texts if text in order[test + dev :]]


def test_the_facts_say_what_was_found_changed_and_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    english, chinese = documents(13), documents(17, seed=1, chinese=True)
    for number, text in enumerate(english):
        (folder / f"e{number}.txt").write_bytes(text.replace(". ", ".\r\n").encode())
    for number, text in enumerate(chinese):
        encoding = ("gb18030", "utf-8", "utf-16")[number % 3]
        (folder / f"z{number}.txt.gz").write_bytes(gzip.compress(text.encode(encoding)))
    (folder / "copy.txt").write_text(english[0].replace(". ", ".\n"))
    (folder / "empty.txt").write_bytes(b"\n\n")
    (folder / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    facts = prepared(tmp_path, folder).facts()
    # 17 = 6 · gb18030, 6 · utf-8, 5 · utf-16; ASCII: 13, the copy and the empty one
    assert facts["observed"]["encodings"] == {"ascii": 15, "gb18030": 6, "utf-8": 6, "utf-16": 5}
    assert facts["observed"]["changed characters"] == {
        "line ends, now \\n": 13 * 22
    }  # 23 sentences, the last ends none
    assert facts["removed"] == {
        "binary": {"documents": 1, "bytes": 0},
        "empty": {"documents": 1, "bytes": 0},
        "exact duplicate": {"documents": 1, "bytes": len(english[0])},
    }
    assert facts["source_count"] == 33
    assert len(facts["sources"]) == 20  # the first ones stand for all
    assert sum(part["documents"] for part in facts["splits"].values()) == 30
    assert facts["near_duplicates_across_splits"] == 0


def test_every_entry_of_the_ledger_names_a_twin_that_stayed(tmp_path: Path) -> None:
    texts = documents(23)
    texts += [text.replace("at dawn", "at noon", 1) for text in texts] + texts[:7]
    path = write_lines(tmp_path / "a.jsonl", as_records(texts))
    corpus = prepared(tmp_path, path)
    entries = list(read_ledger(corpus.ledger))
    gone, stayed = {entry["document"] for entry in entries}, {document.id for document in everything(corpus)}
    assert gone | stayed == {f"{path}:{number}" for number in range(len(texts))}
    assert not gone & stayed
    size_of = {f"{path}:{number}": len(text) for number, text in enumerate(texts)}
    for entry in entries:
        assert entry["bytes"] == size_of[entry["document"]]
        assert entry["similarity"] >= 0.8
        assert size_of[entry["kept"]] >= entry["bytes"] or entry["reason"] == "exact duplicate"
        # an exact duplicate's twin may itself have been a near duplicate of another
        assert entry["kept"] in stayed or (entry["reason"] == "exact duplicate" and entry["kept"] in gone)


def test_what_the_search_misses_the_check_removes_from_the_held_out_side(tmp_path: Path) -> None:
    # pairs of similarity 0.55: the search, 16 bands of 4, sees such a pair with probability
    # 1 − (1 − 0.55⁴)¹⁶ = 0.79; the check, 21 bands of 3, with 1 − (1 − 0.55³)²¹ = 0.98
    dice = np.random.default_rng(0)
    texts = []
    for number in range(97):
        words = [f"w{number}x{place}" for place in range(200)]
        texts.append(" ".join(words))
        # one word of 200 changed spoils 1 of 200 single words: keep a share of 0.71, so that J = 0.71 / 1.29 = 0.55
        kept = dice.random(200) < 0.71
        texts.append(" ".join(word if keep else f"{word}y" for word, keep in zip(words, kept, strict=True)))
    path = write_lines(tmp_path / "a.jsonl", as_records(texts))
    corpus = prepared(tmp_path, path, similarity=0.5, shingle=1, dev=0.3, test=0.3)
    entries = list(read_ledger(corpus.ledger))
    late = [entry for entry in entries if entry["reason"] == "near duplicate found by the check"]
    assert late
    names = {name: {document.id for document in getattr(corpus, name)} for name in ("train", "dev", "test")}
    for entry in late:
        assert entry["similarity"] >= 0.5
        assert entry["document"] not in set().union(*names.values())
        assert any(entry["kept"] in part for part in names.values())
    facts = corpus.facts()
    assert facts["near_duplicates_across_splits"] == 0
    assert facts["removed"]["near duplicate found by the check"]["documents"] == len(late)
    assert facts["pairs_compared"] >= len(late)


def test_a_listener_hears_of_each_source_when_it_was_read(tmp_path: Path) -> None:
    heard: list[Event] = []
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate(documents(11)):
        (folder / f"{number:02d}.txt").write_text(text)
    prepare([str(folder)], TextConfig(), folder=tmp_path / "corpus", listener=heard.append)
    assert [(event["event"], event["done"], event["sources"]) for event in heard] == [
        ("read", number, 11) for number in range(1, 12)
    ]
    assert heard[3]["source"] == str(folder / "03.txt")


def test_nothing_held_out_is_nothing_to_read(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, write_lines(tmp_path / "a.jsonl", as_records(documents(13))), dev=0.0, test=0.0)
    assert (len(corpus.train), list(corpus.dev), list(corpus.test)) == (13, [], [])
    assert (corpus.dev.size_bytes, corpus.test.size_bytes) == (0, 0)


PARAGRAPH = "A paragraph of exactly ninety-eight bytes, so that with its empty line it comes to one hundred...."


@pytest.mark.parametrize(
    ("cut", "documents_", "long"),
    [
        # 60 paragraphs of 100 bytes in each of 50 documents: 6000 bytes, a block of 2000 holds 20 of them
        ("auto", 50, 50),
        ("auto", 49, 147),  # one fewer than fewest_documents
        ("always", 50, 150),
        ("never", 49, 49),
    ],
)
def test_when_and_where_documents_are_cut(cut: str, documents_: int, long: int, tmp_path: Path) -> None:
    assert len(PARAGRAPH) == 98
    texts = [
        "\n\n".join(f"{number:02d}{place:02d}{PARAGRAPH[4:]}" for place in range(60)) for number in range(documents_)
    ]
    path = write_lines(tmp_path / "a.jsonl", as_records(texts))
    corpus = prepared(tmp_path, path, cut=cut, block_bytes=2000, duplicates="exact")
    found = everything(corpus)
    assert len(found) == long
    notes = corpus.facts()["notes"]
    if long == documents_:
        assert {document.id for document in found} == {f"{path}:{number}" for number in range(documents_)}
        assert notes == []
    else:
        assert {len(document.text) for document in found} == {1998}  # without the empty line behind
        assert {document.id.split("#")[1] for document in found} == {"1", "2", "3"}
        assert notes[0].endswith("blocks of one document may stand on both sides of the split")


def test_a_document_longer_than_the_longest_is_cut_though_there_are_enough(tmp_path: Path) -> None:
    texts = [*documents(60), "\n\n".join(f"{number} {PARAGRAPH}" for number in range(100))]
    path = write_lines(tmp_path / "a.jsonl", as_records(texts))
    corpus = prepared(tmp_path, path, longest_bytes=5000)
    # 10 paragraphs of 100 bytes and 90 of 101, 99 empty lines of 2 between them: 10,288; a block of at most
    # 5000; the rest is less than one and a half blocks and stays whole
    parts = {document.id: len(document.text) for document in everything(corpus) if "#" in document.id}
    assert sorted(parts) == [f"{path}:60#1", f"{path}:60#2"]
    assert sum(parts.values()) == len(texts[60]) - 2
    assert parts[f"{path}:60#1"] <= 5000 < parts[f"{path}:60#2"]
    assert corpus.facts()["notes"][0].startswith("long documents (1): cut into 62 blocks")
