"""Folders of runs: who may work in one, what is left behind, and how events are read."""

import json
from pathlib import Path
from typing import Any

import pytest

from ziggurat.artefacts.recipe import load_recipe
from ziggurat.artefacts.runs import new_folder, open_run, read_metrics
from ziggurat.core.errors import ArtefactError, InputError, InterruptedRunError, TooLittleTextError, UsageError


def finish(folder: Path) -> None:
    (folder / "bundle").mkdir()
    (folder / "bundle" / "ziggurat.json").write_text("{}")


def test_a_new_run_leaves_its_whole_recipe(tmp_path: Path) -> None:
    recipe = load_recipe("ngram").change({"model.order": 3, "seed": 7}).with_sources(["a.txt"])
    with open_run(tmp_path / "run", recipe) as run:
        assert run.recipe == recipe
        assert not run.finished
        assert (run.bundle, run.metrics) == (tmp_path / "run" / "bundle", tmp_path / "run" / "metrics.jsonl")
    with open_run(tmp_path / "run") as again:
        assert again.recipe.to_mapping() == recipe.to_mapping()
        assert again.recipe.sources == ("a.txt",)
        finish(again.folder)
        assert again.finished


@pytest.mark.parametrize(
    ("ended", "said"),
    [(False, "holds an unfinished run; go on with '--resume"), (True, "holds a finished run; choose another --out")],
)
def test_a_run_is_not_written_over(ended: bool, said: str, tmp_path: Path) -> None:
    with open_run(tmp_path, load_recipe("ngram")):
        pass
    if ended:
        finish(tmp_path)
    before = (tmp_path / "recipe.toml").read_bytes()
    with pytest.raises(UsageError, match=said), open_run(tmp_path, load_recipe("gpt")):
        pytest.fail("opened")
    assert (tmp_path / "recipe.toml").read_bytes() == before


@pytest.mark.parametrize("name", ["text/train.csv", "bundle/notes.txt", "metrics.jsonl", "text", "letters.txt"])
def test_files_of_others_are_not_written_over(name: str, tmp_path: Path) -> None:
    own = tmp_path / name
    own.parent.mkdir(exist_ok=True)
    own.write_text("mine")
    said = f"holds other files \\({Path(name).parts[0]}\\), and a new run needs an empty folder; choose another --out$"
    with pytest.raises(UsageError, match=said), open_run(tmp_path, load_recipe("ngram")):
        pytest.fail("opened")
    assert own.read_text() == "mine"
    assert not (tmp_path / "recipe.toml").exists()


def test_what_a_system_keeps_hidden_is_in_nobody_s_way(tmp_path: Path) -> None:
    (tmp_path / ".directory").write_text("a view")
    with open_run(tmp_path, load_recipe("ngram")) as run:
        assert not run.finished
    assert (tmp_path / ".directory").read_text() == "a view"


def test_what_is_no_run_can_t_go_on(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"no run to go on with \(recipe\.toml is missing\)"), open_run(tmp_path):
        pytest.fail("opened")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="file: a file, not a folder"), open_run(tmp_path / "file"):
        pytest.fail("opened")


def test_a_recipe_that_broke_since_is_named(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("family = ")
    with pytest.raises(ArtefactError, match=r"recipe\.toml: not TOML: Invalid value \(at end"), open_run(tmp_path):
        pytest.fail("opened")


def test_nobody_works_in_a_folder_that_is_taken(tmp_path: Path) -> None:
    recipe = load_recipe("ngram")
    for second in (None, recipe):
        with open_run(tmp_path / str(second is None), recipe) as run:
            said = r"another process works in this run; wait for it or choose another --out$"
            with pytest.raises(UsageError, match=said), open_run(run.folder, second):
                pytest.fail("opened")
        with open_run(run.folder) as free:
            assert free.recipe.family == "ngram"


@pytest.mark.parametrize("error", [InputError, InterruptedRunError, KeyboardInterrupt])
def test_a_run_that_fails_can_be_opened_again(error: type[BaseException], tmp_path: Path) -> None:
    def fail() -> None:
        with open_run(tmp_path / "run", load_recipe("ngram")) as run:
            (run.folder / "checkpoints").mkdir()
            raise error("stopped")

    with pytest.raises(error):
        fail()
    with open_run(tmp_path / "run") as again:
        assert again.recipe.family == "ngram"


def test_text_that_can_t_be_used_leaves_no_new_folder_and_harms_no_old_one(tmp_path: Path) -> None:
    def prepare(names: tuple[str, ...]) -> None:
        with open_run(tmp_path / "new", load_recipe("ngram")) as run:
            for name in names:
                (run.folder / name / "inside").mkdir(parents=True)
                run.metrics.write_text("{}")
            raise TooLittleTextError("nothing")

    for names in ((), ("text",), ("text", "tokens")):
        with pytest.raises(TooLittleTextError):
            prepare(names)
        assert not (tmp_path / "new").exists()
    with open_run(tmp_path / "old", load_recipe("ngram")):
        pass
    with pytest.raises(TooLittleTextError), open_run(tmp_path / "old"):
        raise TooLittleTextError("nothing")
    assert (tmp_path / "old" / "recipe.toml").is_file()


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("novels-gpt", "novels-gpt"),
        ("My text!-gpt", "My-text-gpt"),
        ("小说-gpt", "小说-gpt"),
        ("../../etc", "etc"),
        ("a/b\\c:d", "a-b-c-d"),
        (".hidden.", "hidden"),
        ("???", "run"),
        ("", "run"),
    ],
)
def test_names_become_folders_below_the_base(name: str, folder: str, tmp_path: Path) -> None:
    made = [new_folder(tmp_path / "runs", name) for _ in range(3)]
    assert [path.name for path in made] == [folder, f"{folder}-2", f"{folder}-3"]
    assert {path.parent for path in made} == {tmp_path / "runs"}
    assert all(path.is_dir() for path in made)


def test_a_file_of_the_same_name_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    assert new_folder(tmp_path, "x").name == "x-2"
    assert (tmp_path / "x").read_text() == "mine"


def test_events_are_read_past_what_a_killed_process_left(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [{"event": "step", "loss": 3.5}, {"event": "eval", "text": "塔"}]
    path = tmp_path / "metrics.jsonl"
    whole = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    path.write_bytes(whole.encode() + b'{"event": "ste')
    assert read_metrics(path) == events
    path.write_bytes(b"\xff\xfe\n[1]\n7\n\n" + whole.encode())
    assert read_metrics(path) == events
    assert read_metrics(tmp_path / "none.jsonl") == []
