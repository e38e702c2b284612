"""List the recipes, or print one with every key explained."""

from typing import Annotated

import typer

from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.terminal import Terminal, align

__all__ = ["COMMAND", "recipe"]


def recipe(
    context: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE|RUN]", help="Which recipe; without one, all are listed"),
    ] = None,
    bare: Annotated[bool, typer.Option("--bare", help="Leave the explanations out")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """List the recipes, or print one as a complete TOML file; any key can be changed by --section.key VALUE."""
    from ziggurat.artefacts import recipe as recipes
    from ziggurat.artefacts.settings import environment_settings, flag_settings
    from ziggurat.core.errors import UsageError
    from ziggurat.surface.recipes import about, explained

    terminal = Terminal()
    names, flags = split_settings(words or [], context)
    if len(names) > 1:
        raise UsageError(f"one recipe at a time, not {len(names)}")
    if not names:
        if json:
            terminal.write_json({"recipes": {name: recipes.about(name) for name in recipes.names()}})
        else:
            terminal.write(align([(name, about(name)) for name in recipes.names()], numbers=False))
            terminal.next("ziggurat recipe NAME > my.toml; ziggurat train TEXT… --recipe my.toml")
        return
    import os

    settings = [*environment_settings(os.environ), *flag_settings(flags)]
    found = recipes.load_recipe(names[0], settings)
    if json:
        terminal.write_json({"recipe": found.to_mapping()})
    else:
        terminal.write(found.to_toml(comments=False) if bare else explained(found), end="")


COMMAND = open_to_settings(recipe)
