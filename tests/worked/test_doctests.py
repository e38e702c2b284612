"""The examples in docstrings give what they say."""

import doctest
import importlib

import pytest

from tests.architecture.source import package_sources

MODULES = [source.module for source in package_sources() if ">>> " in source.text]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_the_generator_of_the_reference_too() -> None:
    from docs import generate

    outcome = doctest.testmod(generate)
    assert (outcome.attempted, outcome.failed) == (1, 0)


def test_a_wrong_example_is_seen() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "made_up", None, None)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed == 1
