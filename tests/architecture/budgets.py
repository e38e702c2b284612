"""How long things may be, and what must be written beside them."""

import ast
import statistics
from collections.abc import Iterable, Iterator

from tests.architecture.source import Definition, Function, Source

MOST_LINES_OF_A_FILE = 500
MEDIAN_LINES_OF_A_FILE = 150
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 7


def long_files(sources: Iterable[Source]) -> list[str]:
    return [f"{s.module}: {s.lines} lines" for s in sources if s.lines > MOST_LINES_OF_A_FILE]


def median_lines(sources: Iterable[Source]) -> float:
    return statistics.median(s.lines for s in sources)


def function_lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(sources: Iterable[Source]) -> list[str]:
    return [
        f"{s.module}:{f.lineno}: {f.name} has {function_lines(f)} lines"
        for s in sources
        for f in s.functions()
        if function_lines(f) > MOST_LINES_OF_A_FUNCTION
    ]


def parameter_count(function: Function) -> int:
    """Count all parameters but ``self`` and ``cls``; ``*args`` and ``**options`` count as one each."""
    arguments = function.args
    named = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    extra = sum(a is not None for a in (arguments.vararg, arguments.kwarg))
    return len([name for name in named if name not in {"self", "cls"}]) + extra


def many_parameters(sources: Iterable[Source]) -> list[str]:
    return [
        f"{s.module}:{f.lineno}: {f.name} takes {parameter_count(f)} parameters"
        for s in sources
        for f in s.functions()
        if parameter_count(f) > MOST_PARAMETERS
    ]


def undocumented(sources: Iterable[Source]) -> list[str]:
    """Public modules, classes and functions without a docstring."""
    return [
        f"{s.module}:{line}: {name} has no docstring"
        for s in sources
        for name, node, line in _public(s)
        if not ast.get_docstring(node) and not _is_overload(node)
    ]


def unannotated(sources: Iterable[Source]) -> list[str]:
    """Public functions with a parameter or a result of unnamed type."""
    return [
        f"{s.module}:{line}: {name} is not annotated"
        for s in sources
        for name, node, line in _public(s)
        if isinstance(node, Function) and not _annotated(node)
    ]


def _public(source: Source) -> Iterator[tuple[str, ast.Module | Definition, int]]:
    yield source.module, source.tree, 1
    yield from _public_members(source.tree)


def _public_members(owner: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Definition, int]]:
    for node in owner.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{prefix}{node.name}", node, node.lineno
            if isinstance(node, ast.ClassDef):
                yield from _public_members(node, f"{prefix}{node.name}.")


def _is_overload(node: ast.AST) -> bool:
    return isinstance(node, Function) and any("overload" in ast.unparse(d) for d in node.decorator_list)


def _annotated(function: Function) -> bool:
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    typed = all(a is None or a.annotation is not None or a.arg in {"self", "cls"} for a in given)
    return typed and function.returns is not None
