"""Modules that import each other in a ring."""

from collections.abc import Iterable, Mapping

from tests.architecture.source import Source

Graph = Mapping[str, set[str]]


def import_graph(sources: Iterable[Source]) -> dict[str, set[str]]:
    """Return, for each module, the modules of the package that it imports, wherever in the file it does so."""
    listed = list(sources)
    known = {s.module for s in listed}
    return {s.module: {owner for name, _ in s.imports() if (owner := _owner(name, known))} - {s.module} for s in listed}


def cycles(graph: Graph) -> list[list[str]]:
    """Return every ring of modules (strongly connected components of more than one), by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    rings: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for imported in sorted(graph.get(module, ())):
            if imported not in order:
                visit(imported)
                lowest[module] = min(lowest[module], lowest[imported])
            elif imported in stack:
                lowest[module] = min(lowest[module], order[imported])
        if lowest[module] == order[module]:
            ring = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(ring) > 1:
                rings.append(sorted(ring))

    for module in sorted(graph):
        if module not in order:
            visit(module)
    return rings


def _owner(name: str, known: set[str]) -> str | None:
    """Return the module that an imported name stands in: itself, or the module that defines it."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None
