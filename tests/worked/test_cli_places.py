"""Places that options name: what is there stays, and what can't be written is said before the work."""

import os
from pathlib import Path

import pytest

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.surface.cli.places import fonts_at, new_place, pictures_at


def test_a_new_place_may_stand_in_a_folder_that_is_yet_to_be_made(tmp_path: Path) -> None:
    assert new_place(str(tmp_path / "a" / "b.txt")) == tmp_path / "a" / "b.txt"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_what_is_there_is_not_written_over(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "mine.jsonl"
    if kind == "file":
        place.write_text("of the user")
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(tmp_path / "nothing")
    with pytest.raises(UsageError, match=r"mine\.jsonl: exists already; choose another --out"):
        new_place(str(place))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data.tsv").write_text("x")
    with pytest.raises(UsageError, match=r"data\.tsv is a file and no folder; choose another --out"):
        new_place(str(tmp_path / "data.tsv" / "deeper" / "targets.txt"))
    with pytest.raises(UsageError, match=r"data\.tsv is a file and no folder; choose another --picture"):
        pictures_at([str(tmp_path / "data.tsv" / "c.png")], (".png",), where="--picture")


def test_where_nothing_may_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda folder, mode: folder != tmp_path)
    with pytest.raises(UsageError, match=r"nothing may be written in .*; choose another --out"):
        new_place(str(tmp_path / "vectors.npy"))


def test_pictures_of_before_are_drawn_anew(tmp_path: Path) -> None:
    (tmp_path / "one.PNG").write_bytes(b"an old one")
    names = [str(tmp_path / "one.PNG"), str(tmp_path / "two.svg")]
    assert pictures_at(names, (".png", ".svg"), where="--picture") == [Path(name) for name in names]


def test_what_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"--out: unknown file ending '\.gif'; did you mean"):
        pictures_at(["map.gif"], (".png", ".svg", ".tif"), where="--out")
    with pytest.raises(UnknownNameError, match="--out: unknown file ending 'png'"):
        pictures_at(["png"], (".png",), where="--out")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=r"folder\.png: a folder is there; choose another --picture"):
        pictures_at([str(tmp_path / "folder.png")], (".png",), where="--picture")


def test_a_name_that_no_file_can_have() -> None:
    with pytest.raises(UsageError, match="--out: name a file"):
        new_place("")
    with pytest.raises(UsageError, match=r"--out: a{60}: File name too long"):
        new_place("a" * 999)
    with pytest.raises(UsageError, match=r"--picture: a{60}: File name too long"):
        pictures_at(["a" * 999 + ".png"], (".png",), where="--picture")


def test_fonts(tmp_path: Path) -> None:
    assert fonts_at(None) is None
    assert fonts_at(str(tmp_path)) == tmp_path
    with pytest.raises(UsageError, match="--fonts: nowhere: no such file or folder"):
        fonts_at("nowhere")
