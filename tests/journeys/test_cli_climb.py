"""From text to a ranking, a report and bundles by one command, and its numbers made again."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.study.reproduce import TOLERANCE, read_climb
from ziggurat.study.result import Climb
from ziggurat.surface.cli import main

ENTRANTS = {"ngram", "lstm", "lstm-vectors", "gpt", "counted-lstm", "mixture"}


@pytest.fixture
def copied(climbed: Path, tmp_path: Path) -> Path:
    """The climb in a folder of its own, to be changed."""
    return Path(shutil.copytree(climbed, tmp_path / "copied"))


def found(folder: Path) -> Climb:
    return read_climb(folder)[0]


# -- what a climb leaves ----------------------------------------------------------------------------------------------


def test_every_family_is_there_as_a_bundle_that_opens(climbed: Path) -> None:
    climb = found(climbed)
    assert {entrant.name for entrant in climb.entrants} == ENTRANTS
    for entrant in climb.entrants:
        bundle = load(climbed / entrant.bundle, verify=True)
        assert bundle.manifest.family == entrant.family
        assert bundle.tokenizer.fingerprint == climb.tokenizer["fingerprint"]
        assert bundle.manifest.entry("metrics.test.bits_per_byte") == pytest.approx(entrant.bits_per_byte)


def test_the_ranking_is_by_bits_per_byte_and_its_parts_agree(climbed: Path) -> None:
    climb = found(climbed)
    figures = [entrant.bits_per_byte for entrant in climb.entrants]
    assert figures == sorted(figures)
    assert climb.recommended == climb.entrants[0].name
    assert climb.best_single == next(entrant.name for entrant in climb.entrants if entrant.name != "mixture")
    for entrant in climb.entrants:
        # Σ nats / ln 2 / bytes = bits per byte
        bits = sum(entrant.nats) / 0.6931471805599453 / climb.held_out_bytes
        assert bits == pytest.approx(entrant.bits_per_byte, rel=1e-6)
        assert entrant.low <= entrant.bits_per_byte <= entrant.high
        assert len(entrant.nats) == climb.held_out_documents == climb.corpus["splits"]["test"]["documents"]


def test_a_mixture_is_not_worse_than_the_best_of_its_parts(climbed: Path) -> None:
    climb = found(climbed)
    assert climb.entrant("mixture").bits_per_byte <= climb.entrant(climb.best_single).bits_per_byte + 0.02


def test_it_ends_within_its_budget_and_says_what_it_was_spent_on(climbed: Path) -> None:
    climb = found(climbed)
    assert climb.budget_seconds == pytest.approx(60 * float(climbed.name.split()[-1]))
    assert sum(climb.spent.values()) <= climb.seconds + 0.01
    assert climb.seconds < 2 * climb.budget_seconds  # generous: other processes may hold the cores
    assert [stage for stage in climb.spent if stage.startswith("train ")][-1] == "train mixture"


def test_each_recipe_says_which_tokenizer_the_climb_chose(climbed: Path) -> None:
    tokenizer = found(climbed).tokenizer
    for name in ENTRANTS:
        recipe = load_recipe(str(climbed / name / "recipe.toml"))
        assert recipe.tokenizer == tokenizer["kind"]
        assert getattr(recipe.tokens, "vocab_size", tokenizer["vocabulary"]) == tokenizer["vocabulary"]
    parts = load_recipe(str(climbed / "mixture" / "recipe.toml")).parts
    assert {part.name for part in parts} == ENTRANTS - {"mixture"}


def test_the_lstm_with_vectors_is_the_other_lstm_in_all_else(climbed: Path) -> None:
    plain, begun = (load(climbed / name).manifest for name in ("lstm", "lstm-vectors"))
    assert begun.recipe["model"] == plain.recipe["model"]
    assert begun.training["steps"] == plain.training["steps"]
    assert begun.model["parameters"] == plain.model["parameters"]
    trial = found(climbed).trial
    assert trial is not None
    assert (trial.plain, trial.begun, trial.needed_minutes) == ("lstm", "lstm-vectors", 0)
    facts = begun.training["vectors"]
    assert (trial.found, trial.of) == (facts["found"], facts["of"])
    assert trial.of == found(climbed).tokenizer["vocabulary"]
    assert 0.5 < trial.found / trial.of <= 1  # of the 256 bytes English text uses few, of the merges nearly all
    vectors = load(climbed / "lstm-vectors" / "vectors" / "bundle", verify=True)
    assert vectors.manifest.files["model.safetensors"]["sha256"] == facts["arrays"]
    assert vectors.encoder.width == begun.recipe["model"]["embedding"]


def test_words_have_vectors_that_can_be_asked(climbed: Path, ziggurat: Ziggurat) -> None:
    space = found(climbed).word_space
    assert space is not None
    assert "skipgram" not in {entrant.name for entrant in found(climbed).entrants}
    shown = space.neighbourhoods[0]
    ended = ziggurat("vectors", "nearest", climbed / space.bundle, shown.word, "--count", "3", "--json", "--quiet")
    assert ended.code == 0, ended.err
    (answer,) = json.loads(ended.out)["answers"]
    assert [one["word"] for one in answer["nearest"]] == [word for word, _ in shown.nearest[:3]]
    page = (climbed / "report.html").read_text(encoding="utf-8")
    assert all(f"<strong>{one.word}</strong>" in page for one in space.neighbourhoods)


def test_the_report_stands_beside_the_numbers_and_shows_them(climbed: Path) -> None:
    page = (climbed / "report.html").read_text(encoding="utf-8")
    climb = found(climbed)
    for entrant in climb.entrants:
        assert f"<td>{entrant.bits_per_byte:.3f}</td>" in page
    assert "<svg" in page
    assert not re.search(r'(?:src|href)="https?:', page)
    # the folder's name holds a space, so a shell needs quotes
    commands = [line.strip() for line in re.findall(r"<pre>(.*?)</pre>", page)]
    again = shlex.split(commands[-1].replace("&#39;", "'"))
    assert again == ["ziggurat", "reproduce", str(climbed / "report.html")]


def test_every_bundle_of_a_climb_is_used_like_every_other(climbed: Path, ziggurat: Ziggurat) -> None:
    for name in sorted(ENTRANTS):
        ended = ziggurat("generate", climbed / name / "bundle", "--prompt", "the", "--max-tokens", "5")
        assert (ended.code, ended.out[:3]) == (0, "the")


# -- reproduce --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "report.html", "climb.json"])
def test_scored_again_the_numbers_are_the_same(name: str, climbed: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("reproduce", climbed / name, "--json", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    again = json.loads(ended.out)
    assert again["tolerance"] == TOLERANCE
    assert {check["name"] for check in again["checks"]} == ENTRANTS
    assert all(check["holds"] and abs(check["before"] - check["after"]) <= 1e-6 for check in again["checks"])


@pytest.mark.slow
def test_trained_again_step_for_step_the_numbers_are_the_same(climbed: Path, ziggurat: Ziggurat) -> None:
    before = {path: path.stat().st_mtime_ns for path in climbed.rglob("*") if path.is_file()}
    ended = ziggurat("reproduce", climbed, "--train", "--json", "--quiet")
    assert ended.code == 0, ended.err
    assert all(check["holds"] for check in json.loads(ended.out)["checks"])
    assert {path: path.stat().st_mtime_ns for path in climbed.rglob("*") if path.is_file()} == before


def test_a_number_that_was_changed_is_found(copied: Path, ziggurat: Ziggurat) -> None:
    raw = json.loads((copied / "climb.json").read_text(encoding="utf-8"))
    entrant = next(one for one in raw["entrants"] if one["name"] == "gpt")
    entrant["bits_per_byte"] -= 0.01
    (copied / "climb.json").write_text(json.dumps(raw), encoding="utf-8")
    ended = ziggurat("reproduce", copied)
    assert ended.code == 3
    assert ended.err.splitlines()[-1] == f"error: {copied}: gpt came out otherwise (tolerance 0.001 bits per byte)"
    row = next(line.split() for line in ended.out.splitlines() if line.startswith("gpt"))
    assert row[-1] == "+0.0100"


def test_weights_that_were_changed_are_found(copied: Path, ziggurat: Ziggurat) -> None:
    path = copied / "lstm" / "bundle" / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-100] ^= 255
    path.write_bytes(raw)
    ended = ziggurat("reproduce", copied, "--quiet")
    assert (ended.code, ended.out) == (2, "")
    assert "model.safetensors" in ended.err


@pytest.mark.parametrize(
    ("gone", "message"),
    [("climb.json", "no such report"), ("gpt/bundle", "gpt"), ("corpus", "corpus")],
)
def test_what_is_gone_is_named(gone: str, message: str, copied: Path, ziggurat: Ziggurat) -> None:
    path = copied / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    ended = ziggurat("reproduce", copied, "--quiet")
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err


def test_a_page_that_is_no_report_is_refused(tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "page.html").write_text("<html></html>", encoding="utf-8")
    ended = ziggurat("reproduce", tmp_path / "page.html")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("page.html: not the report of a climb: it holds no data\n")


# -- refusals before anything is done ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no text was named: ziggurat climb TEXT…, or try it with --demo en"),
        (["--minutes", "0"], "--minutes: must be at least 0.1, got 0.0"),
        (["nowhere.txt"], "nowhere.txt"),
        (["--demo", "de"], "--demo: unknown value 'de'; known: en, zh"),
        (["--minuts", "3"], "unknown option '--minuts'; did you mean '--minutes'?"),
    ],
)
def test_a_climb_that_cannot_be_makes_no_folder(
    arguments: list[str], message: str, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = ziggurat("climb", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err
    assert list(tmp_path.iterdir()) == []


def test_a_finished_climb_is_not_written_over(climbed: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    other = tmp_path / "other.txt"
    other.write_text("another text altogether\n" * 30, encoding="utf-8")
    before = (climbed / "climb.json").read_bytes()
    ended = ziggurat("climb", other, "--minutes", "0.1", "--out", climbed)
    assert (ended.code, ended.out) == (2, "")
    assert "choose another --out" in ended.err
    assert (climbed / "climb.json").read_bytes() == before


def test_a_climb_that_is_stopped_says_so(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ziggurat.study.climb.prepare", stop)
    assert main(["climb", str(texts), "--out", str(tmp_path / "run"), "--quiet"]) == 130
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert str(tmp_path / "run") in err
