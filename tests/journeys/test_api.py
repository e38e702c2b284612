"""The few lines of Python: train, load, write, score and measure, as the package's front page shows them."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest

import ziggurat
from tests.journeys.conftest import Ziggurat
from ziggurat.artefacts.bundle import load as load_bundle
from ziggurat.core.errors import ArtefactError, InputError, TooLittleTextError, UnknownNameError, UsageError
from ziggurat.core.types import Event

TEXT = "the tower climbs the long road at dawn. a stranger counts every word in silence."


@pytest.fixture(scope="module")
def model(counted: Path) -> ziggurat.Model:
    return ziggurat.load(counted)


# -- train ------------------------------------------------------------------------------------------------------------


def test_three_lines_train_write_and_measure(texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = ziggurat.train(texts, recipe="ngram", settings={"tokens.vocab_size": 300})
    assert model.path == Path("runs/tower-ngram/bundle")
    assert isinstance(model.generate("the tower", temperature=0.8), str)
    assert 0 < model.evaluate(texts)["bits_per_byte"] < 8
    again = ziggurat.load("runs/tower-ngram")
    assert again.generate("the", seed=3) == model.generate("the", seed=3)
    assert "ngram model at runs/tower-ngram/bundle" in repr(again)


def test_the_listener_hears_the_run_in_order_and_the_terminal_nothing(
    texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[Event] = []
    settings = {"tokens.kind": "bytes"}
    ziggurat.train([texts], "ngram", out=tmp_path / "run", settings=settings, listener=heard.append)
    stages = [str(event["stage"]) for event in heard if event["event"] == "stage"]
    assert stages == sorted(
        stages, key=["text", "tokenizer", "ids", "training", "bundle", "evaluate"].index
    )  # each comes in its turn
    assert {"text", "training", "evaluate"} <= {*stages}
    assert capsys.readouterr() == ("", "")


def test_the_command_and_the_function_train_the_same_model(
    texts: Path, tmp_path: Path, counted: Path, ziggurat: Ziggurat
) -> None:
    import ziggurat as package

    package.train([os.fspath(texts)], "ngram", out=tmp_path / "run", settings={"tokens.vocab_size": 300})
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "run" / "bundle" / name).read_bytes() == (counted / "bundle" / name).read_bytes()
    ours = json.loads(ziggurat("evaluate", tmp_path / "run", texts, "--json").out)
    theirs = json.loads(ziggurat("evaluate", counted, texts, "--json").out)
    assert ours["bits_per_byte"] == theirs["bits_per_byte"]


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"recipe": "ngrm"}, UnknownNameError, "unknown recipe 'ngrm'; did you mean 'ngram'"),
        ({"settings": {"model.ordr": 3}}, UnknownNameError, "did you mean '--?model.order'"),
        ({"settings": {"model.order": 0}}, UsageError, "model.order"),
        ({"settings": {"model.order": "five"}}, UsageError, "expected a whole number"),
        ({"minutes": 3.0}, UsageError, "takes no budget"),
    ],
)
def test_what_can_t_be_trained_is_refused_before_a_folder_is_made(
    keys: dict[str, object], error: type[Exception], message: str, texts: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        ziggurat.train(texts, **{"recipe": "ngram", "out": tmp_path / "run", **keys})  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_text_that_can_t_be_used_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("short\n", encoding="utf-8")
    with pytest.raises(InputError, match="too little text"):
        ziggurat.train(tmp_path / "a.txt", "ngram", out=tmp_path / "run")
    with pytest.raises(InputError, match="no such file or folder"):
        ziggurat.train(tmp_path / "b.txt", "ngram", out=tmp_path / "run")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_a_runs_folder_is_not_trained_in_twice(counted: Path, texts: Path) -> None:
    before = (counted / "bundle" / "ziggurat.json").read_bytes()
    with pytest.raises(UsageError, match="holds a finished run"):
        ziggurat.train(texts, "ngram", out=counted)
    assert (counted / "bundle" / "ziggurat.json").read_bytes() == before


# -- load -------------------------------------------------------------------------------------------------------------


def test_a_run_and_its_bundle_are_the_same_model(counted: Path) -> None:
    one, other = ziggurat.load(str(counted)), ziggurat.load(counted / "bundle", verify=True)
    assert one.path == other.path == counted / "bundle"
    assert one.tokenizer.fingerprint == other.tokenizer.fingerprint
    assert one.score(TEXT) == other.score(TEXT)


def test_what_is_no_bundle_is_refused(tmp_path: Path, texts: Path) -> None:
    for path in (tmp_path, tmp_path / "none", texts):
        with pytest.raises(ArtefactError, match=path.name):
            ziggurat.load(path)


def test_the_names_that_are_promised_are_there() -> None:
    assert {"Model", "load", "train"} <= set(dir(ziggurat))
    with pytest.raises(AttributeError, match="evaluatee"):
        ziggurat.evaluatee  # noqa: B018


# -- write ------------------------------------------------------------------------------------------------------------


def test_one_text_or_many_with_their_figures(model: ziggurat.Model) -> None:
    found = model.continuations(["the tower", "塔"], samples=2, max_tokens=7, seed=5)
    assert len(found) == 4
    assert found[0].text == model.generate("the tower", samples=2, max_tokens=7, seed=5)
    for continuation in found:
        assert len(continuation.ids) <= 7
        assert continuation.logprob < 0
    assert model.generate("the tower", max_tokens=0) == ""


def test_python_and_command_write_the_same(model: ziggurat.Model, counted: Path, ziggurat: Ziggurat) -> None:
    keys = ["--max-tokens", "19", "--seed", "11", "--temperature", "0.7", "--top-k", "5", "--only-new"]
    text = model.generate("her sister", max_tokens=19, seed=11, temperature=0.7, top_k=5)
    assert ziggurat("generate", counted, "--prompt", "her sister", *keys).out == text + "\n"


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"temprature": 1.0}, UnknownNameError, "unknown key 'temprature'; did you mean 'temperature'"),
        ({"temperature": -1.0}, UsageError, "generate: temperature: must be at least 0"),
        ({"top_p": 1.1}, UsageError, "generate: top_p: must be from 0.0 to 1.0"),
        ({"samples": 0}, UsageError, "generate: samples: must be at least 1"),
        ({"max_tokens": 1.5}, UsageError, "generate: max_tokens: expected a whole number"),
        ({"stop": "end"}, UsageError, "generate: stop: expected a list, got 'end'"),
    ],
)
def test_a_wrong_option_is_named(
    keys: dict[str, object], error: type[Exception], message: str, model: ziggurat.Model
) -> None:
    with pytest.raises(error, match=message):
        model.generate("the", **keys)  # type: ignore[arg-type]


# -- score and evaluate -----------------------------------------------------------------------------------------------


def test_scores_add_up_to_what_the_model_itself_says(model: ziggurat.Model) -> None:
    vocabulary = model.tokenizer.vocabulary
    ids = np.array([[vocabulary.bos, *model.tokenizer.encode(TEXT).ids, vocabulary.eos]], np.int32)
    expected = float(model.model.score(ids, np.array([ids.size], np.int32))[0])
    (whole,) = model.score(TEXT)
    assert (whole.text, whole.start, whole.tokens) == (TEXT, 0, ids.size - 1)
    for by in ("token", "sentence", "document"):
        assert sum(part.logprob for part in model.score(TEXT, by=by)) == pytest.approx(expected, abs=1e-3)


def test_bits_per_byte_are_the_scores_over_the_bytes(model: ziggurat.Model, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    found = model.evaluate(tmp_path / "a.txt")
    # −nats / ln 2 / bytes, and one document has no interval but itself
    assert found["bits_per_byte"] == pytest.approx(-model.score(TEXT)[0].logprob / math.log(2) / len(TEXT.encode()))
    assert (found["documents"], found["bytes"]) == (1, len(TEXT))


def test_likely_text_scores_better_than_its_words_turned_round(model: ziggurat.Model) -> None:
    turned = " ".join(reversed(TEXT.split()))
    assert model.score(TEXT)[0].logprob > model.score(turned)[0].logprob


def test_what_has_no_text_can_t_be_measured(model: ziggurat.Model, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(" \n", encoding="utf-8")
    with pytest.raises(TooLittleTextError, match=r"a\.txt: no text in it"):
        model.evaluate([tmp_path / "a.txt"])


def test_the_open_bundle_stands_behind_it(model: ziggurat.Model, counted: Path) -> None:
    assert model.bundle.manifest == load_bundle(counted).manifest
    assert model.model.vocabulary == model.tokenizer.vocabulary
