"""Somebody judges word vectors: tables, JSON, figures in the card, a comparison with a gate, all in two languages."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.word_vector_bundles import GOLDEN, golden_vectors, save_vectors
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load, read_manifest

ANALOGIES, SIMILARITY = GOLDEN / "analogies.txt", GOLDEN / "similarity.tsv"
SAID: dict[str, Any] = json.loads((GOLDEN / "gensim.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of the vectors that gensim was asked about."""
    return save_vectors(tmp_path_factory.mktemp("vectors") / "golden tower", golden_vectors())


@pytest.fixture(scope="session")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with noise: a worse model."""
    draw = np.random.default_rng(0)
    vectors = {word: (row + 0.8 * draw.standard_normal(len(row))).tolist() for word, row in golden_vectors().items()}
    return save_vectors(tmp_path_factory.mktemp("vectors") / "noisy", vectors)


def test_json_holds_gensim_s_figures(golden: Path, ziggurat: Ziggurat) -> None:
    words = ["--analogies", str(ANALOGIES), "--similarity", str(SIMILARITY), "--json"]
    ended = ziggurat("vectors", "evaluate", golden, *words)
    assert (ended.code, ended.err) == (0, "")
    content = json.loads(ended.out)
    assert (content["version"], content["bundle"], list(content["sets"])) == (
        1,
        str(golden),
        ["analogies", "similarity"],
    )
    expected = next(case for case in SAID["analogies"] if case["restrict"] == 300 and case["fold"])["sections"]
    analogies = content["sets"]["analogies"]
    rows = [[row["name"], row["right"], row["asked"]] for row in analogies["sections"]]
    assert rows[:3] == expected[:3]
    assert analogies["accuracy"] == expected[3][1] / expected[3][2]
    assert (analogies["questions"], analogies["questions_skipped"], analogies["vocabulary"]) == (330, 1, 120)
    assert analogies["low"] < analogies["accuracy"] < analogies["high"]
    pairs = content["sets"]["similarity"]
    for zeros, key in ((False, "spearman"), (True, "spearman_of_all")):
        case = next(c for c in SAID["similarity"] if (c["restrict"], c["fold"], c["zeros"]) == (300, True, zeros))
        assert pairs[key] == pytest.approx(case["spearman"], abs=1e-12)
    assert (pairs["pairs"], pairs["pairs_skipped"]) == (61, 2)
    assert ziggurat("vectors", "evaluate", golden, *words).out == ended.out


def test_a_person_reads_a_table(golden: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "evaluate", golden, "--analogies", ANALOGIES, "--similarity", SIMILARITY)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "analogies: analogies among the 120 most frequent words, 3CosAdd"
    assert lines[1].split() == ["section", "accuracy", "95", "%", "interval", "right", "asked", "unknown"]
    table = {line.split()[0]: line.split()[1:] for line in lines[2:8]}
    assert list(table) == ["places", "gram1-many", "gram2-层", "semantic", "syntactic", "overall"]
    assert (table["overall"][0], table["overall"][-3:]) == ("69.1", ["228", "330", "1"])
    assert re.fullmatch(r"similarity +0\.536  0\.\d{3} – 0\.\d{3} +61 +2 +0\.509", lines[-1])
    assert ended.err.startswith("next: ziggurat vectors evaluate '")


def test_in_chinese(golden: Path, noisy: Path, ziggurat: Ziggurat) -> None:
    words = ["--analogies", str(ANALOGIES), "--similarity", str(SIMILARITY), "--against", str(noisy), "--lang", "zh"]
    ended = ziggurat("vectors", "evaluate", golden, *words)
    assert ended.code == 0
    assert "在最常见的 120 个词中的类比题" in ended.out
    english = re.findall(r"[a-z]{2,}", re.sub("analogies|similarity|places|gram1-many|gram|3CosAdd", "", ended.out))
    assert english == []


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--restrict", "60"], {"questions": 52, "vocabulary": 60}),
        (["--restrict", "0"], {"questions": 330, "vocabulary": 120}),
        (["--case-sensitive", "--restrict", "110"], {"questions": 236, "vocabulary": 110, "case_sensitive": True}),
        (["--method", "multiply", "--case-sensitive"], {"questions": 330, "method": "multiply"}),
    ],
)
def test_how_it_is_asked(words: list[str], changed: dict[str, Any], golden: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "evaluate", golden, "--analogies", ANALOGIES, *words, "--json")
    found = json.loads(ended.out)["sets"]["analogies"]
    assert {key: found[key] for key in changed} == changed
    plain = ziggurat("vectors", "evaluate", golden, "--analogies", ANALOGIES, "--json")
    assert (json.loads(plain.out)["sets"]["analogies"]["accuracy"] != found["accuracy"]) == (
        words != ["--restrict", "0"]
    )


def test_another_seed_moves_the_interval_only(golden: Path, ziggurat: Ziggurat) -> None:
    found = [
        json.loads(ziggurat("vectors", "evaluate", golden, "--analogies", ANALOGIES, "--seed", seed, "--json").out)
        for seed in ("0", "1")
    ]
    one, other = (content["sets"]["analogies"] for content in found)
    assert one["accuracy"] == other["accuracy"]
    assert one["low"] == pytest.approx(other["low"], abs=0.05)
    assert (one["low"], one["high"]) != (other["low"], other["high"])


def test_unknown_words_are_spelled_where_wanted(tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = save_vectors(tmp_path / "spelled", golden_vectors(), buckets=211)
    found = []
    for words in ([], ["--spelled"]):
        ended = ziggurat("vectors", "evaluate", bundle, "--similarity", SIMILARITY, *words, "--json")
        found.append(json.loads(ended.out)["sets"]["similarity"])
    counts = [(one["pairs"], one["pairs_skipped"], one["words_spelled"]) for one in found]
    assert counts == [(61, 2, 0), (63, 0, 2)]  # "nowhere" and "nothing" are in no vocabulary


def test_figures_stand_in_manifest_and_card(tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = save_vectors(tmp_path / "recorded", golden_vectors())
    words = ["--analogies", str(ANALOGIES), "--similarity", str(SIMILARITY), "--json"]
    assert ziggurat("vectors", "evaluate", bundle, *words).code == 0
    assert read_manifest(bundle).metrics == {}
    said = json.loads(ziggurat("vectors", "evaluate", bundle, *words, "--record").out)["sets"]
    manifest = load(bundle, verify=True).manifest
    assert manifest.metrics == said
    card = (bundle / "README.md").read_text(encoding="utf-8")
    for text in (
        "| share of analogies solved (analogies) | 0.6909 | `metrics.analogies.accuracy` |",
        "| rank correlation with people's scores of word pairs (similarity) | 0.5358 | `metrics.similarity.spearman` |",
        "| 类比题正确率 (analogies) | 0.6909 | `metrics.analogies.accuracy` |",
        "| pairs with unknown words, not asked (similarity) | 2 | `metrics.similarity.pairs_skipped` |",
    ):
        assert text in card


def test_a_comparison_and_its_gate(golden: Path, noisy: Path, ziggurat: Ziggurat) -> None:
    words = ["--analogies", str(ANALOGIES), "--similarity", str(SIMILARITY)]
    ended = ziggurat("vectors", "evaluate", golden, *words, "--against", noisy, "--json")
    content = json.loads(ended.out)
    assert (ended.code, content["against"]) == (0, str(noisy))
    names = [row["name"] for row in content["compared"]["analogies"]]
    assert names == ["places", "gram1-many", "gram2-层", "semantic", "syntactic", "overall"]
    total = content["compared"]["analogies"][-1]
    assert total["difference"] == pytest.approx(total["ours"] - total["theirs"])
    assert 0 < total["low"] < total["difference"] < total["high"]
    assert total["p_value"] < 0.05
    better = ziggurat("vectors", "evaluate", golden, *words, "--against", noisy, "--fail-below")
    assert better.code == 0
    assert re.search(r"analogies: overall +69\.1 % .* \+\d+\.\d %  \+\d", better.out)
    worse = ziggurat("vectors", "evaluate", noisy, *words, "--against", golden, "--fail-below")
    assert worse.code == 3
    assert worse.err.splitlines()[-1].startswith(f"error: {noisy}: significantly below {golden} on analogies")
    assert ziggurat("vectors", "evaluate", noisy, *words, "--against", golden).code == 0
    same = ziggurat("vectors", "evaluate", golden, *words, "--against", golden, "--fail-below", "--json")
    assert same.code == 0
    assert {row["p_value"] for rows in json.loads(same.out)["compared"].values() for row in rows} == {1.0}


REFUSED = [
    ([], "nothing to ask; give --analogies FILE or --similarity FILE"),
    (["--analogies", "{folder}/none.txt"], "none.txt: no such file or folder"),
    (["--analogies", "{similarity}"], "similarity.tsv:2: 3 words; an analogy is four"),
    (["--similarity", "{analogies}"], "analogies.txt:1: 2 cells; a pair is two words and a number"),
    (["--analogies", "{analogies}", "--analogies", "{analogies}"], "two sets are called 'analogies'"),
    (["--similarity", "{similarity}", "--spelled"], "no character n-grams"),
    (["--analogies", "{analogies}", "--fail-below"], "--fail-below: needs --against"),
    (["--analogies", "{analogies}", "--against", "{folder}/none"], "none: no such"),
    (["--analogies", "{analogies}", "--method", "subtract"], "--method: unknown value 'subtract'"),
    (["--analogies", "{analogies}", "--restrict", "-1"], "--restrict: must be at least 0, got -1"),
    (["--analogys", "{analogies}"], "unknown option '--analogys'; did you mean '--analogies'?"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_what_can_t_be_asked(words: list[str], said: str, golden: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    places = {"analogies": ANALOGIES, "similarity": SIMILARITY, "folder": tmp_path}
    ended = ziggurat("vectors", "evaluate", golden, *(word.format(**places) for word in words))
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err


def test_a_language_model_has_no_vectors_to_judge(counted: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("vectors", "evaluate", counted, "--analogies", ANALOGIES)
    assert ended.code == 2
    assert "a model without vectors of words" in ended.err


def test_nothing_in_common(golden: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    other = save_vectors(tmp_path / "other", {f"w{n}": [1.0, float(n)] for n in range(7)})
    ended = ziggurat("vectors", "evaluate", other, "--analogies", ANALOGIES)
    assert ended.code == 0
    assert ended.out.splitlines()[-1].split() == ["overall", "–", "–", "0", "0", "331"]
    ended = ziggurat("vectors", "evaluate", golden, "--analogies", ANALOGIES, "--against", other)
    assert (ended.code, ended.out) == (2, "")
    assert "the questions that all models know have 0 pairs of words; a comparison needs 5" in ended.err
