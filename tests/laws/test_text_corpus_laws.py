"""What is true of every prepared corpus: splits, ledger, fingerprints, and memory that does not grow with the text."""

import gzip
import itertools
import json
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.corpora import prepared, write_lines
from tests.fakes.texts import documents
from ziggurat.core.errors import TooLittleTextError
from ziggurat.text.ledger import Ledger, read_ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.splits import DEV, TEST, TRAIN, assign
from ziggurat.text.spool import Spool


def as_records(texts: list[str]) -> list[str]:
    return [json.dumps({"id": str(number), "text": text}, ensure_ascii=False) for number, text in enumerate(texts)]


def shingled(text: str) -> set[tuple[str, ...]]:
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def test_splits_are_whole_disjoint_and_of_the_asked_size(tmp_path: Path) -> None:
    texts = documents(97)
    corpus = prepared(tmp_path, write_lines(tmp_path / "a.jsonl.gz", as_records(texts)))
    parts = [[document.text for document in split] for split in (corpus.train, corpus.dev, corpus.test)]
    assert sorted(itertools.chain(*parts)) == sorted(texts)
    total = sum(len(text.encode()) for text in texts)
    for held_out in (corpus.dev, corpus.test):
        assert 0.1 * total <= held_out.size_bytes < 0.1 * total + max(len(text) for text in texts)
        assert held_out.size_bytes == sum(len(document.text.encode()) for document in held_out)
    facts = corpus.facts()["splits"]
    assert {name: part["documents"] for name, part in facts.items()} == {
        "train": len(corpus.train),
        "dev": len(corpus.dev),
        "test": len(corpus.test),
    }


def test_neither_the_order_of_files_nor_their_form_moves_a_document(tmp_path: Path) -> None:
    texts = documents(61)
    forwards, backwards = tmp_path / "f", tmp_path / "b"
    forwards.mkdir()
    backwards.mkdir()
    for number, text in enumerate(texts):
        (forwards / f"{number:02d}.txt").write_text(text)
        (backwards / f"{99 - number:02d}.txt.gz").write_bytes(gzip.compress(text.encode("utf-16")))
    one = prepared(forwards, forwards)
    two = prepared(backwards, backwards)
    assert one.fingerprint == two.fingerprint
    for name in ("train", "dev", "test"):
        left, right = ({document.text for document in getattr(corpus, name)} for corpus in (one, two))
        assert left == right


def test_other_text_or_other_options_have_another_fingerprint(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", as_records(documents(31)))
    more = write_lines(tmp_path / "b.jsonl", as_records(documents(32)))
    cases: list[tuple[Path, dict[str, float]]] = [(source, {}), (more, {}), (source, {"dev": 0.2})]
    cases.append((source, {"similarity": 0.9}))
    found = set()
    for number, (path, options) in enumerate(cases):
        (tmp_path / str(number)).mkdir()
        found.add(prepared(tmp_path / str(number), path, **options).fingerprint)
    assert len(found) == 4


def test_duplicates_go_before_the_split_and_the_ledger_names_their_twins(tmp_path: Path) -> None:
    texts = documents(53)
    nearly = texts[7].replace("at dawn", "at dusk", 1)
    records = [*as_records(texts), json.dumps({"id": "copy", "text": texts[3]})]
    records.append(json.dumps({"id": "near", "text": nearly}))
    corpus = prepared(tmp_path, write_lines(tmp_path / "a.jsonl", records))
    entries = list(read_ledger(corpus.ledger))
    assert [entry["reason"] for entry in entries] == ["exact duplicate", "near duplicate"]
    exact, near = entries
    assert exact["document"].endswith(":copy")
    assert exact["kept"].endswith(":3")
    assert {near["document"].rsplit(":")[-1], near["kept"].rsplit(":")[-1]} == {"near", "7"}
    a, b = shingled(texts[7]), shingled(nearly)
    assert near["similarity"] == pytest.approx(len(a & b) / len(a | b), abs=5e-4)
    removed = corpus.facts()["removed"]
    assert removed["exact duplicate"] == {"documents": 1, "bytes": len(texts[3].encode())}
    assert corpus.facts()["near_duplicates_across_splits"] == 0
    assert corpus.facts()["pairs_compared"] >= 0


@pytest.mark.parametrize(("duplicates", "kept"), [("near", 41), ("exact", 42), ("keep", 43)])
def test_which_duplicates_go_is_the_user_s_choice(duplicates: str, kept: int, tmp_path: Path) -> None:
    texts = documents(41)
    texts += [texts[0], texts[1].replace("at dawn", "at dusk", 1) + " x"]
    corpus = prepared(tmp_path, write_lines(tmp_path / "a.jsonl", as_records(texts)), duplicates=duplicates)
    assert len(corpus.train) + len(corpus.dev) + len(corpus.test) == kept


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_no_near_duplicate_stands_on_both_sides(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    dice = random.Random(seed)
    texts = documents(23, seed=seed)
    for text in list(texts):
        words = text.split()
        for _ in range(dice.randrange(12)):
            words[dice.randrange(len(words))] = "changed"
        texts.append(" ".join(words))
    folder = tmp_path_factory.mktemp("corpus")
    corpus = prepared(folder, write_lines(folder / "a.jsonl", as_records(texts)))
    train = [shingled(document.text) for document in corpus.train]
    for split in (corpus.dev, corpus.test):
        for held_out in (shingled(document.text) for document in split):
            assert all(len(held_out & one) / len(held_out | one) < 0.8 for one in train)


def test_one_long_file_becomes_blocks_at_paragraphs_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text("\n\n".join(documents(200)))
    corpus = prepared(tmp_path, path)
    found = sorted(
        (document for part in (corpus.train, corpus.dev, corpus.test) for document in part), key=lambda d: d.id
    )
    assert len(found) > 30
    assert all(document.id.startswith(f"{path}#") for document in found)
    assert all(document.text[0].isdigit() and document.text.endswith(".") for document in found)
    assert "too few documents to split" in corpus.facts()["notes"][0]
    (tmp_path / "whole").mkdir()
    with pytest.raises(TooLittleTextError):
        prepared(tmp_path / "whole", path, cut="never")


def test_a_text_is_read_the_same_a_second_time(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, write_lines(tmp_path / "a.jsonl", as_records(documents(29, chinese=True))))
    first, second = list(corpus.train), list(corpus.train)
    assert first == second
    assert {document.language for document in first} == {"zh"}
    assert {document.source for document in first} == {str(tmp_path / "a.jsonl")}


def test_memory_does_not_grow_with_the_text(tmp_path: Path) -> None:
    def peak(copies: int) -> int:
        folder = tmp_path / str(copies)
        folder.mkdir()
        path = folder / "a.txt"
        with path.open("w") as file:
            for part in range(copies):
                file.write("\n\n".join(documents(200, seed=part)) + "\n\n")
        tracemalloc.start()
        prepared(folder, path, duplicates="exact")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)
    small, large = peak(3), peak(12)  # 1.2 and 5 MB of text
    assert large - small < 2_000_000


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(500, 5000), min_size=20, max_size=97),
    dev=st.integers(0, 30).map(lambda percent: percent / 100),
    test=st.integers(0, 30).map(lambda percent: percent / 100),
    seed=st.integers(0, 999),
)
def test_the_split_follows_the_hashes(sizes: list[int], dev: float, test: float, seed: int) -> None:
    digests = np.random.default_rng(seed).permutation(10**4)[: len(sizes)].astype(np.uint64)
    widths = np.array(sizes)
    options = TextConfig(dev=dev, test=test)
    splits = assign(digests, widths, options)
    for split, part in ((DEV, dev), (TEST, test)):
        taken = int(widths[splits == split].sum())
        assert taken >= part * widths.sum() or part == 0
        assert taken < part * widths.sum() + widths.max()
    shuffled = np.random.default_rng(seed + 1).permutation(len(sizes))
    np.testing.assert_array_equal(assign(digests[shuffled], widths[shuffled], options), splits[shuffled])
    assert (splits == TRAIN).any()


def test_held_out_text_stops_growing_at_its_limit() -> None:
    sizes = np.full(1000, 1000)
    splits = assign(np.arange(1000, dtype=np.uint64), sizes, TextConfig(held_out_bytes=20_000))
    assert [int((splits == split).sum()) for split in (TRAIN, DEV, TEST)] == [960, 20, 20]


def test_a_ledger_adds_up(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.jsonl") as ledger:
        ledger.remove("exact duplicate", document="a", kept="b", size_bytes=7)
        ledger.remove("exact duplicate", document="c", kept="b", size_bytes=11)
        ledger.remove("binary", source="图.png")
        ledger.observe("encodings", "utf-8")
        ledger.observe("encodings", "utf-8", 2)
        ledger.observe("encodings", "latin-1", 0)
    assert ledger.summary() == {
        "exact duplicate": {"documents": 2, "bytes": 18},
        "binary": {"documents": 1, "bytes": 0},
    }
    assert ledger.observed == {"encodings": {"utf-8": 3}}
    assert list(read_ledger(tmp_path / "l.jsonl"))[2] == {"reason": "binary", "source": "图.png"}


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=7), max_size=5), max_size=11))
def test_a_spool_keeps_texts_without_the_space_around_them(
    tmp_path_factory: pytest.TempPathFactory, texts: list[list[str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "spool"
    spool = Spool(path)
    added = [spool.add(str(number), "s", parts) for number, parts in enumerate(texts)]
    spool.close()
    raw = path.read_bytes()
    kept = [raw[start:stop].decode() for start, stop in zip(spool.starts, spool.stops, strict=True)]
    whole = ["".join(parts).strip() for parts in texts]
    assert kept == [text for text in whole if text]
    assert added == [bool(text) for text in whole]
    assert spool.names == [str(number) for number, text in enumerate(whole) if text]
