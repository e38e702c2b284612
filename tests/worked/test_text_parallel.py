"""Files of pairs, by hand: what is read, what is left out and why, and where each pair goes."""

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import (
    ArtefactError,
    DamagedError,
    InputError,
    NewerVersionError,
    TooLittleTextError,
    UnknownNameError,
    UsageError,
)
from ziggurat.core.types import Pair
from ziggurat.text.duplicates import linked
from ziggurat.text.ledger import read_ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.pairs import read_pairs, resolve_pairs
from ziggurat.text.parallel import ParallelCorpus, open_pairs, prepare_pairs
from ziggurat.training.job import silent

TWO = [("ein Turm", "a tower"), ("zwei Türme", "two towers")]


def sides(*names: Path | str, options: TextConfig | None = None) -> list[tuple[str, str]]:
    return [(pair.source, pair.target) for pair in read_pairs([str(name) for name in names], options)]


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def many(count: int = 97, *, copies: int = 1) -> list[tuple[str, str]]:
    """Pairs of about 130 bytes; with ``copies``, each source has as many targets."""
    return [
        (f"source {number} " + "stone " * 8, f"target {number}.{copy} " + "brick " * 8)
        for number in range(count)
        for copy in range(copies)
    ]


def prepared(folder: Path, pairs: list[tuple[str, str]], **keys: Any) -> ParallelCorpus:
    path = written(folder / "pairs.tsv", "".join(f"{source}\t{target}\n" for source, target in pairs))
    return prepare_pairs([str(path)], TextConfig(**keys), folder=folder / "text", listener=silent)


TABLE = "".join(f"{source}\t{target}\n" for source, target in TWO)
LINES = "".join(json.dumps({"target": target, "n": 1, "source": source}) + "\n" for source, target in TWO)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", TABLE),
        ("a.tsv", TABLE.replace("\n", "\r\n")),
        ("a.tsv", "\ufeff" + TABLE),
        ("a.tsv", "source\ttarget\n\n" + TABLE),
        ("a.txt", "  ein Turm \t a tower\n\nzwei Türme\ttwo towers"),
        ("a.tsv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("a.tsv", TABLE.encode("latin-1")),
        ("a.jsonl", LINES),
        ("a.ndjson", LINES),
        ("a", LINES),
        ("a.jsonl.bz2", bz2.compress(LINES.encode())),
    ],
)
def test_every_form_gives_the_same_pairs(name: str, content: str | bytes, tmp_path: Path) -> None:
    assert sides(written(tmp_path / name, content)) == TWO


def test_two_files_belong_together_line_by_line(tmp_path: Path) -> None:
    written(tmp_path / "news.de", "ein Turm\nzwei Türme\n")
    written(tmp_path / "news.en.gz", gzip.compress(b"a tower\ntwo towers", mtime=0))
    name = f"{tmp_path}/news.de,{tmp_path}/news.en.gz"
    assert sides(name) == TWO
    assert next(read_pairs([name])) == Pair(f"{name}:1", *TWO[0])


def test_several_files_and_globs_come_one_after_another(tmp_path: Path) -> None:
    written(tmp_path / "a.tsv", "a\tb\n")
    written(tmp_path / "b.tsv", "c\td\n")
    assert sides(tmp_path / "b.tsv", tmp_path / "a.tsv") == [("c", "d"), ("a", "b")]
    assert sides(f"{tmp_path}/*.tsv") == [("a", "b"), ("c", "d")]
    assert sides(tmp_path) == [("a", "b"), ("c", "d")]
    assert [source.label for source in resolve_pairs([str(tmp_path / "a.tsv")])] == [str(tmp_path / "a.tsv")]


def test_a_file_whose_name_has_a_comma_is_one_file(tmp_path: Path) -> None:
    assert sides(written(tmp_path / "a,b.tsv", TABLE)) == TWO


def test_pairs_are_cleaned_and_those_with_an_empty_side_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # e + U+0301 is one letter in NFC; control characters go; blanks alone are no side
    path = written(tmp_path / "a.tsv", "caf\u0065\u0301\x07\tcoffee\n \tnothing\nnothing\t\nb\tc\n")
    assert sides(path) == [("café", "coffee"), ("b", "c")]
    assert caplog.messages == [f"2 of 4 pairs have an empty side and are left out (first: {path}:2)"]
    assert sides(path, options=TextConfig(normalisation="NFD"))[0] == ("cafe\u0301", "coffee")
    assert [pair.id for pair in read_pairs([str(path)])] == [f"{path}:1", f"{path}:4"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.tsv", "a\tb\nno tab\n", r"a\.tsv:2: 0 tabs; a line is SOURCE<TAB>TARGET"),
        ("a.tsv", "\na\tb\tc\n", r"a\.tsv:2: 2 tabs"),
        ("a.tsv", "a\tb\r\nc\td\re\tf\r", r"a\.tsv:2: a lone carriage return; end lines with LF or CR LF"),
        ("a.jsonl", '{"source": "a",\r"target": "b"}\n', r"a\.jsonl:1: a lone carriage return"),
        ("a.jsonl", '{"source": "a", "target": "b"}\n{"source": "a"', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", '[1]\n', r"a\.jsonl:1: expected a JSON object, found list"),
        ("a.jsonl", '{"source": "a", "text": "b"}\n', r"jsonl:1: the key 'target' is missing \(found source, text\)"),
        ("a.jsonl", '{"source": 7, "target": "b"}\n', r"a\.jsonl:1: the key 'source' holds no text"),
        ("a.tsv", b"a\tb\n\xff\xfe\x00\x01\x02\x03", r"a\.tsv: .*not text"),
    ],
)  # fmt: skip
def test_a_line_of_another_form_is_named(name: str, content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        sides(written(tmp_path / name, content))


def test_a_lone_carriage_return_in_one_of_two_files_is_named(tmp_path: Path) -> None:
    fine = written(tmp_path / "x.de", "a\r\nb\r\nc\r\n")
    other = written(tmp_path / "x.en", "d\ne\nf")
    assert sides(f"{fine},{other}") == [("a", "d"), ("b", "e"), ("c", "f")]
    lone = written(tmp_path / "y.en", "d\ne\rf\ng\n")
    returns = written(tmp_path / "z.en", "d\re\rf\r")
    for names, said in (
        (f"{fine},{lone}", r"y\.en:2: a lone carriage return"),
        (f"{lone},{fine}", r"y\.en:2: a lone carriage return"),
        (f"{returns},{returns}", r"z\.en:1: a lone carriage return"),
    ):
        with pytest.raises(InputError, match=said):
            sides(names)


def test_files_of_different_lengths_are_an_error_that_names_the_line(tmp_path: Path) -> None:
    one, other = written(tmp_path / "x.de", "a\nb\nc\n"), written(tmp_path / "x.en", "a\nb\n")
    with pytest.raises(InputError, match=r"x\.de:3: .*x\.en ends before this line, after 2 lines"):
        sides(f"{one},{other}")
    with pytest.raises(InputError, match=r"x\.de:3: .*x\.en ends before"):
        sides(f"{other},{one}")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.tsv", "no such file"),
        ("a.tsv,missing.en", "missing.en: no such file"),
        ("a.tsv,", "two files of pairs are named as news.de,news.en"),
        ("a.tsv,a.tsv,a.tsv", "two files of pairs are named"),
        ("demo:en", "demo:en: holds no pairs"),
    ],
)
def test_a_name_that_is_none_is_an_error(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "a.tsv", TABLE)
    with pytest.raises(InputError, match=said):
        resolve_pairs([name])
    with pytest.raises(InputError, match="no pairs were named"):
        resolve_pairs([])


def test_the_user_may_say_the_format(tmp_path: Path) -> None:
    assert sides(written(tmp_path / "a.data", LINES), options=TextConfig(format="jsonl")) == TWO
    with pytest.raises(InputError, match="pairs are read from a table or from jsonl, not from plain"):
        sides(tmp_path / "a.data", options=TextConfig(format="plain"))


def test_a_prepared_corpus_has_every_pair_once_and_can_be_opened_again(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, many())
    again = open_pairs(tmp_path / "text")
    assert again.fingerprint == corpus.fingerprint
    assert again.facts() == corpus.facts()
    found = [pair for split in (again.train, again.dev, again.test) for pair in split]
    assert sorted((pair.source, pair.target) for pair in found) == sorted((s.strip(), t.strip()) for s, t in many())
    assert {pair.id for pair in found} == {f"{tmp_path / 'pairs.tsv'}:{line}" for line in range(1, 98)}
    assert [len(split) for split in (again.train, again.dev, again.test)] == [
        corpus.facts()["splits"][name]["documents"] for name in ("train", "dev", "test")
    ]
    assert again.train.size_bytes == sum(len((p.source + p.target).encode()) for p in again.train)
    assert [d.text for d in again.dev.sides[""]] == [pair.target for pair in again.dev]
    assert [d.text for d in again.dev.sides["source"]] == [pair.source for pair in again.dev]
    assert list(again.dev.texts()) == [text for pair in again.dev for text in (pair.source, pair.target)]


def test_a_source_never_stands_on_both_sides_of_a_split(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, many(53, copies=3))
    sources = [{pair.source for pair in split} for split in (corpus.train, corpus.dev, corpus.test)]
    assert [len(each) for each in sources if not each] == []
    assert sum(map(len, sources)) == len(set.union(*sources)) == 53
    assert len(corpus.dev) == 3 * len(sources[1])


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = prepared(tmp_path / "a", many())
    other = prepared(tmp_path / "b", many()[::-1])
    assert one.fingerprint == other.fingerprint
    assert {pair.source for pair in one.dev} == {pair.source for pair in other.dev}


def test_what_is_left_out_stands_in_the_ledger(tmp_path: Path) -> None:
    pairs = [*many(), ("", "alone"), ("alone", " "), many()[3], (many()[3][0], "another translation")]
    corpus = prepared(tmp_path, pairs)
    path = tmp_path / "pairs.tsv"
    entries = list(read_ledger(corpus.ledger))
    assert [(entry["reason"], entry["document"]) for entry in entries] == [
        ("empty source", f"{path}:98"),
        ("empty target", f"{path}:99"),
        ("exact duplicate", f"{path}:100"),
    ]
    assert entries[2]["kept"] == f"{path}:4"
    assert corpus.facts()["removed"]["exact duplicate"]["documents"] == 1
    (tmp_path / "kept").mkdir()
    keeping = prepared(tmp_path / "kept", pairs, duplicates="keep")
    assert sum(len(split) for split in (keeping.train, keeping.dev, keeping.test)) == 97 + 2


def test_too_little_is_said(tmp_path: Path) -> None:
    with pytest.raises(TooLittleTextError, match="no pairs after cleaning"):
        prepared(tmp_path, [("", "")])
    with pytest.raises(TooLittleTextError, match="too little text"):
        prepared(tmp_path, TWO)
    assert not (tmp_path / "text").exists()


def test_a_damaged_corpus_is_refused(tmp_path: Path) -> None:
    prepared(tmp_path, many())
    header = tmp_path / "text" / "pairs.json"
    content = json.loads(header.read_text(encoding="utf-8"))
    with pytest.raises(ArtefactError, match="no prepared pairs"):
        open_pairs(tmp_path)
    header.write_text(json.dumps({**content, "format": 99}))
    with pytest.raises(NewerVersionError, match="written by a newer ziggurat"):
        open_pairs(tmp_path / "text")
    damaged: list[Any] = [{**content, "labels": []}, {"format": 1}, []]
    for broken in damaged:
        header.write_text(json.dumps(broken))
        with pytest.raises(DamagedError, match=r"pairs\.json: damaged: prepare the pairs again"):
            open_pairs(tmp_path / "text")
    header.write_text(json.dumps(content))
    text = tmp_path / "text" / "text.utf8"
    text.write_bytes(text.read_bytes()[:-1])
    with pytest.raises(DamagedError, match="text is missing"):
        open_pairs(tmp_path / "text")


def twins(families: int = 61) -> list[tuple[str, str]]:
    """Four pairs a family whose sources differ in the last of 40 words: 36 of 37 shingles of each are common.

    41 words − 4 make 37 shingles of five; the last one differs, so Jaccard = 36 / 38 > 0.8.
    """
    return [
        (" ".join(f"w{family}x{word}" for word in range(40)) + f" end{copy}", f"target {family} {copy}")
        for family in range(families)
        for copy in range(4)
    ]


def families_of(split: Any) -> set[str]:
    return {pair.source.partition("x")[0] for pair in split}


def test_sources_that_are_nearly_alike_stand_on_one_side_of_the_split(tmp_path: Path) -> None:
    corpus = prepared(tmp_path, twins())
    kinds = [families_of(split) for split in (corpus.train, corpus.dev, corpus.test)]
    assert all(kinds)
    assert sum(map(len, kinds)) == len(set.union(*kinds)) == 61
    assert sum(len(split) for split in (corpus.train, corpus.dev, corpus.test)) == 4 * 61  # all of them teach
    assert corpus.facts()["notes"][0].startswith("244 sources are nearly the same as another")
    assert open_pairs(tmp_path / "text").facts()["notes"] == corpus.facts()["notes"]


@pytest.mark.parametrize("keys", [{"duplicates": "exact"}, {"similarity": 0.99}, {"shingle": 32}])
def test_the_keys_of_near_duplicates_decide_what_is_alike(tmp_path: Path, keys: dict[str, Any]) -> None:
    # of 41 words, a shingle of 32 is one of 10, of which 9 are common: 9 / 11 = 0.82, so that alone changes nothing
    corpus = prepared(tmp_path, twins(), **keys)
    kinds = [families_of(split) for split in (corpus.train, corpus.dev, corpus.test)]
    together = sum(map(len, kinds)) == 61
    assert together == ("shingle" in keys)
    assert bool(corpus.facts()["notes"]) == together


def test_the_order_of_lines_moves_no_near_twin(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = prepared(tmp_path / "a", twins()), prepared(tmp_path / "b", twins()[::-1])
    assert families_of(one.dev) == families_of(other.dev)
    assert families_of(one.test) == families_of(other.test)


def test_a_group_that_is_more_than_what_is_held_out_trains(tmp_path: Path) -> None:
    large = [(" ".join(f"big{word}" for word in range(40)) + f" end{copy}", f"t {copy}") for copy in range(300)]
    corpus = prepared(tmp_path, [*twins(), *large])
    assert sum(pair.source.startswith("big") for pair in corpus.train) == 300
    assert families_of(corpus.dev)
    assert families_of(corpus.test)


def test_sources_that_are_all_nearly_alike_are_refused(tmp_path: Path) -> None:
    said = r"too many sources are nearly the same .* \(7 groups\): text\.duplicates = exact"
    with pytest.raises(TooLittleTextError, match=said):
        prepared(tmp_path, twins(7))
    assert len(prepared(tmp_path, twins(11), duplicates="exact").dev)
    # one group of 300 and 13 single sources, which are less than a fifth of the text
    large = [(" ".join(f"big{word}" for word in range(40)) + f" end{copy}", f"t {copy}") for copy in range(300)]
    with pytest.raises(TooLittleTextError, match=r"\(14 groups\)"):
        prepared(tmp_path, [*many(13), *large])
    assert prepared(tmp_path, [*many(13), *large], dev=0.0, test=0.01).dev.size_bytes == 0


def test_sources_of_signs_alone_are_not_alike(tmp_path: Path) -> None:
    signs = ["".join("+-*/"[(number >> 2 * place) % 4] for place in range(4)) for number in range(211)]
    corpus = prepared(tmp_path, [(sign, "a target of some length, so that there is text enough") for sign in signs])
    assert corpus.facts()["notes"] == []
    assert len(corpus.train) + len(corpus.dev) + len(corpus.test) == 211


@pytest.mark.parametrize(
    "keys",
    [{"cut": "never"}, {"block_bytes": 300}, {"longest_bytes": 1001}, {"fewest_documents": 7}],
)
def test_keys_of_documents_are_refused(tmp_path: Path, keys: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"text\.{next(iter(keys))}: says how files become documents"):
        prepared(tmp_path, many(), **keys)
    with pytest.raises(UsageError, match="files of pairs have no use for it"):
        sides(tmp_path / "pairs.tsv", options=TextConfig(**keys))


@pytest.mark.parametrize("key", ["field", "label_field"])
def test_pairs_have_no_columns_to_name(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match=rf"text\.{key}: names a column of a table; files of pairs have no use for it"):
        prepared(tmp_path, many(), **{key: "nonsense"})


@given(
    pairs=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] != pair[1])),
    count=st.just(13),
)
def test_groups_are_what_pairs_lead_to(pairs: list[tuple[int, int]], count: int) -> None:
    # by Warshall: a way from a to b, over ever more places between
    reach = np.eye(count, dtype=bool)
    for first, second in pairs:
        reach[first, second] = reach[second, first] = True
    for between in range(count):
        reach |= reach[:, between, None] & reach[between]
    groups = linked(np.array(pairs, np.int64).reshape(-1, 2), count)
    np.testing.assert_array_equal(groups[:, None] == groups, reach)
    assert set(groups.tolist()) == set(range(len(set(groups.tolist()))))


def held_out(folder: Path, **files: list[tuple[str, str]]) -> ParallelCorpus:
    """Prepare files named for their splits."""
    names = []
    for split, pairs in files.items():
        path = written(folder / f"{split}.tsv", "".join(f"{source}\t{target}\n" for source, target in pairs))
        names.append(str(path) if split == "train" else f"{split}={path}")
    return prepare_pairs(names, TextConfig(duplicates="exact"), folder=folder / "text", listener=silent)


def test_files_that_are_held_out_by_name_are_the_splits(tmp_path: Path) -> None:
    corpus = held_out(tmp_path, train=many(), dev=[("dev", "d")], test=[("test", "t"), ("test", "t"), ("probe", "p")])
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (97, 1, 3)  # twins are measured as they stand
    assert [pair.target for pair in corpus.test] == ["t", "t", "p"]
    assert [pair.source for pair in open_pairs(tmp_path / "text").dev] == ["dev"]


def test_what_is_held_out_is_not_learnt(tmp_path: Path) -> None:
    train = [*many(), ("test", "t"), ("probe", "another target")]
    corpus = held_out(tmp_path, train=train, test=[("test", "t"), ("probe", "p")])
    assert [pair.source for pair in corpus.test] == ["test", "probe"]
    assert not {"test", "probe"} & {pair.source for pair in (*corpus.train, *corpus.dev)}
    assert corpus.facts()["removed"]["held out too"]["documents"] == 1
    assert corpus.facts()["removed"]["exact duplicate"]["documents"] == 1
    assert len(corpus.dev) == round(0.1 * 97)  # the part of sources that has no file of its own


def test_what_can_not_be_held_out_is_said(tmp_path: Path) -> None:
    with pytest.raises(TooLittleTextError, match="nothing is left to train on"):
        held_out(tmp_path, train=[("a", "b")], dev=[("a", "b")], test=[("a", "c")])
    for split in ("dev", "test"):
        with pytest.raises(TooLittleTextError, match=rf"{split}\.tsv: holds no examples; leave it out"):
            held_out(tmp_path, train=many(), **{split: []})
    with pytest.raises(InputError, match="no pairs to learn from were named"):
        resolve_pairs([f"test={tmp_path / 'train.tsv'}"])
    with pytest.raises(UnknownNameError, match="did you mean 'test'"):
        resolve_pairs([f"tst={tmp_path / 'train.tsv'}"])
