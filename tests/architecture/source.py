"""The package's source as the checks see it: one object a file, read from disk or made up in a test."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "ziggurat"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its dotted module name, its text, and its syntax tree."""

    module: str
    text: str
    is_package: bool = False
    tree: ast.Module = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text))

    @property
    def room(self) -> str:
        """The folder below the package: ``models`` for ``ziggurat.models.blocks.attention``; empty for the package."""
        return [*self.module.split("."), ""][1]

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imports(self) -> Iterator[tuple[str, int]]:
        """Every dotted name that the file imports, wherever it does so, with the line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = ".".join([*self._ancestor(node.level), *([node.module] if node.module else [])])
                yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)

    def _ancestor(self, level: int) -> list[str]:
        if not level:
            return []
        parts = self.module.split(".")
        return parts[: len(parts) - level + (1 if self.is_package else 0)]


def read(path: Path) -> Source:
    """Read one file below ``src``."""
    parts = list(path.relative_to(REPOSITORY / "src").with_suffix("").parts)
    package = parts[-1] == "__init__"
    return Source(".".join(parts[:-1] if package else parts), path.read_text(encoding="utf-8"), package)


@functools.cache
def package_sources() -> tuple[Source, ...]:
    """Return every file of the package, in order of its name; all checks of a process share one reading."""
    return tuple(read(path) for path in sorted(PACKAGE.rglob("*.py")))


def tracked(*patterns: str) -> list[Path]:
    """Return the files under version control, new ones included, that match; without git, all files of the checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        hidden = {".venv", ".git"}
        found = (path for pattern in patterns or ("*",) for path in REPOSITORY.rglob(pattern))
        return [path for path in found if path.is_file() and not hidden & set(path.parts)]
    return [path for name in listed.stdout.splitlines() if (path := REPOSITORY / name).is_file()]
