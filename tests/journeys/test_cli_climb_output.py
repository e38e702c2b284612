"""What the command climb says of a climb whose figures are known: table, sentences, JSON, report and its absence."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.climbs import climb as known
from tests.fakes.climbs import tried
from tests.journeys.conftest import Ended, Ziggurat
from ziggurat.core.errors import InterruptedRunError
from ziggurat.study.entrants import Entry
from ziggurat.study.result import Climb
from ziggurat.surface.terminal import width_of

Climbing = Callable[..., Ended]


@pytest.fixture
def asked() -> list[Entry]:
    """What the study was asked for."""
    return []


@pytest.fixture
def climbing(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, asked: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> Climbing:
    """The command with a study that has its result at once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("vl_convert.vegalite_to_svg", lambda spec: "<svg></svg>")

    def run(*arguments: str, result: Climb | None = None) -> Ended:
        def study(entry: Entry, *, listener: Any, **rest: Any) -> Climb:
            assert set(rest) <= {"workers"}
            asked.append(entry)
            entry.folder.mkdir(parents=True, exist_ok=True)
            listener({"event": "stage", "stage": "text"})
            return result or known()

        monkeypatch.setattr("ziggurat.study.climb.climb", study)
        return ziggurat("climb", texts, *arguments)

    return run


def test_the_table_is_ranked_and_set_in_columns(climbing: Climbing) -> None:
    ended = climbing()
    assert ended.code == 0, ended.err
    table, _, sentences = ended.out.partition("\n\n")
    rows = table.splitlines()
    assert [row.split()[0] for row in rows] == ["model", "mixture", "gpt", "ngram", "xz"]
    # the columns after the name end at one place, so full rows are as wide as their head
    assert len({width_of(row) for row in rows[:-1]}) == 1
    assert rows[1].split() == ["mixture", "1.500", "1.470", "–", "1.540", "3,250,000", "13.0", "MB", "61", "s"]
    assert rows[4].split() == ["xz", "-9e", "3.000"]
    # gpt 2.0 − mixture 1.5 = 0.5 bits per byte, a quarter of 2.0; xz: half of 3.0
    assert "Use mixture: it needs 1.500 bits for each byte of 3 held-out documents" in sentences
    assert "0.500 bits per byte (25.0 %; p < 0.001)" in sentences
    assert "50 % fewer bits than xz -9e" in sentences
    assert "<" not in sentences.replace("p < 0.001", "")  # no HTML on a terminal


def test_in_chinese_the_table_and_the_report_are_chinese(climbing: Climbing) -> None:
    ended = climbing("--lang", "zh", "--out", "run")
    rows = ended.out.partition("\n\n")[0].splitlines()
    assert rows[0].split() == ["模型", "每字节比特数", "95%", "区间", "参数", "大小", "训练"]
    assert len({width_of(row) for row in rows[:-1]}) == 1
    assert '<html lang="zh">' in Path("run/report.html").read_text(encoding="utf-8")


def test_the_words_name_folder_report_and_what_to_do_next(climbing: Climbing) -> None:
    ended = climbing("--out", "a run")
    lines = ended.err.splitlines()
    assert lines[0] == "run folder: a run"
    assert lines[1] == "reading text …"
    assert lines[-2] == "report: a run/report.html"
    command = lines[-1].removeprefix("next: ")
    assert shlex.split(command) == ["ziggurat", "generate", "a run/mixture/bundle", "--prompt", "…"]


def test_json_holds_the_whole_climb(climbing: Climbing) -> None:
    ended = climbing("--json", "--quiet", "--out", "run")
    assert ended.err == ""
    found = json.loads(ended.out)
    assert list(found) == ["version", "run", "climb"]
    assert Climb.from_json(json.dumps(found["climb"]), where="standard output") == known()


def test_the_study_is_asked_for_what_was_typed(climbing: Climbing, asked: list[Entry], texts: Path) -> None:
    climbing("--minutes", "2.5", "--seed", "7", "--field", "text", "--encoding", "gb18030", "--out", "run")
    (entry,) = asked
    assert (entry.sources, entry.folder, entry.minutes, entry.seed) == ((str(texts),), Path("run"), 2.5, 7)
    assert (entry.text.field, entry.text.encoding, entry.title) == ("text", "gb18030", "tower.jsonl")
    assert shlex.split(entry.command) == ["ziggurat", "climb", str(texts), "--minutes", "2.5"]


def test_unless_told_a_new_folder_below_runs_is_named_after_the_text(climbing: Climbing, asked: list[Entry]) -> None:
    for _ in range(2):
        assert climbing("--quiet").code == 0
    assert [entry.folder for entry in asked] == [Path("runs/tower-climb"), Path("runs/tower-climb-2")]


def test_the_demo_is_climbed_beside_ones_own_text(climbing: Climbing, asked: list[Entry], texts: Path) -> None:
    climbing("--demo", "zh", "--out", "run")
    assert asked[0].sources == (str(texts), "demo:zh")


@pytest.mark.parametrize("package", ["altair", "vl_convert"])
def test_without_the_packages_that_draw_there_is_a_result_and_a_warning(
    package: str, climbing: Climbing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # how Python remembers what can't be imported
    ended = climbing("--out", "run", "--quiet")
    assert ended.code == 0, ended.err
    assert "1.500" in ended.out
    assert ended.err.startswith("warning: no report: ")
    assert ended.err.count("\n") == 1
    assert "[report]" in ended.err  # what to install
    assert not Path("run/report.html").exists()


def test_a_climb_that_is_stopped_names_its_folder(
    texts: Path, tmp_path: Path, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> Climb:
        raise InterruptedRunError("stopped at step 7")

    monkeypatch.setattr("ziggurat.study.climb.climb", stop)
    ended = ziggurat("climb", texts, "--out", tmp_path / "run", "--quiet")
    assert (ended.code, ended.out) == (130, "")
    said = f"{tmp_path / 'run'} holds what was done; run the command again to begin anew"
    assert ended.err == f"error: stopped; {said}\n"


def test_a_tie_is_told_as_a_tie(climbing: Climbing) -> None:
    ended = climbing(result=known(distinguishable=False))
    assert "can't be told apart from gpt" in ended.out
    assert "about 1.7 times as much held-out text would decide it" in ended.out


def test_whether_vectors_pay_is_the_last_that_is_said(climbing: Climbing) -> None:
    assert climbing(result=tried()).out.splitlines()[-1].startswith("It pays to begin the LSTM with vectors: lstm-ve")
    chinese = climbing("--lang", "zh", "--out", "other", result=tried())
    assert chinese.out.splitlines()[-1].startswith(
        "让 LSTM 从词向量开始是值得的：lstm-vectors 比 lstm 每字节少用 0.125"
    )
    # a climb that knows nothing of vectors says nothing of them
    assert "vectors" not in climbing("--out", "third").out
