"""From text to "choose N because …" by one command: what it leaves, on after an interruption, and what it refuses."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.conftest import Ended, Ziggurat
from ziggurat.artefacts.bundle import load
from ziggurat.study.size_result import EmbeddingSizes
from ziggurat.surface.cli import main

SIZES = ["--sizes", "2,3,5", "--seeds", "2"]
FAST = ["--training.threads", "1", "--training.epochs", "2", "--tokens.min_count", "2"]
ANALOGIES = """: paths
tower river stranger mason
stranger mason tower river
river tower mason stranger
"""
SIMILARITY = "tower river 8\nclimbs crosses 7\ntower climbs 2\nmason stranger 9\nstone word 3\ndawn rain 6\n"


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each kind that a task can have."""
    folder = tmp_path_factory.mktemp("questions")
    (folder / "analogies.txt").write_text(ANALOGIES, encoding="utf-8")
    (folder / "similarity.txt").write_text(SIMILARITY, encoding="utf-8")
    rows = [("the tower climbs the road", "up") if n % 2 else ("her sister forgets", "down") for n in range(40)]
    labels = "".join(f"{label}\t{text} {number}\n" for number, (text, label) in enumerate(rows))
    (folder / "labels.tsv").write_text(labels, encoding="utf-8")
    return folder


def study(ziggurat: Ziggurat, texts: Path, folder: Path, *more: str | Path) -> Ended:
    return ziggurat("study", "embedding-size", texts, *SIZES, *FAST, "--out", folder, *more)


@pytest.fixture(scope="module")
def done(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has come to its end."""
    folder = tmp_path_factory.mktemp("done") / "study"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ZIGGURAT_TRACEBACK", raising=False)
        words = ["study", "embedding-size", texts, *SIZES, *FAST, "--out", folder, "--quiet", "--json"]
        assert main([str(word) for word in words]) == 0
    return folder


@pytest.fixture
def copied(done: Path, tmp_path: Path) -> Path:
    """The same in a folder of its own, to be changed."""
    return Path(shutil.copytree(done, tmp_path / "study", copy_function=shutil.copy2))


def found(folder: Path) -> EmbeddingSizes:
    path = folder / "study.json"
    return EmbeddingSizes.from_json(path.read_text(encoding="utf-8"), where=str(path))


def test_a_study_leaves_its_answer_a_bundle_and_pictures(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    folder = tmp_path / "study of sizes"
    ended = study(ziggurat, texts, folder)
    assert ended.code == 0, ended.err
    told = found(folder)
    assert (told.sizes, told.seeds, told.recipe, told.tokens > 1000) == ((2, 3, 5), 2, "skipgram", True)
    assert [verdict.task for verdict in told.verdicts] == ["loss"]
    assert re.search(rf"(?m)^Choose {told.chosen}\b.* because ", ended.out)
    bundle = load(folder / told.bundle, verify=True)
    assert bundle.encoder.width == told.chosen
    assert bundle.manifest.seed == 0
    names = {path.name for path in folder.iterdir() if path.name[0] != "."}
    assert names == {"recipe.toml", "text", "tokens", "points", "bundle", "study.json", "report.html", "report.png"}
    # answers and costs stay, bundles of other sizes do not
    assert sorted(path.name for path in (folder / "points").iterdir()) == [
        f"size-{size}-seed-{seed}.json" for size in (2, 3, 5) for seed in (0, 1)
    ]
    assert (folder / "report.png").read_bytes().startswith(b"\x89PNG")
    assert ended.err.splitlines()[-1] == f"next: ziggurat describe {shlex.quote(str(folder / 'bundle'))}"
    assert "size 5, seed 1 (6 of 6)" in ended.err


def test_the_score_is_what_the_trainer_measured_on_held_out_text(done: Path) -> None:
    told = found(done)
    training = load(done / "bundle").manifest.training
    row = told.verdicts[0].choice.row(told.chosen)
    # the bundle is that of the first seed; parts are rounded to 0.0001 nats
    assert row.by_seed[0] == pytest.approx(training["dev_loss"], rel=1e-4)
    assert row.score == pytest.approx(np.mean(row.by_seed))
    assert told.verdicts[0].questions == len(training["dev_parts"])
    cost = told.cost(told.chosen)
    assert cost.bundle_bytes == load(done / "bundle").manifest.size_bytes
    assert cost.train_seconds <= training["seconds"]


def test_every_yardstick_at_once_and_the_first_decides(
    texts: Path, questions: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    tasks = [f"similarity={questions / 'similarity.txt'}", f"labels={questions / 'labels.tsv'}", "loss"]
    tasks.append(f"analogies={questions / 'analogies.txt'}")
    options = [word for task in tasks for word in ("--task", task)]
    ended = study(ziggurat, texts, tmp_path / "study", *options, "--json")
    assert ended.code == 0, ended.err
    content = json.loads(ended.out)
    assert content["version"] == 1
    assert content["run"] == str(tmp_path / "study")
    told = found(tmp_path / "study")
    assert content["study"] == json.loads(told.to_json())
    assert [verdict.task for verdict in told.verdicts] == tasks
    assert told.chosen == told.verdicts[0].choice.chosen
    assert [verdict.questions for verdict in told.verdicts[:2]] == [6, 40]
    assert told.verdicts[1].choice.row(5).score > 0.9  # its two classes share no word


def test_the_same_command_again_asks_and_trains_nothing_anew(texts: Path, copied: Path, ziggurat: Ziggurat) -> None:
    before = found(copied)
    bundle = (copied / "bundle" / "model.safetensors").stat().st_mtime_ns
    ended = study(ziggurat, texts, copied)
    assert ended.code == 0, ended.err
    assert "training" not in ended.err
    assert found(copied).verdicts == before.verdicts
    assert (copied / "bundle" / "model.safetensors").stat().st_mtime_ns == bundle
    # what was spent before is not forgotten
    assert found(copied).seconds >= before.seconds - 0.1


def test_a_study_can_be_widened(texts: Path, questions: Path, copied: Path, ziggurat: Ziggurat) -> None:
    ended = study(ziggurat, texts, copied, "--sizes", "2,3,5,7")
    assert ended.code == 0, ended.err
    assert ended.err.count("training skipgram") - (found(copied).chosen in (2, 3, 5)) in (1, 2)
    assert found(copied).sizes == (2, 3, 5, 7)
    assert load(copied / "bundle").encoder.width == found(copied).chosen
    # a new task asks models again that were not kept
    ended = study(ziggurat, texts, copied, "--task", f"similarity={questions / 'similarity.txt'}")
    assert ended.code == 0, ended.err
    assert next(verdict.task for verdict in found(copied).verdicts).startswith("similarity=")


def test_the_environment_and_a_recipe_of_one_s_own(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('family = "word_vectors"\ntrainer = "word2vec"\n[tokens]\nkind = "words"\n', encoding="utf-8")
    monkeypatch.setenv("ZIGGURAT_TRAINING_WINDOW", "2")
    ended = study(ziggurat, texts, tmp_path / "study", "--recipe", mine, "--training.architecture", "cbow")
    assert ended.code == 0, ended.err
    recipe = load(tmp_path / "study" / "bundle").manifest.recipe
    assert (recipe["training"]["architecture"], recipe["training"]["window"]) == ("cbow", 2)
    assert found(tmp_path / "study").recipe == "mine"


def test_chinese_text_and_chinese_words(chinese_texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    ended = study(ziggurat, chinese_texts, tmp_path / "study", "--lang", "zh")
    assert ended.code == 0, ended.err
    assert re.search(r"(?m)^请选 [235] 维", ended.out)
    assert "落后最好者" in ended.out
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh">' in page


def test_without_the_packages_that_draw_the_answer_is_there(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    ended = study(ziggurat, texts, tmp_path / "study")
    assert ended.code == 0, ended.err
    assert "no report: " in ended.err
    assert "ziggurat[report]" in ended.err
    assert "Choose" in ended.out


# -- interruptions ----------------------------------------------------------------------------------------------------


def test_a_study_that_was_killed_goes_on_behind_what_was_done(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    folder = tmp_path / "study"
    command = [sys.executable, "-m", "ziggurat", "study", "embedding-size", str(texts), "--sizes", "2,3,5"]
    command += ["--seeds", "2", *FAST, "--out", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ))
    first = folder / "points" / "size-2-seed-0.json"
    deadline = time.monotonic() + 100
    while not first.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert first.exists()
    stamp = first.stat().st_mtime_ns
    ended = study(ziggurat, texts, folder)
    assert ended.code == 0, ended.err
    assert first.stat().st_mtime_ns == stamp
    assert found(folder).sizes == (2, 3, 5)


def test_an_interrupted_study_says_how_to_go_on(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ziggurat.artefacts.fit import fit as plain

    folder = tmp_path / "study"
    calls = []

    def stopping(*given: object, **more: object) -> object:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("ziggurat.study.embedding_size.fit", stopping)
    ended = study(ziggurat, texts, folder)
    assert ended.code == 130
    line = ended.err.splitlines()[-1]
    assert line.startswith("error: stopped; go on with: ziggurat study embedding-size ")
    again = shlex.split(line.partition("go on with: ")[2])[1:]
    assert ziggurat(*again).code == 0
    # two were trained before, the third was stopped; four of six remain, and the chosen one is opened
    assert len(calls) == 3 + 4 + 1
    assert found(folder).sizes == (2, 3, 5)


# -- refusals ---------------------------------------------------------------------------------------------------------

REFUSED = [
    (["--sizes", "5,3"], "--sizes: at least 2 sizes in ascending order, not 5,3"),
    (["--sizes", "5"], "--sizes: at least 2 sizes in ascending order, not 5"),
    (["--sizes", "5,5"], "--sizes: at least 2 sizes in ascending order, not 5,5"),
    (["--sizes", "5,many"], "--sizes: expected whole numbers separated by commas, like 25,50,100, not '5,many'"),
    (["--sizes", "2.5,3"], "--sizes: expected whole numbers"),
    (["--sizes", "0,3"], "--sizes: must be from 1 to 65536, got 0"),
    (["--sizes", "-3,3"], "--sizes: must be from 1 to 65536, got -3"),
    (["--sizes", "3,70000"], "--sizes: must be from 1 to 65536, got 70000"),
    (["--seeds", "0"], "--seeds: must be from 1 to 100, got 0"),
    (["--seed", "-1"], "--seed: must be at least 0, got -1"),
    (["--task", "los"], "--task: unknown task 'los'; did you mean 'loss'?"),
    (["--task", "analogies"], "--task analogies: needs a file"),
    (["--task", "loss", "--task", "loss"], "--task: name each task once"),
    (["--task", "labels=/no/such/file.tsv"], "--task labels: /no/such/file.tsv: no such file"),
    (["--recipe", "ngram"], "--recipe ngram: a ngram model has no width to choose"),
    (["--recipe", "skipgramm"], "unknown recipe 'skipgramm'; did you mean 'skipgram'?"),
    (["--training.epoch", "3"], "did you mean '--training.epochs'?"),
    (["--szies", "3,5"], "unknown option '--szies'; did you mean '--sizes'?"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
def test_what_can_not_be_is_said_before_any_work(
    words: list[str], message: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = ziggurat("study", "embedding-size", texts, *words)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert ended.out == ""
    assert list(tmp_path.iterdir()) == []


def test_labels_that_can_not_be_read_are_named_with_their_line(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("up\tthe tower\ndown\tthe river\nup\n", encoding="utf-8")
    ended = ziggurat("study", "embedding-size", texts, "--task", f"labels={path}", "--out", tmp_path / "study")
    assert ended.code == 2
    assert f"--task labels: {path}:3: " in ended.err
    assert not (tmp_path / "study").exists()


def test_no_text_and_no_such_text(ziggurat: Ziggurat, tmp_path: Path) -> None:
    ended = ziggurat("study", "embedding-size")
    assert (ended.code, "no text was named" in ended.err) == (2, True)
    ended = ziggurat("study", "embedding-size", tmp_path / "nothing.txt", "--out", tmp_path / "study")
    assert (ended.code, "no such file" in ended.err) == (2, True)
    assert not (tmp_path / "study").exists()


def test_a_folder_with_another_study_is_left_alone(texts: Path, copied: Path, ziggurat: Ziggurat) -> None:
    before = found(copied)
    ended = study(ziggurat, texts, copied, "--training.window", "2")
    assert ended.code == 2
    assert f"{copied}: holds a study with another training; choose another --out" in ended.err
    assert found(copied) == before


def test_a_file_where_the_folder_should_be(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "study").write_text("mine", encoding="utf-8")
    ended = study(ziggurat, texts, tmp_path / "study")
    assert ended.code == 2
    assert f"{tmp_path / 'study'}: a file, not a folder" in ended.err


def test_a_point_that_is_damaged_is_made_again(texts: Path, copied: Path, ziggurat: Ziggurat) -> None:
    before = found(copied)
    path = copied / "points" / "size-3-seed-1.json"
    path.write_text(path.read_text(encoding="utf-8")[:40], encoding="utf-8")
    ended = study(ziggurat, texts, copied)
    assert ended.code == 0, ended.err
    assert ended.err.count("training skipgram") == 1
    # one thread and one seed: the same vectors, the same answers
    assert found(copied).verdicts == before.verdicts


def test_the_overview_of_studies(ziggurat: Ziggurat) -> None:
    ended = ziggurat("study", "--help")
    assert ended.code == 0
    assert "embedding-size  Train word vectors of several sizes" in ended.out
    ended = ziggurat("study", "embeding-size")
    assert (ended.code, "did you mean 'embedding-size'?" in ended.err) == (2, True)
