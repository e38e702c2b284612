"""What the package imports is declared, what is declared is pinned, and what is pinned satisfies what is declared."""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.architecture.source import REPOSITORY, Source, package_sources

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
REQUIRED = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
EXTRAS = {name: [Requirement(r) for r in lines] for name, lines in PROJECT["project"]["optional-dependencies"].items()}
PINS = {
    canonicalize_name(line.split("==")[0]): line.split("==")[1].strip()
    for line in (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if "==" in line
}
DISTRIBUTIONS = metadata.packages_distributions()


def test_the_package_imports_what_is_declared() -> None:
    used_by_users = {
        canonicalize_name(r.name) for r in [*REQUIRED, *(r for e, rs in EXTRAS.items() if e != "dev" for r in rs)]
    }
    assert {
        name: module for name, module in foreign(package_sources()).items() if not distributions(name) & used_by_users
    } == {}


def test_what_is_declared_is_imported() -> None:
    imported = {d for name in foreign(package_sources()) for d in distributions(name)}
    assert sorted(r.name for r in REQUIRED if canonicalize_name(r.name) not in imported) == []


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    for requirement in [*REQUIRED, *(r for requirements in EXTRAS.values() for r in requirements)]:
        pin = PINS.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement.name} has no pin in constraints.txt"
        assert requirement.specifier.contains(pin), f"{requirement} forbids its own pin {pin}"


def test_every_requirement_has_a_lower_bound() -> None:
    for requirement in [*REQUIRED, *(r for requirements in EXTRAS.values() for r in requirements)]:
        assert any(s.operator == ">=" for s in requirement.specifier), requirement.name


def test_the_build_is_pinned_too() -> None:
    assert {canonicalize_name(Requirement(r).name) for r in PROJECT["build-system"]["requires"]} <= set(PINS)


def test_the_processors_torch_is_asked_for_by_name() -> None:
    asked = set(re.findall(r"torch==([\w.]+)", (REPOSITORY / "Makefile").read_text(encoding="utf-8")))
    assert asked == {PINS[canonicalize_name("torch")]}


def test_pins_name_no_build_of_one_machine() -> None:
    assert [f"{name}=={pin}" for name, pin in PINS.items() if "+" in pin or "@" in pin] == []


def test_an_undeclared_import_is_seen() -> None:
    text = "import pytest\nimport numpy.linalg\ndef f():\n    import tomllib\n    from ziggurat.core import errors\n"
    assert foreign([Source("ziggurat.text.made_up", text)]) == {
        "pytest": "ziggurat.text.made_up",
        "numpy": "ziggurat.text.made_up",
    }


def foreign(sources: Iterable[Source]) -> dict[str, str]:
    """Return the top-level names imported from outside, each with a module that imports it."""
    names = {name.split(".")[0]: s.module for s in sources for name, _ in s.imports()}
    return {n: module for n, module in names.items() if n != "ziggurat" and n not in sys.stdlib_module_names}


def distributions(name: str) -> set[NormalizedName]:
    return {canonicalize_name(d) for d in DISTRIBUTIONS.get(name, [name])}


@pytest.mark.parametrize(("name", "distribution"), [("rich", "rich"), ("charset_normalizer", "charset-normalizer")])
def test_a_name_is_traced_to_what_is_installed(name: str, distribution: str) -> None:
    assert distributions(name) == {distribution}
