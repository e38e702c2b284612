"""``__all__`` of every module is what the module defines for others."""

from tests.architecture.names import bound, declared, defined, mismatches
from tests.architecture.source import Source, package_sources


def test_all_of_every_module_is_true() -> None:
    assert mismatches(package_sources()) == []


def made_up(text: str) -> Source:
    return Source("ziggurat.text.made_up", text)


def test_a_missing_name_is_seen() -> None:
    text = '__all__ = ["a"]\n\ndef a(): ...\n\nclass B: ...\n\ndef _c(): ...\n'
    assert mismatches([made_up(text)]) == ["ziggurat.text.made_up: __all__ lacks B"]


def test_a_name_that_is_not_there_is_seen() -> None:
    assert mismatches([made_up('__all__ = ["a", "LIMIT", "b"]\nLIMIT = 1\nfrom x import b\n')]) == [
        "ziggurat.text.made_up: __all__ names a, which it lacks"
    ]


def test_a_module_without_all_is_seen_when_it_defines_something() -> None:
    assert mismatches([made_up("def a(): ...\n")]) == ["ziggurat.text.made_up: no __all__, but defines a"]
    assert mismatches([made_up("LIMIT = 1\n")]) == []


def test_lazy_names_need_no_definition() -> None:
    assert mismatches([made_up('__all__ = ["a"]\n\ndef __getattr__(name): ...\n')]) == []


def test_names_are_read_from_the_text() -> None:
    source = made_up(
        '__all__ = ["a"]\nimport numpy as np\nx: int = 1\np, q = 1, 2\n\ndef a(): ...\nif x:\n    def b(): ...\n'
    )
    assert declared(source) == ["a"]
    assert defined(source) == {"a"}
    assert bound(source) == {"__all__", "np", "x", "p", "q", "a", "b"}
