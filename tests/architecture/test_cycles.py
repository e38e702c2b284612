"""No module imports itself by way of others."""

from tests.architecture.cycles import cycles, import_graph
from tests.architecture.source import Source, package_sources


def test_the_package_has_no_cycle() -> None:
    assert cycles(import_graph(package_sources())) == []


def test_a_ring_is_seen_wherever_its_imports_stand() -> None:
    ring = [
        Source("ziggurat.text.a", "from ziggurat.text import b\n"),
        Source("ziggurat.text.b", "def f():\n    from ziggurat.text.c import g\n"),
        Source("ziggurat.text.c", "from .a import f\n"),
        Source("ziggurat.text.d", "import ziggurat.text.a\n"),
    ]
    graph = import_graph(ring)
    assert graph["ziggurat.text.d"] == {"ziggurat.text.a"}
    assert cycles(graph) == [["ziggurat.text.a", "ziggurat.text.b", "ziggurat.text.c"]]


def test_two_rings_are_two() -> None:
    assert cycles({"a": {"b"}, "b": {"a", "c"}, "c": {"d"}, "d": {"c"}, "e": {"a"}}) == [["c", "d"], ["a", "b"]]


def test_a_diamond_is_no_ring() -> None:
    assert cycles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []


def test_a_relative_import_is_resolved_from_the_package_and_from_the_module() -> None:
    package = Source("ziggurat.text", "from . import a\n", is_package=True)
    module = Source("ziggurat.text.b", "from ..core import errors\nfrom .a import f\n")
    assert [name for name, _ in package.imports()] == ["ziggurat.text.a"]
    assert [name for name, _ in module.imports()] == ["ziggurat.core.errors", "ziggurat.text.a.f"]
