"""``ziggurat transcribe``: recordings written down, ranked by every family, judged, refused, in two languages."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.bundles import make_bundle
from tests.fakes.families import PLAIN_LANGUAGE_FAMILIES
from tests.fakes.hearing import WAYS, hearing, record
from tests.journeys.conftest import Ziggurat
from ziggurat.core.protocols import LanguageModel
from ziggurat.use.rescoring import Hypothesis, RescoringConfig, language_scores, rank

__all__ = ["hearing"]

ARPA = (
    "\\data\\\nngram 1=5\nngram 2=1\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\t-1\n-1\t</s>\n-1\tone\n-1\tzzz\n\n"
    "\\2-grams:\n-1\t<s> one\n\n\\end\\\n"
)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    return [record(tmp_path / "loud.wav", [5, 6, 7]), record(tmp_path / "silent.wav", [0, 0])]


@pytest.mark.usefixtures("hearing")
def test_a_line_a_recording(recordings: list[Path], ziggurat: Ziggurat) -> None:
    found = ziggurat("transcribe", *recordings)
    assert (found.code, found.out) == (0, f"{recordings[0]}\tone two\n{recordings[1]}\t\n")
    assert found.err == f"{recordings[0]}: 2 hypotheses\n{recordings[1]}: 0 hypotheses\n"
    assert ziggurat("transcribe", *recordings, "--quiet").err == ""
    assert ziggurat("transcribe", recordings[0], "--lang", "zh").err == f"{recordings[0]}：2 个假设\n"


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_every_family_ranks(family: str, recordings: list[Path], tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", family)
    heard = [Hypothesis(text, acoustic) for text, acoustic in WAYS.items()]
    logprobs = language_scores(bundle.language_model, bundle.tokenizer, [heard])[0]
    for weight in ("0", "7"):
        found = ziggurat("transcribe", *recordings, "--model", bundle.path, "--lm-weight", weight, "--json")
        assert found.code == 0, found.err
        told = json.loads(found.out)
        assert list(told) == ["version", "model", "arpa", "unit", "weights", "recordings"]
        assert told["weights"] == {"lm_weight": float(weight), "first_weight": 0.0, "word_bonus": 0.0}
        expected = rank(heard, logprobs, RescoringConfig(lm_weight=float(weight)))
        rows = told["recordings"][0]["hypotheses"]
        assert [row["text"] for row in rows] == [one.hypothesis.text for one in expected]
        assert [row["score"] for row in rows] == pytest.approx([one.score for one in expected], abs=1e-3)
        assert told["recordings"][0]["text"] == rows[0]["text"]
        assert (told["recordings"][1]["text"], told["recordings"][1]["hypotheses"]) == ("", [])


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize("family", PLAIN_LANGUAGE_FAMILIES)
def test_what_is_searched_is_ranked_with_the_rest(
    family: str, recordings: list[Path], tmp_path: Path, ziggurat: Ziggurat
) -> None:
    bundle = make_bundle(tmp_path / "bundle", family)
    asked = ("transcribe", *recordings, "--model", bundle.path, "--nbest", "1", "--json")
    assert len(json.loads(ziggurat(*asked).out)["recordings"][0]["hypotheses"]) == 1
    found = ziggurat(*asked, "--beam", "9")
    if not isinstance(bundle.model, LanguageModel):  # it guesses hidden words
        assert (found.code, found.out) == (2, "")
        return
    heard, silent = json.loads(found.out)["recordings"]
    assert {row["text"]: row["acoustic"] for row in heard["hypotheses"]} == pytest.approx(WAYS)
    assert all(row["first"] < 0 for row in heard["hypotheses"])
    assert silent["hypotheses"] == []


@pytest.mark.usefixtures("hearing")
def test_a_recording_goes_on_in_what_was_said_before(tmp_path: Path, ziggurat: Ziggurat) -> None:
    bundle = make_bundle(tmp_path / "bundle", "ngram")
    recordings = [record(tmp_path / f"{name}.wav", [5]) for name in "ab"]
    found = ziggurat("transcribe", *recordings, "--model", bundle.path, "--continued", "--json")
    first, second = json.loads(found.out)["recordings"]
    heard = [Hypothesis(text, acoustic) for text, acoustic in WAYS.items()]
    for told, before in ((first, ""), (second, first["text"])):
        (scores,) = language_scores(bundle.language_model, bundle.tokenizer, [heard], before=[before])
        expected = {one.hypothesis.text: one.logprob for one in rank(heard, scores, RescoringConfig())}
        assert {row["text"]: row["logprob"] for row in told["hypotheses"]} == pytest.approx(expected)


@pytest.mark.usefixtures("hearing")
def test_errors_are_counted(recordings: list[Path], tmp_path: Path, ziggurat: Ziggurat) -> None:
    pytest.importorskip("jiwer", reason="the extra 'speech' is not installed")
    reference = tmp_path / "said"
    reference.write_text("<s> one three </s> (loud)\nsilent\tnine nine\n", encoding="utf-8")
    told = json.loads(ziggurat("transcribe", *recordings, "--reference", reference, "--json").out)
    rates = told["word_error_rate"]
    # of four words one is wrong and two are missed; with the list's best only those two
    assert (rates["chosen"]["rate"], rates["recogniser"]["rate"], rates["best_of_list"]["rate"]) == (0.75, 0.75, 0.5)
    assert rates["words"] == 4
    assert told["model"] is told["weights"] is None
    assert list(told["recordings"][0]["hypotheses"][0]) == ["text", "acoustic", "first"]
    said = ziggurat("transcribe", *recordings, "--reference", reference).err.splitlines()[-1]
    assert said.startswith("word error rate 75.0% (95 % interval ")
    assert said.endswith("the recogniser's own first 75.0%, the best of each list 50.0%")


@pytest.mark.usefixtures("hearing")
def test_words_that_are_never_heard_are_said(recordings: list[Path], tmp_path: Path, ziggurat: Ziggurat) -> None:
    arpa = tmp_path / "words.arpa"
    arpa.write_text(ARPA, encoding="utf-8")
    found = ziggurat("transcribe", recordings[0], "--arpa", arpa, "--quiet")
    assert (found.code, found.out) == (0, f"{recordings[0]}\tone two\n")
    assert "lacks 1 of its words, which are never heard, such as zzz" in found.err
    assert found.err.startswith("warning: ")


@pytest.mark.usefixtures("hearing")
def test_refusals(recordings: list[Path], tmp_path: Path, ziggurat: Ziggurat) -> None:
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"no recording")
    (tmp_path / "said").write_text("loud\tone\n", encoding="utf-8")
    (tmp_path / "again").mkdir()
    again = record(tmp_path / "again" / "loud.wav", [1])
    refused: list[tuple[list[Any], str]] = [
        ([recordings[0], noise], f"{noise}: no WAV file of plain samples"),
        ([tmp_path / "none.wav"], "none.wav: can't be read"),
        ([recordings[0], "--lm-weight", "3"], "--lm-weight: goes with --model only"),
        ([recordings[0], "--word-bonus", "3"], "--word-bonus: goes with --model only"),
        ([recordings[0], "--beam", "3"], "--beam: goes with --model only"),
        ([recordings[0], "--continued"], "--continued: goes with --model only"),
        ([recordings[0], "--nbest", "0"], "--nbest: must be from 1 to 1000"),
        ([recordings[0], "--model", tmp_path / "none"], "none"),
        ([*recordings, "--reference", tmp_path / "said"], "said: no transcript of 'silent'"),
        ([recordings[0], again, "--reference", tmp_path / "said"], "--reference: two recordings have the same name"),
    ]
    for arguments, message in refused:
        found = ziggurat("transcribe", *arguments)
        assert (found.code, found.out) == (2, ""), arguments
        assert message in found.err
