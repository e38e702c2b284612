"""The benchmark of translation: what it trains is a recipe that exists, and what it reads is what is there."""

import gzip
from pathlib import Path

import pytest

from benchmarks.tasks import translation
from benchmarks.tasks.translation import SETTINGS, main, training_command
from ziggurat.artefacts.recipe import load_recipe


def test_the_settings_are_keys_of_the_recipe() -> None:
    recipe = load_recipe("article-transformer").change(SETTINGS)
    assert recipe.model.width % recipe.model.heads == 0
    assert recipe.training.label_smoothing == 0.1
    assert recipe.text.test == 0


def test_the_command_trains_for_so_many_minutes_on_both_files() -> None:
    command = training_command([Path("a.de"), Path("a.en")], Path("run"), {"model.width": 8}, minutes=22.5, seed=3)
    words = [str(word) for word in command]
    assert words[3:5] == ["train", "a.de,a.en"]
    assert words[words.index("--minutes") + 1] == "22.5"
    assert words[words.index("--seed") + 1] == "3"
    assert words[-2:] == ["--model.width", "8"]


def test_a_quick_run_reads_the_first_lines_only(tmp_path: Path) -> None:
    for language in ("de", "en"):
        with gzip.open(tmp_path / f"train.{language}.gz", "wt", encoding="utf-8") as file:
            file.write("".join(f"{language} {number}\n" for number in range(2003)))
        (tmp_path / f"test_2016_flickr.{language}").write_text("ein\nzwei\n\n" * 20, encoding="utf-8")
    short = tmp_path / "short"
    short.mkdir()
    texts = translation._texts(tmp_path, ("de", "en"), short, quick=True)
    assert [len(translation._lines(path)) for path in texts] == [2000, 2000, 40, 40]
    whole = translation._texts(tmp_path, ("en", "de"), short, quick=False)
    assert [path.name for path in whole[:3]] == ["train.en.gz", "train.de.gz", "test_2016_flickr.en"]
    assert translation._lines(whole[0])[-1] == "en 2002"
    assert translation._lines(whole[2])[:3] == ["ein", "zwei", ""]


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="give two languages, as de-en"):
        main(["--direction", "de", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"no train\.de in"):
        main(["--data", str(tmp_path)])
