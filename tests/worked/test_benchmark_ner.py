"""The benchmark of named entities: its sets, what its peer is told of words, and a row for each recipe."""

import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks.tasks.crf_features import sentence_features, shape
from benchmarks.tasks.ner import SETS, main


def test_sets_name_their_recipes_and_what_is_aimed_at() -> None:
    for chosen in SETS.values():
        assert chosen.recipes
        assert chosen.floor < chosen.goal
        assert chosen.started[0] < chosen.started[1]


def test_shapes_by_hand() -> None:
    assert [shape(word) for word in ("USA", "McDonald's", "B-52", "@x1", "")] == ["X", "XxXx'x", "X-0", "@x0", ""]


def test_a_word_is_told_by_itself_its_ends_and_its_neighbours() -> None:
    first, second, third = sentence_features(["In", "Paris", "!"])
    assert {"word=paris", "shape=Xx", "begins=p", "begins=pari", "ends=s", "ends=aris"} <= set(second)
    assert {"-1:word=in", "1:word=!", "-2:edge", "2:edge", "-1:pair=in paris", "0:pair=paris !"} <= set(second)
    assert not [one for one in second if one.startswith(("begins=paris", "1:pair"))]
    assert {"-1:edge", "2:word=!", "1:pair=paris !"} <= set(first)
    assert "-2:pair=in paris" in third


def test_a_row_for_each_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, begin in (("train", 0), ("dev", 100)):
        people = [f"mr\tO\nAb{number}\tB-PER\ncame\tO\n" for number in range(begin, begin + 40)]
        (tmp_path / f"{name}.conll").write_text("\n".join(people), encoding="utf-8")
    main(["--data", str(tmp_path), "--recipes", "lstm-tagger", "--quick", "--seeds", "2"])
    found = capsys.readouterr()
    told = json.loads(found.out.splitlines()[-1])
    assert len(told["recipes"]["lstm-tagger"]["span_f1"]) == 2
    assert told["benchmark"] == "tasks.ner"
    assert told["set"] == "wnut17"
    if importlib.util.find_spec("sklearn_crfsuite") is None:
        assert told["crf"] == {}
        assert "sklearn-crfsuite is not installed" in found.err
    else:
        assert told["crf"]["span_f1"] > 0.9
