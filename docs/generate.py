"""Write the pages of `docs/reference` from the source; ``--check`` only says whether they are up to date.

Three pages: every command (from the command line's own tree of options), every key of a configuration (from the
declarations that also make the errors and the commented recipes), every public name (from the modules' ``__all__``).
"""

import ast
import dataclasses
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from ziggurat.core import config
from ziggurat.surface.cli import COMMANDS, parser

FOLDER = Path(__file__).resolve().parent / "reference"
PACKAGE = FOLDER.parents[1] / "src" / "ziggurat"
ROOMS = ("core", "text", "tokens", "models", "training", "artefacts", "use", "judge", "study", "surface")
NOTE = "<!-- Written by `make docs`; change the source instead. -->\n\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` name those that differ from what would be written."""
    pages = {"commands.md": commands_page(), "recipes.md": recipes_page(), "names.md": names_page()}
    stale = [name for name, text in pages.items() if _read(FOLDER / name) != text]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is out of date: run 'make docs'", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(pages[name], encoding="utf-8")
    return 0


def commands_page() -> str:
    """Return every command with its arguments and options."""
    parts = [NOTE, "# Commands\n"]
    for name, _ in COMMANDS.functions():
        command = parser(name)
        parts.append(f"\n## ziggurat {name}\n\n{_paragraphs(command.help or '')}\n")
        rows = [_parameter_row(p) for p in command.params if not getattr(p, "hidden", False)]
        parts.append(_table(("argument or option", "meaning", "default"), rows))
    return "".join(parts)


def recipes_page() -> str:
    """Return every configuration class with its keys."""
    parts = [NOTE, "# Configuration keys\n\n"]
    parts.append("A recipe is a TOML file; each key below can stand in its section, or on the command line.\n")
    for cls in configurations():
        summary = (cls.__doc__ or "").strip().split("\n")[0]
        parts.append(f"\n## {cls.__module__.removeprefix('ziggurat.')}.{cls.__name__}\n\n{summary}\n")
        rows = [
            (f"`{key}`", kind_words(hint), _default(value), doc)
            for key, (hint, value, doc) in config.options(cls).items()
        ]
        parts.append(_table(("key", "type", "default", "meaning"), rows))
    return "".join(parts)


def names_page() -> str:
    """Return every public name, room by room, with the first sentence of its docstring."""
    parts = [NOTE, "# Public names\n"]
    for room in ROOMS:
        parts.append(f"\n## {room}\n\n{_summary(_parse(PACKAGE / room / '__init__.py'))}\n")
        for path in sorted((PACKAGE / room).rglob("*.py")):
            tree = _parse(path)
            entries = list(_entries(tree))
            if entries:
                module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
                parts.append(f"\n### {module}\n\n{_summary(tree)}\n")
                parts.append(_table(("name", "what it is"), entries))
    return "".join(parts)


def configurations() -> list[type[Any]]:
    """Return every dataclass of the package whose fields carry an explanation, in the order of rooms and names."""
    found: list[type[Any]] = []
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            if "option(" not in path.read_text(encoding="utf-8") or room == "core":
                continue
            module = importlib.import_module(".".join(("ziggurat", *path.relative_to(PACKAGE).with_suffix("").parts)))
            own = [c for c in vars(module).values() if isinstance(c, type) and c.__module__ == module.__name__]
            found += [c for c in own if _is_configuration(c)]
    return found


def _is_configuration(cls: type[Any]) -> bool:
    """Whether some field was made by `option`; other dataclasses may have types that only a checker resolves."""
    return dataclasses.is_dataclass(cls) and any(field.metadata.get("doc") for field in dataclasses.fields(cls))


def kind_words(hint: Any) -> str:
    """Return a type in a reader's words.

    >>> kind_words(int | None), kind_words(tuple[str, ...]), kind_words(Literal["a", "b"])
    ('whole number, or none', 'list of text', 'a, b')
    """
    arguments = [a for a in get_args(hint) if a not in (type(None), Ellipsis)]
    if get_origin(hint) is Literal:
        return ", ".join(map(str, arguments))
    if get_origin(hint) is tuple:
        return f"list of {kind_words(arguments[0])}"
    if get_origin(hint) is Union or type(None) in get_args(hint):
        return f"{kind_words(arguments[0])}, or none"
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}.get(hint, str(hint))


def _parameter_row(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = f"`{(parameter.metavar or parameter.name).upper()}`"
    else:
        name = ", ".join(f"`{flag}`" for flag in (*parameter.opts, *parameter.secondary_opts))
    default = "required" if parameter.required else _default(parameter.default)
    return name, getattr(parameter, "help", None) or "", default


def _default(value: Any) -> str:
    missing = value is None or value is dataclasses.MISSING or callable(value) or value in ("", (), [])
    return "" if missing else f"`{config.toml_value(value)}`"


def _entries(tree: ast.Module) -> Iterator[tuple[str, str]]:
    nodes = {n.name: n for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))}
    for name in _public(tree):
        yield f"`{name}`", _summary(nodes[name]) if name in nodes else ""


def _public(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def _summary(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n") if part.strip())


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n" + "".join(
        f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines
    )


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
