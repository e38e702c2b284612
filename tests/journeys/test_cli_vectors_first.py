"""A network whose embeddings begin with vectors, by the command line and from Python."""

import json
import re
import shutil
from pathlib import Path

import pytest

import ziggurat as package
from tests.journeys.conftest import TINY, Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.runs import read_metrics
from ziggurat.core.errors import UsageError

SMALL = ["--tokens.vocab_size", "300"]
LSTM = ["--recipe", "lstm", "--model.layers", "1", "--model.embedding", "13", "--model.hidden", "17", *SMALL]
ONCE = ["--steps", "2", "--training.rows", "2", "--training.window", "5"]


def test_words_begin_the_pieces_that_are_spelled_like_them(
    learnt: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    run = tmp_path / "run"
    ended = ziggurat("train", texts, *LSTM, *ONCE, "--vectors", learnt, "--out", run)
    assert ended.code == 0, ended.err
    said = re.search(r"embeddings begin with vectors of (.+): (\d+) of (\d+) tokens found", ended.err)
    assert said is not None
    bundle = load(run, verify=True)
    facts = bundle.manifest.training["vectors"]
    assert (facts["from"], facts["found"], facts["of"]) == (said[1], int(said[2]), int(said[3]))
    known = set(load(learnt).words.words()[2:])
    pieces = [bundle.tokenizer.decode([piece]) for piece in range(bundle.tokenizer.vocabulary.size)]
    assert facts["found"] == sum(piece.strip().lower() in known for piece in pieces)
    assert load_recipe(str(run)).vectors == str(learnt)
    (event,) = [event for event in read_metrics(run / "metrics.jsonl") if event["event"] == "vectors"]
    assert event["found"] == facts["found"]


def test_it_is_said_in_chinese_too(learnt: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("--lang", "zh", "train", texts, *LSTM, *ONCE, "--vectors", learnt, "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    assert "的向量开始：300 个词元中找到" in ended.err


def test_a_recipe_learns_its_vectors_from_the_same_tokens_first(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    run = tmp_path / "run"
    keys = ["--vectors.training.epochs", "2", "--vectors.training.threads", "1"]
    # a budget of steps is the network's: the vectors have their epochs
    ended = ziggurat("train", texts, "--steps", "2", *TINY, *SMALL, "--vectors", "cbow", *keys, "--out", run)
    assert ended.code == 0, ended.err
    network, vectors = load(run), load(run / "vectors", verify=True)
    assert vectors.manifest.family == "word_vectors"
    assert vectors.manifest.training["epochs"] == 2
    assert vectors.tokenizer.fingerprint == network.tokenizer.fingerprint
    assert vectors.encoder.width == 8  # the width of the network in TINY
    assert network.manifest.training["vectors"]["found"] > 30
    parts = [event.get("part") for event in read_metrics(run / "vectors" / "metrics.jsonl")]
    assert set(parts) <= {None, "cbow"}
    # its recipe is complete: the run can be repeated from it
    again = tmp_path / "again"
    assert ziggurat("train", "--recipe", run, "--out", again, "--quiet").code == 0
    arrays = [(folder / "bundle" / "model.safetensors").read_bytes() for folder in (run, again)]
    assert arrays[0] == arrays[1]


def test_a_part_of_a_mixture_begins_with_vectors(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    tiny = [word.replace("--model", "--gpt.model") for word in TINY]
    keys = ["--gpt.vectors", "cbow", "--steps", "2", *SMALL]
    ended = ziggurat("train", texts, "--recipe", "mixture", *keys, *tiny, "--out", run)
    assert ended.code == 0, ended.err
    assert "vectors" in load(run / "parts" / "gpt").manifest.training
    assert "vectors" not in load(run).manifest.training


def test_from_python(learnt: Path, texts: Path, tmp_path: Path) -> None:
    keys: dict[str, object] = {"model.layers": 1, "model.embedding": 13, "model.hidden": 17, "tokens.vocab_size": 300}
    keys |= {"training.minutes": None, "training.steps": 2, "training.rows": 2, "vectors": str(learnt)}
    model = package.train(texts, "lstm", out=tmp_path / "run", settings=keys)
    assert model.bundle.manifest.training["vectors"]["found"] > 5


@pytest.fixture
def bundles(learnt: Path, counted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Finished runs by what they hold, seen from an empty folder."""
    monkeypatch.chdir(tmp_path)
    return {"WORDS": str(learnt), "COUNTED": str(counted)}


# -- refusals before anything is made ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vectors", "nowhere"], "nowhere: no such folder; a bundle is the folder that 'ziggurat train' leaves"),
        (["--vectors", "cbwo"], "cbwo: no such folder"),
        (
            ["--vectors", "WORDS", "--model.embedding", "12"],
            "have 13 numbers each and model.embedding is 12: set model.emb",
        ),
        (["--vectors", "COUNTED"], "a ngram model gives no vectors; give one that does"),
        (["--vectors", "gpt"], "a model of family decoder gives no vectors; name a recipe of word vectors"),
        (["--vectors", "WORDS", "--recipe", "ngram"], "--vectors: a model of family ngram embeds no ids"),
        (
            ["--vectors", "WORDS", "--recipe", "mixture"],
            "have 13 numbers each and gpt.model.width is 256: set gpt.model.width to 13",
        ),
        (["--vectrs", "WORDS"], "unknown option '--vectrs'; did you mean '--vectors'?"),
        (
            ["--vectors", "cbow", "--vectors.model.width", "5"],
            "model.width: 5 is not the model's embedding, 13; leave it",
        ),
    ],
)
def test_what_can_t_begin_is_refused_in_one_line(
    arguments: list[str], message: str, bundles: dict[str, str], texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    given = [bundles.get(word, word) for word in arguments]
    base = LSTM if "--recipe" not in given else SMALL
    ended = ziggurat("train", texts, *base, *given)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert message in ended.err
    assert list(tmp_path.iterdir()) == []


def test_vectors_of_another_language_are_refused(learnt: Path, chinese_texts: Path, tmp_path: Path) -> None:
    keys = {"model.layers": 1, "model.embedding": 13, "model.hidden": 17, "tokens.kind": "words"}
    with pytest.raises(UsageError, match=r"has a vector for [01] of \d+ tokens, too few to begin with"):
        package.train(chinese_texts, "lstm", out=tmp_path / "run", settings={**keys, "vectors": str(learnt)})


def test_damaged_vectors_are_refused_with_the_file(
    learnt: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    copied = Path(shutil.copytree(learnt / "bundle", tmp_path / "copied"))
    raw = bytearray((copied / "model.safetensors").read_bytes())
    raw[-5] ^= 255
    (copied / "model.safetensors").write_bytes(raw)
    ended = ziggurat("train", texts, *LSTM, *ONCE, "--vectors", copied, "--out", tmp_path / "run", "--quiet")
    assert (ended.code, ended.out) == (2, "")
    assert "copied/model.safetensors: damaged: its bytes are not those that were written" in ended.err


def test_a_resumed_run_keeps_its_vectors(learnt: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    run = tmp_path / "run"
    assert ziggurat("train", texts, *LSTM, *ONCE, "--vectors", learnt, "--out", run, "--quiet").code == 0
    ended = ziggurat("train", "--resume", run, "--vectors", "cbow")
    assert (ended.code, ended.err) == (
        2,
        "error: --vectors: a resumed run keeps its own text and recipe; leave it out, or begin a new run\n",
    )
    assert json.loads((run / "bundle" / "ziggurat.json").read_text())["recipe"]["vectors"] == str(learnt)
