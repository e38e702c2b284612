"""What lies on the disk is not what was written there: each command says which file, and makes nothing worse."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.conftest import Ended, Ziggurat
from ziggurat.core.errors import InterruptedRunError
from ziggurat.core.types import Event
from ziggurat.surface.api import train

Damage = Callable[[Path], None]


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def halve(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def remove(path: Path) -> None:
    path.unlink()


DAMAGES = pytest.mark.parametrize("damage", [flip, halve, empty, remove], ids=lambda damage: damage.__name__)


def listing(folder: Path) -> dict[str, bytes]:
    """Every file and its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(ended: Ended, *said: str, word: str = "error: ") -> None:
    assert ended.code == 2, ended.err
    assert ended.out == ""
    *_, last = ended.err.splitlines()
    assert last.startswith(word)
    assert [line for line in ended.err.splitlines() if line.startswith(word)] == [last]
    assert "Traceback" not in ended.err
    for part in said:
        assert part in last


@pytest.fixture
def bundle(counted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(counted / "bundle", tmp_path / "bundle"))


# -- bundles ----------------------------------------------------------------------------------------------------------


@DAMAGES
@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "ziggurat.json"])
def test_no_command_works_with_a_damaged_bundle(
    name: str, damage: Damage, bundle: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    damage(bundle / name)
    before = listing(bundle)
    for words in (
        ["generate", bundle, "--quiet"],
        ["score", bundle, texts, "--json"],
        ["evaluate", bundle, texts, "--record", "again"],
        ["export", bundle, tmp_path / "model.arpa"],
    ):
        refused(ziggurat(*words), "ziggurat.json" if name == "ziggurat.json" else name)
    assert listing(bundle) == before
    assert not (tmp_path / "model.arpa").exists()


@DAMAGES
def test_a_damaged_card_is_found_by_who_asks_and_stops_nobody_else(
    damage: Damage, bundle: Path, ziggurat: Ziggurat
) -> None:
    damage(bundle / "README.md")
    refused(ziggurat("describe", bundle, "--check"), "README.md")
    if damage is not remove:
        assert ziggurat("generate", bundle, "--max-tokens", "1").code == 0


def test_the_manifest_alone_is_enough_to_be_described(bundle: Path, ziggurat: Ziggurat) -> None:
    flip(bundle / "model.safetensors")
    assert "ngram" in ziggurat("describe", bundle, "--json").out
    refused(ziggurat("describe", bundle, "--check"), "model.safetensors: damaged")


def test_another_tokenizer_than_the_models_is_refused(
    bundle: Path, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    assert ziggurat("tokenize", texts, "--kind", "bytes", "--out", tmp_path / "t.json", "--quiet").code == 0
    (bundle / "tokenizer.json").write_bytes((tmp_path / "t.json").read_bytes())
    refused(ziggurat("generate", bundle), "tokenizer.json")


def test_an_error_in_chinese_keeps_the_file_s_name(bundle: Path, ziggurat: Ziggurat) -> None:
    flip(bundle / "config.json")
    refused(ziggurat("generate", bundle, "--lang", "zh"), str(bundle / "config.json"), word="错误")


@pytest.mark.parametrize("content", ["", "{}", "[", '{"version": "1.0"}', "塔", "\x00\x01"])
def test_a_tokenizer_file_that_is_none_is_refused(
    content: str, texts: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    path = tmp_path / "t.json"
    path.write_text(content, encoding="utf-8")
    refused(ziggurat("tokenize", texts, "--tokenizer", path, "--out", tmp_path / "new.json"), "t.json")
    assert not (tmp_path / "new.json").exists()


# -- runs and their checkpoints ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def halfway(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny network that Ctrl-C stopped after its tenth step."""
    folder = tmp_path_factory.mktemp("runs") / "halfway"

    def stop(event: Event) -> None:
        if event["event"] == "step" and event["step"] == 10:
            os.kill(os.getpid(), signal.SIGINT)

    tiny = {"layers": 1, "width": 8, "heads": 2, "context": 32}
    settings: dict[str, object] = {f"model.{name}": value for name, value in tiny.items()}
    settings |= {"tokens.vocab_size": 300, "training.steps": 23, "training.precision": "f32"}
    with pytest.raises(InterruptedRunError, match="go on with: ziggurat train --resume"):
        train(texts, "gpt", out=folder, settings=settings, listener=stop)
    return folder


@pytest.fixture
def run(halfway: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(halfway, tmp_path / "run"))


def checkpoints(run: Path) -> list[Path]:
    found = sorted((run / "checkpoints").rglob("*.safetensors"))
    assert found
    return found


def test_a_whole_run_goes_on_and_ends(run: Path, ziggurat: Ziggurat) -> None:
    ended = ziggurat("train", "--resume", run, "--json", "--quiet")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["bundle"], found["training"]["steps"]) == (str(run / "bundle"), 23)


@pytest.mark.parametrize("damage", [flip, halve, empty], ids=lambda damage: damage.__name__)
def test_a_run_whose_checkpoints_are_all_damaged_names_one_and_keeps_them(
    damage: Damage, run: Path, ziggurat: Ziggurat
) -> None:
    for path in checkpoints(run):
        damage(path)
    before = {path: path.read_bytes() for path in checkpoints(run)}
    refused(ziggurat("train", "--resume", run, "--quiet"), "checkpoints", "damaged", "remove it")
    assert {path: path.read_bytes() for path in checkpoints(run)} == before
    assert not (run / "bundle").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "recipe.toml"),
        ("family = ", "recipe.toml"),
        ('family = "gtp"\n', "gtp"),
        ('family = "decoder"\nsed = 3\n', "did you mean 'seed'?"),
    ],
)
def test_a_run_whose_recipe_was_spoilt_is_refused(content: str, said: str, run: Path, ziggurat: Ziggurat) -> None:
    (run / "recipe.toml").write_text(content, encoding="utf-8")
    before = listing(run)
    refused(ziggurat("train", "--resume", run, "--quiet"), str(run / "recipe.toml"), said)
    assert listing(run) == before


def test_a_run_whose_prepared_text_is_gone_prepares_it_again(run: Path, ziggurat: Ziggurat) -> None:
    shutil.rmtree(run / "text")
    ended = ziggurat("train", "--resume", run)
    assert ended.code == 0, ended.err
    assert "reading text …" in ended.err


def test_a_run_whose_text_and_source_are_gone_says_so(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    source = tmp_path / "tower.jsonl"
    shutil.copyfile(texts, source)
    words = ["--recipe", "ngram", "--tokens.kind", "bytes", "--model.order", "2", "--quiet"]
    assert ziggurat("train", source, *words, "--out", tmp_path / "run").code == 0
    for name in ("text", "tokens", "bundle"):
        shutil.rmtree(tmp_path / "run" / name, ignore_errors=True)
    source.unlink()
    refused(ziggurat("train", "--resume", tmp_path / "run", "--quiet"), "tower.jsonl: no such file or folder")


# -- places that are taken --------------------------------------------------------------------------------------------


def test_a_file_where_a_run_should_go_stays(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "run").write_text("mine", encoding="utf-8")
    for command in (["train", texts, "--recipe", "ngram"], ["climb", texts, "--minutes", "0.1"]):
        ended = ziggurat(*command, "--out", tmp_path / "run", "--quiet")
        assert (ended.code in (1, 2), ended.out, ended.err.count("\n")) == (True, "", 1)
        assert str(tmp_path / "run") in ended.err
    assert (tmp_path / "run").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_may_not_be_made_is_named(texts: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for words in (
        ["train", texts, "--recipe", "ngram", "--out", tmp_path / "file" / "run"],
        ["tokenize", texts, "--kind", "bytes", "--out", tmp_path / "file" / "t.json"],
    ):
        ended = ziggurat(*words, "--quiet")
        assert (ended.code in (1, 2), ended.out, ended.err.count("\n")) == (True, "", 1)
        assert "file" in ended.err
        assert "unexpected" not in ended.err
