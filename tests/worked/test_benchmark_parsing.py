"""The benchmark of parsing: which files it reads, and what it tells."""

import gzip
import json
from pathlib import Path

import pytest

from benchmarks.tasks.parsing import SETS, main
from tests.fakes.databases import tower_database
from ziggurat.artefacts.recipe import load_recipe
from ziggurat.text.questions import QUERIES, resolve_questions
from ziggurat.use.tasks import TASKS

CITIES = ("Babylon", "Ur", "Uruk", "Susa")


def lines(first: int, count: int) -> str:
    rows = [
        {
            "utterance": f"how high is the tower of {CITIES[number % 4]} , says {number}",
            "sql": f"SELECT height FROM tower WHERE city_name = '{CITIES[number % 4]}' ;",  # noqa: S608 - a constant
        }
        for number in range(first, first + count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def geography(folder: Path) -> Path:
    for name, first, count in (("train", 0, 40), ("dev", 50, 5), ("test", 60, 8)):
        (folder / f"{name}.jsonl").write_text(lines(first, count), encoding="utf-8")
    tower_database(folder / "geobase.sqlite")
    return folder


def atis(folder: Path) -> Path:
    (folder / "train.jsonl.gz").write_bytes(gzip.compress(lines(0, 40).encode()))
    (folder / "dev.jsonl").write_text(lines(60, 8), encoding="utf-8")
    (folder / "schema.csv").write_text("Table Name, Field Name\ntower, height\ntower, city_name\n", encoding="utf-8")
    return folder


def test_its_recipe_reads_questions() -> None:
    recipe = load_recipe(TASKS.get("parsing").recipes[0])
    assert recipe.text.format == QUERIES
    assert recipe.training.keep == "last"  # nothing is chosen on what is held out
    assert all(chosen.goal > chosen.floor for chosen in SETS.values())


@pytest.mark.parametrize(("name", "made"), [("geography", geography), ("atis", atis)])
def test_every_file_is_one_of_questions_or_a_database(name: str, made: object, tmp_path: Path) -> None:
    made(tmp_path)  # type: ignore[operator]
    found = resolve_questions([file.format(tmp_path) for file in SETS[name].files])
    assert [source.role for source in found].count("database") == 1
    assert "test" in [source.role for source in found]


def test_a_quick_run_on_a_database_tells_both_figures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--data", str(geography(tmp_path)), "--seeds", "2"])
    told = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (told["benchmark"], told["set"], told["figure"]) == ("tasks.parsing", "geography", "execution_match")
    assert len(told["execution_match"]) == len(told["query_match"]) == len(told["seconds"]) == 2
    assert told["ratio"] == pytest.approx(sum(told["execution_match"]) / 2 / 0.65)
    assert told["floor_met"] is (told["ratio"] >= 1)


def test_a_quick_run_with_a_schema_alone_tells_how_queries_are_written(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["--quick", "--set", "atis", "--data", str(atis(tmp_path)), "--seeds", "1"])
    told = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert "execution_match" not in told
    assert told["ratio"] == pytest.approx(told["query_match"][0] / 0.5)


def test_without_data_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["--set", "words", "--data", str(tmp_path)])
