"""``ziggurat prompt``: texts labelled after a few examples, measured or streamed, by every family, in two languages."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.chat_templates import speaking_tokenizer
from tests.fakes.families import PLAIN_LANGUAGE_FAMILIES
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load, save
from ziggurat.artefacts.manifest import Provenance
from ziggurat.core.config import from_mapping
from ziggurat.models.registry import FAMILIES
from ziggurat.use.prompting import FewShotClassifier, PromptConfig, choose_examples

TEMPLATE = ["--template", "eight {text} seven {label}", "--separator", " "]
ANSWERS = ["--labels", "0=four,1=five six"]
ROWS = [("one two", "0"), ("two three", "1"), ("nine one", "0"), ("three three", "1"), ("five", "0")]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "train.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in ROWS), encoding="utf-8")
    return path


def read_from(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_every_family_labels_what_is_piped_in(
    family: str, labelled: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "bundle", family)
    read_from("one two\n\nnine  nine\n", monkeypatch)
    options = ["--lines", "--examples", labelled, "--shots", "2", *TEMPLATE, *ANSWERS]
    found = ziggurat("prompt", bundle.path, "-", *options)
    assert (found.code, found.err) == (0, "")
    rows = [line.split("\t") for line in found.out.splitlines()]
    assert [row[2] for row in rows] == ["one two", "nine nine"]
    assert all(row[0] in {"0", "1"} and 0.5 <= float(row[1]) <= 1 for row in rows)
    examples = choose_examples([text for text, _ in ROWS], [label for _, label in ROWS], 2, seed=0)
    config = PromptConfig(template=TEMPLATE[1], separator=" ")
    classifier = FewShotClassifier(
        bundle.language_model, bundle.tokenizer, examples, {"0": "four", "1": "five six"}, config
    )
    told = classifier.label(["one two", "nine  nine"])
    assert [row[0] for row in rows] == [one.label for one in told]
    assert [float(row[1]) for row in rows] == pytest.approx([np.exp(one.logprobs[one.label]) for one in told], abs=1e-4)


def test_json_says_probabilities_with_and_without_calibration(
    labelled: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path / "bundle", "decoder")
    read_from("one two\nnine\n", monkeypatch)
    found = ziggurat(
        "prompt", bundle.path, "-", "--lines", "--examples", labelled, "--shots", "4", *TEMPLATE, *ANSWERS, "--json"
    )
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert [row["text"] for row in rows] == ["one two", "nine"]
    for row in rows:
        assert list(row) == ["version", "text", "label", "probabilities", "uncalibrated", "shots", "shortened"]
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert sum(row["uncalibrated"].values()) == pytest.approx(1)
        assert row["probabilities"][row["label"]] == max(row["probabilities"].values())
        assert (row["shots"], row["shortened"]) == (4, False)


def test_measured_texts_give_accuracy_both_ways_and_the_majority(
    labelled: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    bundle = make_bundle(tmp_path / "bundle", "decoder")
    measured = tmp_path / "dev.tsv"  # texts that the prompt never shows, each with the label of a training text
    measured.write_text("".join(f"{text} eight\t{label}\n" for text, label in ROWS), encoding="utf-8")
    options = ["--measure", measured, "--examples", labelled, "--shots", "2", *TEMPLATE, *ANSWERS]
    found = json.loads(ziggurat("prompt", bundle.path, *options, "--json").out)
    assert (found["texts"], found["shots"], found["majority"]) == (5, 2, {"label": "0", "accuracy": 3 / 5})
    for name in ("uncalibrated", "calibrated"):
        assert 0 <= found[name]["low"] <= found[name]["accuracy"] <= found[name]["high"] <= 1
    difference = found["calibrated"]["accuracy"] - found["uncalibrated"]["accuracy"]
    assert found["difference"]["value"] == pytest.approx(difference)
    table = ziggurat("prompt", bundle.path, *options).out.splitlines()
    unclear = found["difference"]["p_value"] >= 0.05 and found["difference"]["smallest_detectable"]
    detectable = ["smallest difference that so many texts show"] if unclear else []
    starts = ["texts", "uncalibrated", "calibrated", "difference", *detectable, "always the commonest label"]
    assert [line.split("  ")[0] for line in table] == starts
    assert f"{found['calibrated']['accuracy']:.1%}" in table[2]
    assert table[-1].endswith("60.0%")


def test_texts_that_the_prompt_shows_are_not_measured(labelled: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", "ngram")
    options = ["--measure", labelled, "--examples", labelled, *TEMPLATE, *ANSWERS, "--json"]
    ended = ziggurat("prompt", bundle.path, *options, "--shots", "2")
    assert json.loads(ended.out)["texts"] == 3  # 5 − 2 shots
    assert "2 of 5 texts stand in the prompt with their labels: they are not measured" in ended.err
    limited = ziggurat("prompt", bundle.path, *options, "--shots", "2", "--limit", "3")
    assert json.loads(limited.out)["texts"] == 3  # the limit counts what is measured
    chinese = ziggurat("prompt", bundle.path, *options, "--shots", "2", "--lang", "zh")
    assert "5 个文本中有 2 个" in chinese.err
    everything = ziggurat("prompt", bundle.path, *options, "--shots", "5", "--unbalanced")
    assert (everything.code, everything.out) == (2, "")
    assert "the prompt shows every text of it" in everything.err


def test_without_calibration_there_is_one_way(labelled: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", "ngram")
    options = ["--measure", labelled, "--examples", labelled, "--shots", "2", *TEMPLATE, *ANSWERS, "--no-calibrate"]
    found = json.loads(ziggurat("prompt", bundle.path, *options, "--json", "--limit", "3").out)
    assert found["texts"] == 3
    assert "calibrated" not in found
    assert "difference" not in found


def test_the_seed_chooses_the_examples_and_show_prints_them(labelled: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", "ngram")
    options = ["--measure", labelled, "--examples", labelled, *ANSWERS, "--show"]
    shown = {ziggurat("prompt", bundle.path, *options, "--shots", "2", "--seed", str(seed)).out for seed in range(9)}
    assert len(shown) > 3
    prompt = ziggurat("prompt", bundle.path, *options, "--shots", "1", "--instruction", r"Mind.\n").out
    assert prompt.startswith("Mind.\nText: ")
    assert prompt.endswith("\n\nText: one two\nLabel:\n")


def test_chinese_is_labelled_in_chinese(tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch) -> None:
    family, tokenizer = FAMILIES.get("decoder"), speaking_tokenizer()
    config = from_mapping(family.config, {"layers": 1, "width": 12, "heads": 2}, where="test")
    model = family.build(config, tokenizer.vocabulary, seed=7)
    provenance = Provenance()
    run = save(tmp_path / "run", family="decoder", model=model, tokenizer=tokenizer, provenance=provenance).path
    examples = tmp_path / "例.csv"
    examples.write_text("label,review\n1,塔楼登上第七级台阶\n0,老石匠在沉默中\n1,在黎明\n0,又一次\n", encoding="utf-8")
    read_from("陌生人记得白石\n", monkeypatch)
    options = ["--examples", examples, "--shots", "2", "--labels", "0=沉默,1=黎明"]
    found = ziggurat("prompt", run, "-", *options, "--lang", "zh")
    label, chance, text = found.out.rstrip("\n").split("\t")
    assert (found.code, text) == (0, "陌生人记得白石")
    assert label in {"0", "1"}
    assert 0.5 <= float(chance) <= 1
    shown = ziggurat("prompt", run, "--measure", examples, *options, "--show").out
    assert shown.endswith("文本：塔楼登上第七级台阶\n标签：\n")
    table = ziggurat("prompt", run, "--measure", examples, *options, "--lang", "zh").out
    assert [line.split()[0] for line in table.splitlines()] == ["文本", "未校准", "已校准", "差", "总是最常见的标签"]


def test_what_does_not_fit_is_said(labelled: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", "decoder")  # reads 64 words at once
    long = tmp_path / "long.tsv"
    long.write_text("text\tlabel\n" + "one " * 59 + "\t0\n" + "two " * 97 + "\t1\nthree\t1\n", encoding="utf-8")
    options = ["--examples", labelled, "--shots", "4", *TEMPLATE, *ANSWERS, "--measure", long]
    found = ziggurat("prompt", bundle.path, *options, "--quiet")
    assert found.code == 0
    assert "warning: 2 of 3 prompts hold fewer than 4 examples" in found.err
    assert "warning: of 1 of 3 texts only the beginning fits" in found.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["TEXT"], "--examples: give a file of labelled texts"),
        ([], "give either texts to label, or --measure FILE"),
        (["TEXT", "--measure", "FILE"], "give either texts to label, or --measure FILE"),
        (["TEXT", "--shots", "0"], "--labels: name the labels"),
        (["TEXT", "--shots", "0", "--labels", "one"], "1 labels: there is nothing to tell apart"),
        (["TEXT", "--shots", "0", "--labels", "a=one,a=two"], "--labels: label 'a' stands there twice"),
        (["TEXT", "--shots", "0", "--labels", "a=one,=two"], "--labels: '=two' is not LABEL=WORDS"),
        (["TEXT", "--shots", "0", "--labels", "a=one,b="], "--labels: 'b=' is not LABEL=WORDS"),
        (["TEXT", "--examples", "FILE", "--labels", "0=one,2=two"], "--labels: unknown label '2'"),
        (["TEXT", "--examples", "FILE", "--labels", "0=one"], "--labels: has no words for label '1' of the examples"),
        (["TEXT", "--examples", "FILE", "--shots", "6"], "label '1' has only 2"),
        (["TEXT", "--examples", "FILE", "--shots", "9", "--unbalanced"], "9 shots, but there are only 5 examples"),
        (["TEXT", "--examples", "FILE", "--shots", "-1"], "--shots: must be at least 0, got -1"),
        (["TEXT", "--examples", "FILE", "--template", "{text}"], "needs {text} once and {label} once"),
        (["TEXT", "--examples", "FILE", "--template", "{txt} {label}"], "unknown field 'txt'; did you mean 'text'?"),
        (["TEXT", "--examples", "FILE", "--score", "max"], "--score: unknown value 'max'"),
        (["TEXT", "--examples", "no.tsv"], "no.tsv"),
        (["--measure", "FILE", "--shots", "0", "--labels", "a=one,b=two"], "unknown label '0'"),
        (["--measure", "FILE", "--examples", "FILE", "--lines"], "--lines: goes with texts to label"),
        (["TEXT", "--examples", "FILE", "--exampels", "x"], "did you mean '--examples'?"),
        (["TEXT", "--examples", "FILE", "--limit", "0"], "--limit: must be at least 1, got 0"),
        (["EMPTY", "--examples", "FILE", "--labels", "0=one,1=two"], "no text in it"),
    ],
)
def test_refusals_are_one_line_that_says_what_to_do(
    options: list[str], said: str, labelled: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    bundle = make_bundle(tmp_path / "bundle", "ngram")
    (tmp_path / "text.txt").write_text("one two\n", encoding="utf-8")
    (tmp_path / "empty.txt").write_text(" \n", encoding="utf-8")
    named = {"TEXT": str(tmp_path / "text.txt"), "FILE": str(labelled), "EMPTY": str(tmp_path / "empty.txt")}
    found = ziggurat("prompt", bundle.path, *(named.get(word, word) for word in options))
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert found.err.count("\n") == 1
    assert found.err.startswith("error: ")


def test_word_vectors_can_not_be_prompted(labelled: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    learnt = make_bundle(tmp_path / "bundle", "word_vectors").path
    found = ziggurat("prompt", learnt, "--measure", labelled, "--examples", labelled)
    assert (found.code, found.out) == (2, "")
    assert "word_vectors" in found.err


def test_an_opened_bundle_is_left_as_it_was(labelled: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", "recurrent")
    ziggurat("prompt", bundle.path, "--measure", labelled, "--examples", labelled, "--shots", "2", *TEMPLATE, *ANSWERS)
    load(bundle.path, verify=True)
