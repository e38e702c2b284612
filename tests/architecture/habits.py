"""What no file of the package does."""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from tests.architecture.source import Source

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "misc", "common", "stuff", "tools"}
PICKLING_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
PICKLING_CALLS = {"torch.save", "torch.load", "torch.jit.load"}
COMPILERS = {"numba", "llvmlite"}
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|\braise NotImplementedError\b")
FAMILY_MARKER = re.compile(r"(?m)^FAMILY\b\s*(?::[^=\n]+)?=")


def vague_names(sources: Iterable[Source]) -> list[str]:
    """Rooms and files that are named for holding what belonged nowhere."""
    return [s.module for s in sources if VAGUE_NAMES & {part.strip("_") for part in s.module.split(".")}]


def pickles(sources: Iterable[Source]) -> list[str]:
    """Places where an object would be read from, or written as, executable bytes."""
    found = []
    for source in sources:
        found += [
            f"{source.module}:{line}: {name}"
            for name, line in source.imports()
            if name.split(".")[0] in PICKLING_MODULES
        ]
        for call in _calls(source):
            name = ast.unparse(call.func)
            allows = any(k.arg == "allow_pickle" and not _is_false(k.value) for k in call.keywords)
            if name in PICKLING_CALLS or allows:
                found.append(f"{source.module}:{call.lineno}: {name}")
    return found


def prints(sources: Iterable[Source], *, above: str) -> list[str]:
    """Calls of ``print``, and writes to the standard streams, outside the room ``above``."""
    return [
        f"{s.module}:{call.lineno}: {name}"
        for s in sources
        if s.room != above
        for call in _calls(s)
        if (name := ast.unparse(call.func)) == "print" or re.fullmatch(r"sys\.(stdout|stderr)\.write", name)
    ]


def unfinished(sources: Iterable[Source]) -> list[str]:
    """Marks of work that was put off."""
    return [
        f"{s.module}:{number}: {line.strip()}"
        for s in sources
        for number, line in enumerate(s.text.splitlines(), start=1)
        if UNFINISHED.search(line)
    ]


def compilers(sources: Iterable[Source]) -> list[str]:
    """Imports of a compiler outside `core` and the rooms' ``kernels``."""
    return [
        f"{s.module}:{line}: {name}"
        for s in sources
        if s.room != "core" and "kernels" not in s.module.split(".")
        for name, line in s.imports()
        if name.split(".")[0] in COMPILERS
    ]


def families(sources: Iterable[Source]) -> dict[str, str]:
    """Return ``{name: module}`` of the model families, found as the registry finds them."""
    return {
        s.module.rpartition(".")[2]: s.module
        for s in sources
        if s.module.startswith("ziggurat.models.") and s.module.count(".") == 2 and FAMILY_MARKER.search(s.text)
    }


def branches_on_family(sources: Iterable[Source], names: Collection[str]) -> list[str]:
    """Comparisons with, matches on, and tables keyed by a family's name outside that family's own file.

    A word that is also the value of some option (a rate's decay is ``linear`` too) is a family's name only where it is
    compared with what is called a family or a name.
    """
    sources, found = list(sources), []
    values = {word for source in sources for word in _literals(source.tree)}
    for source in sources:
        own = source.module.rpartition(".")[2] if source.room == "models" else ""
        others = set(names) - {own}
        plain = set(_choices(source.tree, others - values))
        for node in _choices(source.tree, others):
            text = ast.unparse(node)
            if "famil" in text or "name" in text or node in plain:
                found.append(f"{source.module}:{node.lineno}: {text[:80]}")
    return found


def imports_of_family(sources: Iterable[Source], trainers: Mapping[str, Collection[str]]) -> list[str]:
    """Imports of a family's module by name: families are found by the registry.

    ``trainers`` maps each family's module to its trainers'. A trainer that makes one family's models, a foreign
    format, which holds one family's models, and a family that stands on another and is named after it
    (``counted_decoder`` and ``decoder_classifier`` on ``decoder``), know that family.
    """
    shared = {one for one, times in Counter(one for own in trainers.values() for one in own).items() if times > 1}
    return [
        f"{s.module}:{line}: imports {name}"
        for s in sources
        if not s.module.startswith("ziggurat.artefacts.interchange.")
        for name, line in s.imports()
        for family, own in trainers.items()
        if s.module != family and s.module not in set(own) - shared and not _stands_on(s.module, family, trainers)
        if name == family or name.startswith(f"{family}.")
    ]


def _stands_on(module: str, family: str, families: Collection[str]) -> bool:
    """Whether a family is built on another, as its name says."""
    name, inside = (one.rpartition(".")[2] for one in (module, family))
    return module in families and (name.endswith(f"_{inside}") or name.startswith(f"{inside}_"))


def _literals(tree: ast.AST) -> Iterator[str]:
    """Yield the words that the tree's ``Literal[…]`` allow."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
            values = (each.value for each in ast.walk(node.slice) if isinstance(each, ast.Constant))
            yield from (value for value in values if isinstance(value, str))


def _choices(tree: ast.AST, names: set[str]) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            members = [e for o in operands for e in (o.elts if isinstance(o, (ast.Tuple, ast.List, ast.Set)) else [o])]
            if any(_is_name(member, names) for member in members):
                yield node
        elif isinstance(node, ast.MatchValue) and _is_name(node.value, names):
            yield node.value
        elif isinstance(node, ast.Dict) and sum(key is not None and _is_name(key, names) for key in node.keys) > 1:
            yield node


def _is_name(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Constant) and node.value in names


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
