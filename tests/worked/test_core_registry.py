"""Registries: found by reading, imported when used."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ziggurat.core.errors import UnknownNameError
from ziggurat.core.registry import Registry

FILES = {
    "__init__.py": "LAMP = 'all'\n",
    "plain.py": "LAMP = 'plain'\n",
    "typed.py": '"""A lamp."""\n\nLAMP: dict[str, int] = {"watts": 7}\n',
    "broken.py": "LAMP = 1 / 0\n",
    "indented.py": "if True:\n    LAMP = 'indented'\n",
    "longer.py": "LAMPS = 'other'\nLAMPSHADE = 1\n",
    "mentioned.py": "# LAMP = 'comment'\nx = 'LAMP'\n",
    "compared.py": "x = 1\nLAMP_ = x\n",
    "note.txt": "LAMP = 'no module'\n",
    "chandelier/__init__.py": "LAMP = 'many'\n",
    "chandelier/arm.py": "LAMP = 'one of many'\n",
    "drawer/spare.py": "LAMP = 'not on'\n",
}


@pytest.fixture
def lamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[object]]:
    folder = tmp_path / "lamps_of_a_test"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Registry("lamps_of_a_test", "LAMP", kind="lamp")
    for name in [name for name in sys.modules if name.startswith("lamps_of_a_test")]:
        del sys.modules[name]


def test_modules_are_listed_by_their_marker(lamps: Registry[object]) -> None:
    assert lamps.names() == ("broken", "chandelier", "plain", "typed")


def test_listing_imports_nothing(lamps: Registry[object]) -> None:
    lamps.names()
    assert [name for name in sys.modules if name.startswith("lamps_of_a_test.")] == []


def test_a_thing_is_imported_when_it_is_used(lamps: Registry[object]) -> None:
    assert lamps.get("plain") == "plain"
    assert lamps.get("typed") == {"watts": 7}
    assert lamps.get("chandelier") == "many"
    assert "lamps_of_a_test.plain" in sys.modules


def test_an_unknown_name_is_answered_with_the_nearest(lamps: Registry[object]) -> None:
    with pytest.raises(UnknownNameError, match=r"^my\.toml: unknown lamp 'plan'; did you mean 'plain'\?$"):
        lamps.get("plan", where="my.toml")


def test_a_module_without_the_marker_is_unknown(lamps: Registry[object]) -> None:
    with pytest.raises(UnknownNameError):
        lamps.get("longer")


def test_an_error_in_a_module_is_its_own(lamps: Registry[object]) -> None:
    with pytest.raises(ZeroDivisionError):
        lamps.get("broken")


def test_what_is_registered_in_the_package_carries_its_own_name() -> None:
    families = Registry[object]("ziggurat.models", "FAMILY", kind="model family")
    assert [getattr(families.get(name), "name", None) for name in families.names()] == list(families.names())
