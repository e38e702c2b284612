"""What a bundle is for: writing on, scoring, measuring, describing, and how text becomes tokens."""

import io
import json
import math
import re
from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load

SENTENCE = "the tower climbs the long road at dawn. a stranger counts every word in silence."


def read_from(text: str | bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = text.encode() if isinstance(text, str) else text
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))


# -- generate ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_text(counted: Path, mixed: Path, ziggurat: Ziggurat) -> None:
    for run in (counted, mixed):
        texts = [
            ziggurat("generate", run, "--prompt", "the tower", "--max-tokens", "17", "--seed", seed).out
            for seed in ("3", "3", "5")
        ]
        assert texts[0].startswith("the tower")
        assert texts[0].endswith("\n")
        assert texts[0] == texts[1] != texts[2]


def test_only_the_new_text_and_nothing_on_standard_error(counted: Path, ziggurat: Ziggurat) -> None:
    whole = ziggurat("generate", counted, "--prompt", "the tower", "--max-tokens", "7")
    new = ziggurat("generate", counted, "--prompt", "the tower", "--max-tokens", "7", "--only-new")
    assert whole.out == "the tower" + new.out
    assert (whole.err, new.err) == ("", "")


def test_several_continuations_stand_apart_and_json_says_why_each_ended(counted: Path, ziggurat: Ziggurat) -> None:
    options = ["--prompt", "a stranger", "--samples", "3", "--max-tokens", "11", "--top-p", "0.9"]
    text = ziggurat("generate", counted, *options).out
    found = json.loads(ziggurat("generate", counted, *options, "--json").out)
    assert text == "\n---\n".join("a stranger" + c["text"] for c in found["continuations"]) + "\n"
    assert list(found) == ["version", "bundle", "prompt", "continuations"]
    assert {c["reason"] for c in found["continuations"]} <= {"length", "end", "stop"}
    assert all(c["tokens"] <= 11 and c["logprob"] <= 0 for c in found["continuations"])


def test_a_stop_string_ends_the_text_before_it(counted: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("generate", counted, "--prompt", "the tower", "--stop", ".", "--stop", "!", "--max-tokens", "90")
    assert "." not in ended.out


def test_a_prompt_from_standard_input(counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    read_from("her sister", monkeypatch)
    assert ziggurat("generate", counted, "--prompt", "-", "--max-tokens", "3").out.startswith("her sister")


def test_greedy_writing_needs_no_seed(counted: Path, ziggurat: Ziggurat) -> None:
    greedy = ["generate", counted, "--prompt", "a", "--temperature", "0", "--max-tokens", "13"]
    assert ziggurat(*greedy, "--seed", "1").out == ziggurat(*greedy, "--seed", "2").out


# -- score ------------------------------------------------------------------------------------------------------------


def test_units_of_every_size_add_up_to_the_same(
    counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = {}
    for unit in ("token", "sentence", "document"):
        read_from(SENTENCE, monkeypatch)
        rows = [line.split("\t") for line in ziggurat("score", counted, "--by", unit).out.splitlines()]
        assert "".join(row[2] for row in rows).split() == SENTENCE.split()
        totals[unit] = (sum(float(row[0]) for row in rows), sum(int(row[1]) for row in rows))
    for logprob, tokens in totals.values():
        assert logprob == pytest.approx(totals["document"][0], abs=0.01)
        assert tokens == totals["document"][1]


def test_scores_as_json_from_a_file(counted: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text(SENTENCE.replace(". ", ".\n"), encoding="utf-8")
    whole = json.loads(ziggurat("score", counted, tmp_path / "a.txt", "--by", "document", "--json").out)
    lines = json.loads(ziggurat("score", counted, tmp_path / "a.txt", "--by", "document", "--lines", "--json").out)
    assert (whole["version"], whole["by"], whole["unit"]) == (1, "document", "nats")
    assert [len(whole["documents"]), len(lines["documents"])] == [1, 2]
    assert lines["documents"][1][0]["text"] == "a stranger counts every word in silence."


def test_tabs_and_line_ends_do_not_break_the_table(
    counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("one\ttwo\nthree \\ four", monkeypatch)
    ended = ziggurat("score", counted, "-", "--by", "document")
    assert ended.out.count("\t") == 2
    assert ended.out.split("\t")[2] == "one\\ttwo\\nthree \\\\ four\n"
    assert "nats over" in ended.err


# -- evaluate ---------------------------------------------------------------------------------------------------------


def test_figures_agree_with_each_other(counted: Path, texts: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("evaluate", counted, texts, "--json")
    found = json.loads(ended.out)
    assert found["low"] < found["bits_per_byte"] < found["high"]
    # Σ nats = tokens · ln(perplexity) = bytes · ln 2 · bits per byte
    nats = found["tokens"] * math.log(found["token_perplexity"])
    assert nats == pytest.approx(found["bytes"] * math.log(2) * found["bits_per_byte"], rel=1e-9)
    assert found["documents"] == 43
    assert found["size_bytes"] == load(counted).manifest.size_bytes
    table = ziggurat("evaluate", counted, texts).out
    assert f"{found['bits_per_byte']:.4f}" in table


def test_one_long_text_is_cut_so_that_it_has_an_interval(counted: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join([SENTENCE * 7] * 40), encoding="utf-8")
    cut = json.loads(ziggurat("evaluate", counted, tmp_path / "a.txt", "--json").out)
    whole = json.loads(ziggurat("evaluate", counted, tmp_path / "a.txt", "--json", "--whole").out)
    assert (cut["documents"] > 1, whole["documents"]) == (True, 1)


def test_figures_can_be_kept_in_the_bundle(counted: Path, texts: Path, ziggurat: Ziggurat) -> None:
    assert ziggurat("evaluate", counted, texts, "--record", "again", "--quiet").code == 0
    manifest = load(counted, verify=True).manifest
    assert manifest.entry("metrics.again.documents") == 43
    assert "test" in manifest.metrics
    assert "`metrics.again.bits_per_byte`" in (counted / "bundle" / "README.md").read_text(encoding="utf-8")


def test_a_gate_that_is_not_met_is_exit_code_three(counted: Path, texts: Path, ziggurat: Ziggurat) -> None:
    assert ziggurat("evaluate", counted, texts, "--fail-above", "8").code == 0
    ended = ziggurat("evaluate", counted, texts, "--fail-above", "0.01")
    assert ended.code == 3
    assert ended.out != ""
    assert ended.err.splitlines()[-1].endswith("the gate is 0.01")


# -- describe, recipe -------------------------------------------------------------------------------------------------


def test_a_bundle_describes_itself(mixed: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("describe", mixed, "--check")
    manifest = load(mixed).manifest
    rows = dict(line.split(maxsplit=1) for line in ended.out.splitlines())
    assert rows["family"] == manifest.family
    assert int(rows["model.parameters"]) == manifest.entry("model.parameters")
    assert float(rows["metrics.test.bits_per_byte"]) == pytest.approx(
        manifest.entry("metrics.test.bits_per_byte"), 1e-4
    )
    found = json.loads(ziggurat("describe", mixed, "--json").out)
    assert found["manifest"]["files"] == manifest.files


def test_recipes_are_listed_and_printed_whole(ziggurat: Ziggurat) -> None:
    listed = ziggurat("recipe")
    names = [line.split()[0] for line in listed.out.splitlines()]
    assert {"gpt", "lstm", "article-lstm", "ngram", "mixture"} <= set(names)
    assert sorted(json.loads(ziggurat("recipe", "--json").out)["recipes"]) == names
    printed = ziggurat("recipe", "gpt", "--model.layers", "3", "--seed", "7")
    assert "\nlayers = 3\n" in printed.out
    assert "seed = 7\n" in printed.out
    assert printed.out.startswith("# ")
    commented = [line for line in ziggurat("recipe", "ngram", "--bare").out.splitlines() if line.startswith("#")]
    assert [line for line in commented if not re.fullmatch(r"# \w+ =", line)] == []  # keys without a value only


def test_a_printed_recipe_is_a_recipe(tmp_path: Path, ziggurat: Ziggurat) -> None:
    for name in ("ngram", "mixture", "article-lstm"):
        path = tmp_path / f"{name}.toml"
        path.write_text(ziggurat("recipe", name).out, encoding="utf-8")
        assert ziggurat("recipe", path).out == path.read_text(encoding="utf-8")


# -- tokenize ---------------------------------------------------------------------------------------------------------


def test_pieces_speed_and_compression(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    out = tmp_path / "tokenizer.json"
    ended = ziggurat("tokenize", texts, "--vocab-size", "300", "--show", "7", "--out", out)
    assert ended.out.splitlines()[0].count("│") == 6
    trained = json.loads(ziggurat("tokenize", texts, "--vocab-size", "300", "--json").out)
    opened = json.loads(ziggurat("tokenize", texts, "--tokenizer", out, "--json").out)
    assert trained["vocabulary"] == opened["vocabulary"] == 300
    assert trained["fingerprint"] == opened["fingerprint"]
    assert trained["bytes_per_token"] == trained["bytes"] / trained["tokens"]
    assert "train_seconds" in trained
    assert "train_seconds" not in opened


def test_a_bundles_tokenizer_shows_chinese_in_whole_characters(
    counted: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_from("塔楼, three.", monkeypatch)
    found = json.loads(ziggurat("tokenize", "-", "--tokenizer", counted, "--json").out)
    assert found["pieces"][:2] == ["塔", "楼"]
    assert "".join(found["pieces"]) == "塔楼, three."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kind", "byts"], "unknown tokenizer 'byts'; did you mean 'bytes'?"),
        (["--kind", "bytes", "--vocab-size", "300"], "--vocab-size: the vocabulary of kind bytes has a fixed size"),
        (["--vocab-size", "3"], "must be at least 257, got 3"),
        (["--tokenizer", "nowhere.json"], "nowhere.json: not a tokenizer that can be opened"),
    ],
)
def test_a_tokenizer_that_cannot_be_is_one_line(
    arguments: list[str], message: str, texts: Path, ziggurat: Ziggurat
) -> None:
    ended = ziggurat("tokenize", texts, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err
