"""From pairs of files to a model that translates: trained, measured, asked, by the command line in both languages."""

import json
from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.surface.cli import main

pytest.importorskip("sacrebleu", reason="the extra tasks is not installed")

NUMBERS = {"de": ("eins", "zwei", "drei", "vier", "fünf"), "en": ("one", "two", "three", "four", "five")}
TINY = ["--tokens.kind", "words", "--model.layers", "1", "--model.decoder_layers", "1", "--model.width", "24"]
SHORT = ["--model.heads", "2", "--model.feedforward", "48", "--model.context", "16", "--model.dropout", "0"]
STEPS = ["--training.steps", "150", "--training.warmup_steps", "10", "--training.rows", "32", "--training.window", "16"]


def sentences(language: str, first: int, count: int) -> list[str]:
    """Sentences of four numbers each, alike in both languages, all different, in an order without order."""
    numbers = [place * 211 % 5**4 for place in range(first, first + count)]
    digits = [[number // 5**power % 5 for power in range(4)] for number in numbers]
    return [" ".join(NUMBERS[language][digit] for digit in row) for row in digits]


def pairs(folder: Path, name: str, first: int, count: int) -> str:
    for language in NUMBERS:
        lines = "".join(f"{line}\n" for line in sentences(language, first, count))
        (folder / f"{name}.{language}").write_text(lines, encoding="utf-8")
    return f"{folder}/{name}.de,{folder}/{name}.en"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that translates numbers, with files of its own to choose and to measure on."""
    folder = tmp_path_factory.mktemp("task")
    train, dev, test = pairs(folder, "train", 0, 520), pairs(folder, "dev", 520, 40), pairs(folder, "test", 560, 60)
    out = folder / "a run"
    words = ["task", "translation", "train", train, "--dev", dev, "--test", test, "--out", str(out), "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        assert main([*words, *TINY, *SHORT, *STEPS]) == 0
    return out


def test_training_measures_on_the_files_held_out(run: Path) -> None:
    manifest = load(run).manifest
    found = manifest.metrics["test"]
    assert found["examples"] == 60
    assert found["bleu"] > 60
    assert found["bleu_low"] <= found["bleu"] <= found["bleu_high"] <= 100
    assert found["chrf"] > 60
    assert "label_smoothing = 0.1" in (run / "recipe.toml").read_text(encoding="utf-8")
    assert "| BLEU (test) |" in (run / "bundle" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_evaluating_says_what_it_is_worth(run: Path, language: str, tmp_path: Path, ziggurat: Ziggurat) -> None:
    name = pairs(tmp_path, "more", 560, 20)
    (tmp_path / "more.en").write_text("something else altogether here\n" * 20, encoding="utf-8")
    ended = ziggurat("task", "translation", "evaluate", run, name, "--lang", language)
    assert ended.code == 0, ended.err
    assert "tok:13a" in ended.out
    assert "nc:6" in ended.out
    assert ("length ratio" in ended.out) == (language == "en")
    assert ("The worst errors" in ended.out) == (language == "en")
    assert "something else altogether here" in ended.out
    ended = ziggurat("task", "translation", "evaluate", run, name, "--json")
    found = json.loads(ended.out)
    assert (found["examples"], found["classes"], found["confusions"]) == (20, [], [])
    assert found["metrics"]["bleu"]["value"] < 10
    assert found["signatures"]["bleu"].startswith("nrefs:1|case:mixed")
    assert found["oddities"]["empty"] == 0
    assert len(found["errors"]) == 10


def test_pairs_with_an_empty_side_are_counted(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    lines = [f"{one}\t{one if place % 2 else ''}\n" for place, one in enumerate(sentences("de", 560, 20))]
    (tmp_path / "p.tsv").write_text("".join(lines), encoding="utf-8")
    ended = ziggurat("task", "translation", "evaluate", run, tmp_path / "p.tsv")
    assert ended.code == 0, ended.err
    assert f"10 of 20 pairs have an empty side and are left out (first: {tmp_path / 'p.tsv'}:1)" in ended.err
    head, row = ended.out.splitlines()[:2]
    assert (head.split()[-1], row.split()[-1]) == ("examples", "10")


def test_a_table_and_a_memory_hold_the_same_pairs(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    both = list(zip(sentences("de", 560, 20), sentences("en", 560, 20), strict=True))
    (tmp_path / "p.tsv").write_text("".join(f"{one}\t{other}\n" for one, other in both), encoding="utf-8")
    units = "".join(
        f'<tu><tuv xml:lang="en"><seg>{other}</seg></tuv><tuv xml:lang="de"><seg>{one}</seg></tuv></tu>\n'
        for one, other in both
    )
    (tmp_path / "p.tmx").write_text(f'<tmx version="1.4"><header srclang="de"/><body>{units}</body></tmx>', "utf-8")
    found = [
        json.loads(ziggurat("task", "translation", "evaluate", run, tmp_path / name, "--json").out)["metrics"]
        for name in ("p.tsv", "p.tmx", "p.tmx:de:en")
    ]
    assert found[0] == found[1] == found[2]
    backwards = ziggurat("task", "translation", "evaluate", run, f"{tmp_path}/p.tmx:en:de", "--json")
    assert json.loads(backwards.out)["metrics"]["bleu"]["value"] < found[0]["bleu"]["value"]


def test_predicting_writes_a_line_for_a_line(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "a.txt").write_text("eins zwei drei vier\n\nfünf vier drei zwei\n", encoding="utf-8")
    ended = ziggurat("task", "translation", "predict", run, tmp_path / "a.txt")
    assert ended.code == 0, ended.err
    lines = ended.out.split("\n")
    assert len(lines) == 4
    assert [bool(line) for line in lines] == [True, False, True, False]
    assert set(lines[0].split()) <= set(NUMBERS["en"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "no file was named: ziggurat task translation train"),
        (["train", "a.de,none.en"], "none.en"),
        (["train", "a.de,short.en"], "a.de:2: "),
        (["train", "broken.tmx"], "broken.tmx:2: not well-formed XML"),
        (["train", "a.de,a.en", "--recipe", "linear"], "recipe linear learns nothing of this task"),
        (["train", "a.de,a.en", "--dev", "none.tsv"], "none.tsv"),
        (["evaluate", "nowhere", "a.de,a.en"], "nowhere"),
    ],
)
def test_what_can_not_be_is_an_error_of_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ziggurat: Ziggurat
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in (("a.de", "eins\nzwei\n"), ("a.en", "one\ntwo\n"), ("short.en", "one\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "broken.tmx").write_text("<tmx>\n<body></tmx>", encoding="utf-8")
    ended = ziggurat("task", "translation", *words)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err.splitlines()[-1]


def test_a_classifier_translates_nothing(tmp_path: Path, ziggurat: Ziggurat) -> None:
    from tests.fakes.bundles import make_bundle

    made = make_bundle(tmp_path / "tiny", "linear")
    ended = ziggurat("task", "translation", "evaluate", made.path, pairs(tmp_path, "a", 0, 3))
    assert ended.code == 2
    assert "ziggurat task translation train" in ended.err


def test_what_can_not_be_drawn_or_translated_is_refused_at_once(run: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("eins\tone\n", encoding="utf-8")
    ended = ziggurat("task", "translation", "evaluate", run, pairs, "--picture", tmp_path / "a.png")
    assert (ended.code, ended.out) == (2, "")
    assert "--picture: answers of translation have no labels to confuse; leave it out" in ended.err
    for name in ("memory.tmx", "lines.jsonl", "lines.ndjson", "table.TSV", "memory.tmx.gz", "lines.jsonl.xz"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
        for words in (("task", "translation", "predict"), ("translate",)):
            ended = ziggurat(*words, run, tmp_path / name)
            assert (ended.code, ended.out) == (2, "")
            assert f"{name}: what is translated is a text a line" in ended.err
