"""The benchmark of translation: what it trains is a recipe that exists, and what it reads is what is there."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.tasks import translation
from benchmarks.tasks.translation import FLOORS, GOALS, RECIPE, main, training_command
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.use.tasks import TASKS

LANGUAGES = ("de", "en")


def captions(folder: Path, pairs: int) -> None:
    """Write a data set of the benchmark's form, in which each word has its translation."""
    numbers = {"de": ["eins", "zwei", "drei", "vier", "fünf"], "en": ["one", "two", "three", "four", "five"]}
    for language in LANGUAGES:
        for split, first, count in (("train", 0, pairs), ("val", 50, 20), ("test_2016_flickr", 80, 40)):
            words = [
                " ".join(numbers[language][(place * 7 + turn * (place // 5 + 1)) % 5] for turn in range(4))
                for place in range(first, first + count)
            ]
            content = "".join(f"{line} {place}\n" for place, line in enumerate(words, start=first))
            path = folder / f"{split}.{language}"
            if split == "train":
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content.encode()))
            else:
                path.write_text(content, encoding="utf-8")


def test_the_recipe_is_the_first_of_the_task() -> None:
    assert TASKS.get("translation").recipes[0] == RECIPE
    recipe = load_recipe(RECIPE)
    assert recipe.model.width % recipe.model.heads == 0
    assert recipe.training.label_smoothing == 0.1
    assert all(GOALS[direction] > floor for direction, floor in FLOORS.items())


def test_the_command_trains_chooses_and_measures() -> None:
    files = ["a.de,a.en", "b.de,b.en", "c.de,c.en"]
    command = training_command(
        files, Path("run"), {"model.width": "8"}, recipe=RECIPE, budget=("minutes", "21.5"), seed=3
    )
    words = [str(word) for word in command]
    assert words[3:7] == ["task", "translation", "train", "a.de,a.en"]
    for flag, value in (
        ("--dev", "b.de,b.en"),
        ("--test", "c.de,c.en"),
        ("--training.minutes", "21.5"),
        ("--seed", "3"),
    ):
        assert words[words.index(flag) + 1] == value
    assert words[-2:] == ["--model.width", "8"]


def test_a_quick_run_reads_the_first_lines_only(tmp_path: Path) -> None:
    captions(tmp_path, 2003)
    short = tmp_path / "short"
    short.mkdir()
    names = translation._files(tmp_path, LANGUAGES, short, quick=True)
    read = [[len(translation._lines(Path(path))) for path in name.split(",")] for name in names]
    assert read == [[2000, 2000], [20, 20], [40, 40]]
    whole = translation._files(tmp_path, ("en", "de"), short, quick=False)
    assert [Path(path).name for path in whole[0].split(",")] == ["train.en.gz", "train.de.gz"]
    assert translation._lines(Path(whole[0].split(",")[0]))[-1].endswith(" 2002")


def test_a_quick_run_tells_what_it_measured(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sacrebleu", reason="the extra tasks is not installed")
    monkeypatch.setattr(translation, "QUICK_MINUTES", 0.02)
    captions(tmp_path, 400)
    main(["--quick", "--data", str(tmp_path), "--threads", "1"])
    out = capfd.readouterr().out
    assert "tok:13a" in out
    found = json.loads(out.splitlines()[-1])
    assert (found["benchmark"], found["direction"], found["floor"]) == ("translation", "de-en", 32)
    (seed,) = found["seeds"]
    assert seed["sentences"] == 40
    assert 0 <= seed["low"] <= seed["bleu"] <= seed["high"] <= 100
    assert set(seed["oddities"]) == {"length_ratio", "empty", "copied", "repeated"}


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="give two languages, as de-en"):
        main(["--direction", "de", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"no train\.de in"):
        main(["--data", str(tmp_path)])
