"""The sentences of errors and of the log as they stand in the source, with ``{}`` where a value is put in."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ziggurat.core import errors

RAISED = {name for name in errors.__all__ if name[0].isupper()}
BUILT = {"UnknownNameError", "MissingExtraError"}
"""Those whose sentence is made by their class of what they are given."""

PERCENT = re.compile(r"%[-0-9.,]*[sdrf]")
"""Where a sentence of the log puts a value in."""


def patterns(node: ast.AST) -> list[str]:
    """Return what a string expression can be: several where it chooses, ``{}`` alone where it is made elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value.replace("{", "{{").replace("}", "}}")]
    if isinstance(node, ast.JoinedStr):
        return ["".join("{}" if isinstance(part, ast.FormattedValue) else patterns(part)[0] for part in node.values)]
    if isinstance(node, ast.IfExp):
        return patterns(node.body) + patterns(node.orelse)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [one + other for one in patterns(node.left) for other in patterns(node.right)]
    return ["{}"]


def raised(room: Path) -> Iterator[str]:
    """Return every sentence that files below ``room`` give to an error of ours."""
    for path in sorted(room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if name in RAISED - BUILT:
                    yield from patterns(node.args[0])


def logged(package: Path) -> Iterator[str]:
    """Return every sentence that the package gives to its log for people to read."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(getattr(node.func, "value", None), "id", "") == "_LOG":
                name = getattr(node.func, "attr", "")
                if name != "debug":
                    yield from map(_placed, patterns(node.args[name == "log"]))


def _placed(sentence: str) -> str:
    """Return a sentence of the log with ``{}`` for its values."""
    return PERCENT.sub("{}", sentence).replace("%%", "%")


def written(package: Path) -> set[str]:
    """Return every string that stands anywhere in the package, as a pattern."""
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py"))
    return {
        found
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp)
        for pattern in patterns(node)
        for found in (pattern, _placed(pattern))
    }
