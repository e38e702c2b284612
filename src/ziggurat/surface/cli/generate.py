"""Write on after a prompt with any bundle, token by token."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ziggurat.core.config import option
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.terminal import Terminal
from ziggurat.use.completion import GenerationConfig

__all__ = ["COMMAND", "GenerateOptions", "generate"]


@dataclass(frozen=True)
class GenerateOptions(GenerationConfig):
    """How text is generated, and what of it is shown."""

    prompt: str = option("", "text to go on from; - reads it from standard input")
    seed: int = option(0, "seed of the draws: the same seed writes the same text", low=0)
    only_new: bool = option(False, "leave the prompt out of what is printed")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(GenerateOptions)
def generate(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    options: GenerateOptions,
) -> None:
    """Write on after a prompt; text appears as it is drawn, one continuation after another, --- between them."""
    from ziggurat.artefacts.bundle import load
    from ziggurat.use.completion import generate as write_on

    terminal = Terminal(quiet=options.quiet)
    prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
    opened = load(bundle)
    shown = "" if options.only_new else prompt
    streams = options.samples == 1 and not options.json
    if streams:
        terminal.write(shown, end="")
    continuations = write_on(
        opened.language_model,
        opened.tokenizer,
        [prompt],
        options,
        seed=options.seed,
        on_text=(lambda _, text: terminal.write(text, end="")) if streams else None,
    )
    if options.json:
        found = [
            {"text": c.text, "tokens": len(c.ids), "logprob": c.logprob, "reason": c.reason} for c in continuations
        ]
        terminal.write_json({"bundle": str(opened.path), "prompt": prompt, "continuations": found})
    else:
        terminal.write("" if streams else "\n---\n".join(shown + c.text for c in continuations))


COMMAND = generate
