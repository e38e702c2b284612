"""Maps of words by the command line: the files, what they say, and what stands in them."""

import json
import re
import struct
from pathlib import Path

import pytest

from tests.fakes.word_vectors import bundle_of, themes
from tests.journeys.conftest import Ziggurat

pytest.importorskip("vl_convert")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(tmp_path_factory.mktemp("maps") / "elements", themes(97)).path


@pytest.fixture(scope="module")
def chinese(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle_of(tmp_path_factory.mktemp("maps") / "五行", themes(97, chinese=True)).path


def png_size(path: Path) -> tuple[int, int]:
    raw = path.read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", raw[16:24])
    return width, height


def drawn(page: Path) -> dict[str, object]:
    """The specification that a page draws."""
    found = re.search(r'embed\("#map", (\{.*\}), \{ mode', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    spec = json.loads(found[1])
    assert isinstance(spec, dict)
    return spec


def labels(svg: Path) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg.read_text(encoding="utf-8"))


def test_neighbourhoods_as_every_kind_of_file(english: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    files = [tmp_path / f"map.{ending}" for ending in ("png", "html", "svg")]
    outs = [word for file in files for word in ("--out", file)]
    ended = ziggurat("vectors", "map", english, "water0", "fire0", "--neighbours", "17", *outs)
    assert ended.code == 0, ended.err
    assert ended.out.splitlines() == [str(file) for file in files]
    assert "t-SNE keeps only who is near whom" in ended.err
    assert re.search(r"Trustworthiness 0\.\d\d", ended.err)
    width, height = png_size(files[0])
    assert width >= 2000
    assert height >= 1400
    shown = labels(files[2])
    assert {"Words near water0, fire0", "water0", "fire0"} <= set(shown)
    assert len([word for word in shown if word.startswith(("water", "fire"))]) > 30
    spec = drawn(files[1])
    data = spec["data"]
    assert isinstance(data, dict)
    rows = {row["word"]: row for row in data["values"]}
    assert len(rows) == 36
    assert {row["group"] for row in rows.values()} == {"water0", "fire0"}
    assert rows["water0"]["seed"]
    assert "water" in rows["water3"]["near"]


def test_a_page_opens_offline_and_lists_every_word(english: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    page = tmp_path / "map.html"
    assert ziggurat("vectors", "map", english, "--frequent", "50", "--out", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith('<!doctype html>\n<html lang="en">')
    before = text.partition("<script>")[0]
    assert re.findall(r"(?:src|href)=|url\(|@import", before) == []
    assert re.findall(r"<script[^>]+>", text) == []
    assert "<title>The 50 most frequent words</title>" in text
    assert before.count("<tr>") == 50


def test_words_can_not_end_the_script_of_a_page(tmp_path: Path, ziggurat: Ziggurat) -> None:
    evil = "</script><script>alert(1)</script>"
    words = {evil: [1.0, 0.2], "b": [0.3, 1.0], "c": [-1.0, 0.5], "d": [0.1, -1.0]}
    bundle = bundle_of(tmp_path / "evil", words).path
    page = tmp_path / "map.html"
    assert ziggurat("vectors", "map", bundle, evil, "b", "c", "d", "--neighbours", "0", "--out", page).code == 0
    assert evil not in page.read_text(encoding="utf-8")
    data = drawn(page)["data"]
    assert isinstance(data, dict)
    assert data["values"][0]["word"] == evil


def test_words_alone_are_drawn_on_straight_axes(english: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    asked = ["vectors", "map", english, "water0", "fire0", "wood0", "metal0", "--neighbours", "0"]
    ended = ziggurat(*asked, "--out", tmp_path / "map.svg", "--title", "Five less one")
    assert re.search(r"two straight axes tell: these hold \d\d% of the variance in 7 dimensions", ended.err)
    assert {"Five less one", "water0", "fire0", "wood0", "metal0"} <= set(labels(tmp_path / "map.svg"))


def test_the_same_seed_draws_the_same_map_and_json_has_its_numbers(
    english: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    asked = ["vectors", "map", english, "--frequent", "40", "--json", "--out", tmp_path / "map.svg", "--seed"]
    first, again, other = (ziggurat(*asked, seed).out for seed in ("3", "3", "5"))
    found = json.loads(first)
    assert first == again != other
    assert (found["version"], found["layout"], found["files"]) == (1, "tsne", [str(tmp_path / "map.svg")])
    assert len(found["words"]) == 40
    assert 0.5 < found["trustworthiness"] <= 1
    assert 0 < found["explained_variance"] < 1
    groups = {word["group"] for word in found["words"]}
    assert 2 <= len(groups) <= 6
    assert "" not in groups


def test_chinese_maps_say_so_where_a_machine_has_no_font_for_them(
    chinese: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    from ziggurat.surface.map.drawing import draws

    files = tmp_path / "图.png", tmp_path / "图.html"
    ended = ziggurat("vectors", "map", chinese, "水一一", "--lang", "zh", "--out", files[0], "--out", files[1])
    assert ended.code == 0, ended.err
    warnings = [line for line in ended.err.splitlines() if line.startswith("警告")]
    if draws("水火"):
        assert warnings == []
    else:
        assert len(warnings) == 1
        assert warnings[0].startswith(f"警告: {files[0]}：本机没有含汉字的字体")
    page = files[1].read_text(encoding="utf-8")
    assert page.startswith('<!doctype html>\n<html lang="zh">')
    assert "<title>水一一 的近邻</title>" in page
    assert "查找词：" in page


def test_latin_words_are_drawn_in_english_where_no_font_has_chinese(
    english: Path, tmp_path: Path, ziggurat: Ziggurat
) -> None:
    from ziggurat.surface.map.drawing import draws

    file = tmp_path / "map.svg"
    ended = ziggurat("vectors", "map", english, "water0", "--lang", "zh", "--out", file)
    assert (ended.code, ended.out) == (0, f"{file}\n")
    title = labels(file)
    if draws("水火"):
        assert "water0 的近邻" in title
    else:
        assert "Words near water0" in title
        assert f"警告: {file}：本机没有含汉字的字体，故用英文书写" in ended.err
    assert "可信度" in ended.err


def test_letters_that_every_font_has_need_no_warning(english: Path, tmp_path: Path, ziggurat: Ziggurat) -> None:
    assert "warning" not in ziggurat("vectors", "map", english, "water0", "--out", tmp_path / "map.png").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["water0", "--out", "map.gif"], "--out: unknown file ending '.gif'; did you mean '.svg'?"),
        (["water0", "--fonts", "nowhere"], "--fonts: nowhere: no such file or folder"),
        (["water0", "--neighbours", "0"], "a map has from 3 to 10,000 words, not 1"),
        (["watr0"], "unknown word 'watr0'; did you mean 'water0'"),
        (["--layout", "umap"], "--layout: unknown value 'umap'"),
    ],
)
def test_what_can_t_be_drawn_is_said_in_a_line(
    arguments: list[str],
    message: str,
    english: Path,
    tmp_path: Path,
    ziggurat: Ziggurat,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = ziggurat("vectors", "map", english, *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(f"error: {message.partition('; did you mean')[0]}")
    assert list(tmp_path.iterdir()) == []
