"""The benchmark of prose: its documents, who learns which of them, its figures; and KenLM over ids."""

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import kenlm_ids, prose
from benchmarks.prose import ENTRIES, SIZES, Judged, evaluation, result
from benchmarks.prose_steps import Prepared, documents_of, prepare

ARTICLES = "= Tower =\nA tower stands.\nIt is tall.\n\n= Wall =\nA wall stands.\n\n\n= Gate =\nA gate opens.\n"
ARPA = """\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-2.0\t<unk>
-99\t<s>\t-0.5
-1.0\t</s>
-0.5\t3\t-0.25
-0.75\t17\t-0.125

\\2-grams:
-0.3\t<s> 3
-0.2\t3 17
-0.1\t17 </s>

\\end\\
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A set of novels: records, the second beginning like the first."""
    folder = tmp_path / "books"
    folder.mkdir()
    for split, count in (("train", 11), ("dev", 3)):
        records = [
            {"id": f"{split}-{n}", "text": f"The tower {n} stands by the water. " * (20 + n)} for n in range(count)
        ]
        with gzip.open(folder / f"{split}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("".join(json.dumps(record) + "\n" for record in records))
    return folder


@pytest.fixture
def texts(data: Path, tmp_path: Path) -> Prepared:
    return prepare(data, tmp_path / "ids", vocabulary=300, limit=None, longest=1 << 20)


def test_articles_stand_between_empty_lines(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "train.txt.gz", "wt", encoding="utf-8") as file:
        file.write(ARTICLES)
    found = list(documents_of(tmp_path, "train"))
    assert [one.text.split("\n", 1)[0] for one in found] == ["= Tower =", "= Wall =", "= Gate ="]
    assert found[0].text == "= Tower =\nA tower stands.\nIt is tall.\n"
    assert len({one.id for one in found}) == 3
    with pytest.raises(SystemExit, match=r"no dev in .*: it needs one of dev.jsonl.gz"):
        list(documents_of(tmp_path, "dev"))


def test_who_learns_what(texts: Prepared) -> None:
    assert (len(texts.learnt), len(texts.train), len(texts.dev), len(texts.held_out)) == (11, 10, 1, 3)
    assert texts.learnt.ids == texts.train.ids + texts.dev.ids
    assert not set(texts.learnt.ids) & set(texts.held_out.ids)
    both = [store.document(index) for store in (texts.train, texts.dev) for index in range(len(store))]
    assert all(np.array_equal(texts.learnt.document(index), one) for index, one in enumerate(both))
    assert texts.lossless


def test_a_limit_takes_beginnings(data: Path, tmp_path: Path) -> None:
    # at most a sixth each: 600 / 6 = 100 bytes of each of 6 documents; of the held-out ones 150 / 6 = 25 of each of 3
    small = prepare(data, tmp_path / "small", vocabulary=300, limit=600, longest=1 << 20)
    assert small.learnt.document_bytes.tolist() == [100] * 6
    assert small.held_out.document_bytes.tolist() == [25] * 3


def test_one_document_can_not_be_put_aside(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.txt").write_text("= One =\nAlone.\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="1 training documents"):
        prepare(tmp_path, tmp_path / "ids", vocabulary=300, limit=None, longest=1 << 20)


def test_of_a_long_document_whole_lines_are_judged(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(ARTICLES, encoding="utf-8")
    (tmp_path / "dev.txt").write_text("塔塔塔\n塔塔\n塔\n\n塔塔塔塔塔\n", encoding="utf-8")
    # lines of 10, 7 and 4 bytes: 19 bytes hold two; a line of 16 is cut, and not within a character
    for longest, sizes in ((19, [17, 16]), (21, [21, 16]), (8, [6, 6])):
        texts = prepare(tmp_path, tmp_path / "ids", vocabulary=300, limit=None, longest=longest)
        assert texts.held_out.document_bytes.tolist() == sizes


def _told(texts: Prepared, nats: float) -> list[Any]:
    store = texts.held_out
    return [np.full(len(store.document(n)) - 1, -nats, dtype=np.float32) for n in range(len(store))]


def test_bits_per_byte_count_the_end_of_a_document(texts: Prepared) -> None:
    found = evaluation(texts, _told(texts, math.log(2)))  # a bit for every token, the end included
    tokens = sum(len(texts.held_out.document(index)) - 1 for index in range(3))
    text_tokens = sum(
        len(texts.tokenizer.encode(f"The tower {n} stands by the water. " * (20 + n)).ids) for n in range(3)
    )
    assert tokens == text_tokens + 3
    assert found.bits_per_byte == pytest.approx(tokens / sum(found.document_bytes))
    assert sum(found.document_bytes) == sum(33 * (20 + n) for n in range(3))
    with pytest.raises(SystemExit, match="did not predict every token"):
        evaluation(texts, _told(texts, 1.0)[:2])


def test_the_best_of_ours_beside_the_best_peer(texts: Prepared) -> None:
    sides = [("a", True, 0.92, 50.0), ("b", True, 1.5, 50.0), ("c", False, 1.0, 60.0), ("d", False, 1.1, 62.0)]
    judged = [
        Judged(name, ours, evaluation(texts, _told(texts, nats)), seconds, seconds + 3, {"parameters": 7})
        for name, ours, nats, seconds in sides
    ]
    found = result(judged, minutes=1.0, seed=0)
    assert (found["ours"], found["peer"]) == ("a", "c")
    assert found["lead"] == pytest.approx(0.08, abs=1e-6)
    models = found["models"]
    assert models["a"]["bits_per_byte"] == pytest.approx(models["c"]["bits_per_byte"] * 0.92)
    assert found["difference"]["value"] == pytest.approx(models["c"]["bits_per_byte"] * 0.08)
    assert found["difference"]["low"] > 0
    assert [models[name]["within_budget"] for name in "abcd"] == [True, True, True, False]
    assert not result([judged[1], judged[2]], minutes=1.0, seed=0)["shown"]


def test_what_took_longer_than_the_minutes_is_no_outcome_of_ours(texts: Prepared) -> None:
    sides = [("late", True, 0.8, 70.0), ("a", True, 0.9, 60.0), ("late peer", False, 1.0, 70.0)]
    judged = [
        Judged(name, ours, evaluation(texts, _told(texts, nats)), seconds, seconds, {})
        for name, ours, nats, seconds in sides
    ]
    found = result(judged, minutes=1.0, seed=0)
    assert (found["ours"], found["peer"]) == ("a", "late peer")
    assert result(judged[::2], minutes=1.0, seed=0)["ours"] == "late"  # nothing else is there to be told of


def test_every_entry_is_a_recipe_within_its_minutes() -> None:
    for entry in ENTRIES:
        recipe = entry.within(7.0).resolved(3)
        networks = [one.training for one in (recipe, *recipe.parts) if hasattr(one.training, "minutes")]
        assert sum(one.minutes for one in networks) <= 7.0
        assert recipe.seed == 3


def test_kenlm_is_asked_for_ids(tmp_path: Path) -> None:
    pytest.importorskip("kenlm")
    path = tmp_path / "model.arpa"
    path.write_text(ARPA, encoding="utf-8")
    model = kenlm_ids.KenlmModel(path, 0.0, 0)
    ids = np.array([0, 3, 17, 0], dtype=np.int32)
    ten = math.log(10)
    # a document: 3 after its begin, 17 after 3, the end after 17
    assert model.logprobs([ids], whole=True)[0] == pytest.approx([-0.3 * ten, -0.2 * ten, -0.1 * ten], rel=1e-5)
    # a piece of text: 3 is only read; 17 after it; 3 again, after 17, by way of the shorter context: −0.125 − 0.5
    piece = np.array([3, 17, 3], dtype=np.int32)
    assert model.logprobs([piece], whole=False)[0] == pytest.approx([-0.2 * ten, -0.625 * ten], rel=1e-5)


def test_kenlm_is_found_where_it_was_built(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lmplz").touch()
    assert kenlm_ids.program(tmp_path, "lmplz") == tmp_path / "bin" / "lmplz"
    assert kenlm_ids.program(tmp_path / "bin", "lmplz") == tmp_path / "bin" / "lmplz"
    with pytest.raises(SystemExit, match="--kenlm: no build_binary in"):
        kenlm_ids.program(tmp_path, "build_binary")


def test_kenlm_is_built_from_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for both programs show what these are given."""
    for name in ("lmplz", "build_binary"):
        script = tmp_path / name
        script.write_text('#!/bin/sh\necho "$@" > "$0.asked"\n', encoding="utf-8")
        script.chmod(0o755)
    place = tmp_path / "work"
    (tmp_path / "lmplz").write_text(
        '#!/bin/sh\necho "$@" > "$0.asked"\nwhile [ "$1" != --text ]; do shift; done\ncp "$2" "$0.text"\ntouch "$4"\n',
        encoding="utf-8",
    )
    documents = [np.array([5, 7, 5], dtype=np.int32), np.array([11], dtype=np.int32)]
    model = kenlm_ids.build(tmp_path, documents, 6, place)
    assert (tmp_path / "lmplz.text").read_text(encoding="utf-8") == "5 7 5\n11\n"
    assert "-o 6 " in (tmp_path / "lmplz.asked").read_text(encoding="utf-8")
    assert str(model.path) in (tmp_path / "build_binary.asked").read_text(encoding="utf-8")
    assert model.seconds > 0
    assert not (place / "ids.txt").exists()  # what is large does not stay
    assert not (place / "model.arpa").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "decoder,gru"], "--only: gru: not one of decoder"),
        (["--sizes", "huge"], "--sizes: huge: not one of small"),
        (["--kenlm", "."], "--kenlm: no lmplz in"),
    ],
)
def test_what_can_not_be_run_is_said(arguments: list[str], message: str, data: Path) -> None:
    with pytest.raises(SystemExit, match=message):
        prose.main([*arguments, "--quick", "--data", str(data)])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_quick_run_from_end_to_end(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--quick", "--threads", "1", "--vocabulary", "300", "--work", str(tmp_path)]
    prose.main([*arguments, "--data", str(data)])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["benchmark"] == "prose"
    found = last["sets"]["books"]
    parts = {"counted-lstm, part", "counted-gpt, part"}
    assert set(found["models"]) == {*(entry.name for entry in ENTRIES), *parts, f"nanoGPT's, {next(iter(SIZES))}"}
    assert found["ours"] in {"ngram", "mixture"}  # in a second only what counts has learnt the text
    assert last["ratio"] == pytest.approx(1 / (1 - found["lead"]), rel=1e-3)
    for told in found["models"].values():
        assert told["low"] <= told["bits_per_byte"] <= told["high"] < 8.5
