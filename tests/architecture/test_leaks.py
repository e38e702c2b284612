"""Nothing under version control knows the machine that it was written on."""

import os
from pathlib import Path

import pytest

from tests.architecture.leaks import index_hosts, machine_paths, read_texts
from tests.architecture.source import REPOSITORY, tracked

OURS = {REPOSITORY / "tests" / "architecture" / name for name in ("leaks.py", "test_leaks.py")}
TEXTS = {path: text for path, text in read_texts(tracked()).items() if path not in OURS}


def test_no_file_names_a_path_of_a_machine() -> None:
    assert {path.name: places for path, text in TEXTS.items() if (places := machine_paths(text))} == {}


def test_no_file_names_the_folder_that_it_stands_in() -> None:
    here = str(REPOSITORY)
    if here.count(os.sep) < 2:
        pytest.skip("the repository stands too near the root for its path to be recognised in a text")
    assert [path.name for path, text in TEXTS.items() if here in text] == []


def test_no_file_names_a_host_of_packages() -> None:
    assert {path.name: places for path, text in TEXTS.items() if (places := index_hosts(text))} == {}


@pytest.mark.parametrize(
    "text",
    ["see /home/ann/texts", "open('/Users/bo/a.txt')", "/root/.cache", "cd /work/a", "C:\\Users\\bo", "=/opt/wheels"],
)
def test_a_machines_path_is_seen(text: str) -> None:
    assert len(machine_paths(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "../work/a",
        "https://example.org/home/a",
        "$HOME/work/x",
        "docs/root/x",
        "~/work/x",
        "/usr/bin/env",
        "/path/to/python3.12",
    ],
)
def test_what_is_no_machines_path_passes(text: str) -> None:
    assert machine_paths(text) == []


def test_a_host_of_packages_is_seen() -> None:
    assert index_hosts("pip install --index-url https://pypi.example.org/simple x") != []
    assert index_hosts("https://arxiv.org/abs/1706.03762") == []


def test_files_that_are_no_text_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00\x81")
    (tmp_path / "b.txt").write_text("b")
    assert read_texts(sorted(tmp_path.iterdir())) == {tmp_path / "b.txt": "b"}
