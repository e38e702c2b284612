"""Every table of docs/scaling.md is what the arithmetic says today."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def tables(repository: Path) -> ModuleType:
    """The program that writes the page."""
    spec = importlib.util.spec_from_file_location("scaling_tables", repository / "docs" / "scaling" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "scaling.md").read_text(encoding="utf-8")


def test_the_tables_are_as_they_would_be_written(tables: ModuleType, page: str) -> None:
    assert tables.renewed(page) == page


def test_a_number_that_was_changed_is_seen(tables: ModuleType, page: str) -> None:
    assert page.count("6,738,415,616") == 1
    changed = page.replace("6,738,415,616", "6,738,415,617")
    assert tables.renewed(changed) == page


def test_every_table_is_on_the_page_and_has_a_command(tables: ModuleType, page: str) -> None:
    found = re.findall(r"<!-- table: (\w+) -->", page)
    assert sorted(found) == sorted(tables.TABLES)
    for section in page.split("\n## ")[1:]:
        if "<!-- table:" in section:
            assert "    ziggurat plan docs/scaling/" in section, section[:40]


def test_the_models_are_those_that_were_published(tables: ModuleType) -> None:
    """GPT-2 small, and Llama 2 as its files hold them."""
    counted = {name: tables.plan_of(name, 1).work.anatomy.parameters for name in ("124 M", "7 B", "70 B")}
    assert counted == {"124 M": 124_439_808, "7 B": 6_738_415_616, "70 B": 68_976_648_192}
