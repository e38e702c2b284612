"""Files, functions and signatures stay short enough to be read; everything public is documented and annotated."""

import statistics
from collections.abc import Callable, Iterable

import pytest

from tests.architecture import budgets
from tests.architecture.source import Source, package_sources, tracked

SOURCES = package_sources()
RULES = [budgets.long_files, budgets.long_functions, budgets.many_parameters, budgets.undocumented, budgets.unannotated]

Rule = Callable[[Iterable[Source]], list[str]]


def test_prints_the_budgets(capsys: pytest.CaptureFixture[str]) -> None:
    functions = [budgets.function_lines(f) for s in SOURCES for f in s.functions()]
    rows: list[tuple[str | int, ...]] = [("room", "files", "lines", "median", "largest")]
    for room in sorted({s.room for s in SOURCES if s.room}):
        lines = [s.lines for s in SOURCES if s.room == room]
        rows.append((room, len(lines), sum(lines), round(statistics.median(lines)), max(lines)))
    with capsys.disabled():
        print()
        for name, *figures in rows:
            print(f"  {name:<10}", *(f"{figure:>8}" for figure in figures))
        print(f"  {len(functions)} functions, the longest {max(functions)} lines; {_test_lines()} lines of tests")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps(rule: Rule) -> None:
    assert rule(SOURCES) == []


def test_the_median_file_is_short() -> None:
    assert budgets.median_lines(SOURCES) <= budgets.MEDIAN_LINES_OF_A_FILE


def test_there_are_as_many_lines_of_tests_as_of_source() -> None:
    assert _test_lines() >= sum(s.lines for s in SOURCES)


DOCUMENTED = '"""A module."""\n\n'
LONG_BODY = "".join(f"    a = {i}\n" for i in range(60))
VIOLATIONS = [
    (budgets.long_files, DOCUMENTED + "\n" * 499, "501 lines"),
    (budgets.long_functions, f"def f():\n{LONG_BODY}", "f has 61 lines"),
    (budgets.many_parameters, "def f(a, b, c, d, e, *g, h, i): ...\n", "f takes 8 parameters"),
    (budgets.undocumented, "a = 1\n", "ziggurat.text.made_up has no docstring"),
    (budgets.undocumented, DOCUMENTED + "class A:\n    def b(self): ...\n", "A.b has no docstring"),
    (budgets.unannotated, DOCUMENTED + "def f(a: int): ...\n", "f is not annotated"),
    (budgets.unannotated, DOCUMENTED + "class A:\n    def b(self, c) -> None: ...\n", "A.b is not annotated"),
]


@pytest.mark.parametrize(("rule", "text", "message"), VIOLATIONS)
def test_a_violation_is_seen(rule: Rule, text: str, message: str) -> None:
    assert any(message in found for found in rule([Source("ziggurat.text.made_up", text)]))


def test_what_is_within_the_budget_passes() -> None:
    body = "".join(f"    a = {i}\n" for i in range(58))
    signature = "def f(self, a: int, b: int, c: int, d: int, e: int, g: int, h: int) -> None:\n"
    text = f'{DOCUMENTED}{signature}    """Do it."""\n{body}' + "\n" * (500 - 63)
    assert Source("ziggurat.text.made_up", text).lines == 499
    assert [found for rule in RULES for found in rule([Source("ziggurat.text.made_up", text)])] == []


def test_the_median_is_of_lines() -> None:
    sources = [Source(f"ziggurat.text.m{lines}", "\n" * lines) for lines in (3, 5, 400)]
    assert budgets.median_lines(sources) == 5


def _test_lines() -> int:
    files = tracked("tests/*.py", "tests/**/*.py")
    return sum(path.read_text(encoding="utf-8").count("\n") for path in set(files))
