"""The contract of the rooms is the order that is meant, names every room, and is broken by what it forbids."""

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.source import PACKAGE, REPOSITORY, Source, package_sources

ORDER = ["(__main__)", "surface", "study", "judge", "use", "artefacts", "training", "models | tokens | text", "core"]
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
    "contracts"
]
LEVELS = {room: level for level, layer in enumerate(reversed(ORDER)) for room in layer.strip("()").split(" | ")}


def contract(name: str) -> dict[str, Any]:
    return next(c for c in CONTRACTS if c["id"] == name)


def test_the_contract_is_the_order_of_the_rooms() -> None:
    assert contract("rooms")["layers"] == ORDER
    assert contract("rooms")["exhaustive"] is True
    assert "ignore_imports" not in contract("rooms")


def test_every_room_on_disk_is_in_the_order() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms == set(LEVELS) - {"__main__"}


def test_imports_go_down() -> None:
    """The same law once more, read from the text by our own eyes, lazy imports included."""
    assert list(upward(package_sources())) == []


def upward(sources: Iterable[Source]) -> list[str]:
    found = []
    for source in sources:
        for name, line in source.imports():
            package, room, *_ = [*name.split("."), ""]
            both_known = package == "ziggurat" and {room, source.room} <= set(LEVELS)
            if both_known and room != source.room and LEVELS[room] >= LEVELS[source.room]:
                found.append(f"{source.module}:{line} imports {name}")
    return found


def test_an_upward_and_a_sideways_import_are_seen() -> None:
    assert upward([Source("ziggurat.use.a", "def f():\n    from ziggurat.judge import evaluate\n")])
    assert upward([Source("ziggurat.tokens.a", "from ziggurat.text.corpus import prepare\n")])
    assert not upward([Source("ziggurat.judge.a", "from ziggurat.use import completion\nimport numpy\n")])


def test_every_room_is_named_by_the_law_of_torch_or_may_use_it() -> None:
    """A new room must choose: it stands in the contract, or it is the place of torch."""
    held = {module.split(".")[1] for module in contract("torch")["source_modules"]}
    assert held | {"training"} == set(LEVELS) - {"__main__"}


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("core/made_up.py", "from toy import text\n"),
        ("tokens/made_up.py", "from toy.text import a\n"),
        ("judge/made_up.py", "def f():\n    from toy.surface import a\n"),
        ("attic/__init__.py", ""),
    ],
    ids=["up", "sideways", "lazily up", "a room outside the order"],
)
def test_the_contract_is_broken_by(where: str, line: str, tmp_path: Path) -> None:
    build_house(tmp_path)
    assert lint(tmp_path) == 0
    (tmp_path / "toy" / where).parent.mkdir(exist_ok=True)
    (tmp_path / "toy" / where).write_text(line)
    assert lint(tmp_path) == 1


def build_house(folder: Path) -> None:
    """Make a package with the same rooms, under the same contract."""
    for room in sorted(LEVELS):
        if room != "__main__":
            (folder / "toy" / room).mkdir(parents=True)
            (folder / "toy" / room / "__init__.py").touch()
    (folder / "toy" / "__init__.py").touch()
    (folder / "toy" / "text" / "a.py").touch()
    (folder / "toy" / "surface" / "a.py").write_text("from toy.core import *\nimport toy.study\n")
    layers = "\n    ".join(contract("rooms")["layers"])
    (folder / "contract.ini").write_text(
        "[importlinter]\nroot_package = toy\n\n[importlinter:contract:rooms]\nname = rooms\ntype = layers\n"
        f"containers = toy\nexhaustive = true\nlayers =\n    {layers}\n"
    )


def lint(folder: Path) -> int:
    program = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(config_filename='contract.ini', no_cache=True))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode
