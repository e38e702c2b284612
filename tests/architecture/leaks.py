"""What would tie the repository to one machine: absolute paths of its disk, and hosts that packages came from."""

import re
from collections.abc import Iterable
from pathlib import Path

TOP_FOLDERS = ("home", "Users", "root", "work", "mnt", "media", "srv", "opt", "farm", "private")
MACHINE_PATH = re.compile(rf"(?<![\w.:/$}}~>*-])/(?:{'|'.join(TOP_FOLDERS)})/[\w.]|\b[A-Z]:\\\\?Users\b")
INDEX_HOST = re.compile(r"https?://[\w.-]*(?:pypi|pythonhosted|conda|npmjs|pytorch\.org/whl)[\w.-]*", re.IGNORECASE)


def machine_paths(text: str) -> list[str]:
    """Return the places in a text that name a folder of somebody's disk."""
    return [_around(text, match) for match in MACHINE_PATH.finditer(text)]


def index_hosts(text: str) -> list[str]:
    """Return the places in a text that name a host of a package index."""
    return [_around(text, match) for match in INDEX_HOST.finditer(text)]


def read_texts(paths: Iterable[Path]) -> dict[Path, str]:
    """Return the files that are text."""
    texts = {}
    for path in paths:
        try:
            texts[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def _around(text: str, match: re.Match[str]) -> str:
    line = text.count("\n", 0, match.start()) + 1
    return f"{line}: {text[match.start() : match.end() + 20].splitlines()[0]}"
