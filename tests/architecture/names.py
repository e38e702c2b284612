"""What a module says that it offers, against what stands in it."""

import ast
from collections.abc import Iterable

from tests.architecture.source import Definition, Source


def declared(source: Source) -> list[str] | None:
    """Return ``__all__`` as written, or None where the module has none."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return [str(name) for name in ast.literal_eval(node.value)]
    return None


def defined(source: Source) -> set[str]:
    """Return the public classes and functions that a module itself defines."""
    return {n.name for n in source.tree.body if isinstance(n, Definition) and n.name[0] != "_"}


def bound(source: Source) -> set[str]:
    """Return every name that a module binds at its top level."""
    names = {n.name for n in source.tree.body if isinstance(n, Definition)}
    for node in source.tree.body:
        if isinstance(node, ast.Assign):
            names |= {t.id for target in node.targets for t in ast.walk(target) if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.If, ast.Try)):
            names |= {n.name for n in ast.walk(node) if isinstance(n, Definition)}
    return names


def mismatches(sources: Iterable[Source]) -> list[str]:
    """Modules whose ``__all__`` is missing, out of order, or not what they define."""
    found = []
    for source in sources:
        public, listed = defined(source), declared(source)
        if listed is None:
            found += [f"{source.module}: no __all__, but defines {', '.join(sorted(public))}"] if public else []
            continue
        lazy = any(isinstance(n, ast.FunctionDef) and n.name == "__getattr__" for n in source.tree.body)
        missing, unknown = public - set(listed), set() if lazy else set(listed) - bound(source)
        found += [f"{source.module}: __all__ lacks {', '.join(sorted(missing))}"] if missing else []
        found += [f"{source.module}: __all__ names {', '.join(sorted(unknown))}, which it lacks"] if unknown else []
    return found
