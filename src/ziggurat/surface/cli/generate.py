"""Write on after a prompt with any bundle, token by token."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.terminal import Terminal
from ziggurat.use.completion import GenerationConfig

if TYPE_CHECKING:
    from ziggurat.artefacts.bundle import Bundle
    from ziggurat.core.types import IdArray

__all__ = ["COMMAND", "GenerateOptions", "generate"]


@dataclass(frozen=True)
class GenerateOptions(GenerationConfig):
    """How text is generated, and what of it is shown."""

    prompt: str = option("", "text to go on from; - reads it from standard input")
    seed: int = option(0, "seed of the draws: the same seed writes the same text", low=0)
    chat: bool = option(False, "take the prompt as a question and answer it, by the bundle's chat template")
    system: str = option("", "with --chat: what the model is told to be")
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

    if options.system and not options.chat:
        raise UsageError("--system: goes with --chat only; put it into --prompt")
    terminal = Terminal(quiet=options.quiet)
    prompt = sys.stdin.read() if options.prompt == "-" else options.prompt
    opened = load(bundle)
    shown = "" if options.only_new or options.chat else prompt
    asked: str | IdArray
    asked, ends = _turn(opened, prompt, options.system) if options.chat else (prompt, frozenset())
    streams = options.samples == 1 and not options.json
    if streams:
        terminal.write(shown, end="")
    continuations = write_on(
        opened.language_model,
        opened.tokenizer,
        [asked],
        options,
        seed=options.seed,
        ends=ends,
        on_text=(lambda _, text: terminal.write(text, end="")) if streams else None,
    )
    if options.json:
        found = [
            {"text": c.text, "tokens": len(c.ids), "logprob": c.logprob, "reason": c.reason} for c in continuations
        ]
        terminal.write_json({"bundle": str(opened.path), "prompt": prompt, "continuations": found})
    else:
        terminal.write("" if streams else "\n---\n".join(shown + c.text for c in continuations))


def _turn(opened: "Bundle", question: str, system: str) -> tuple["IdArray", frozenset[int]]:
    """Return the ids of a conversation of one question, and those that end its answer."""
    from ziggurat.use.chat_template import ChatTemplate

    template = ChatTemplate(opened.chat_template, opened.tokenizer)
    said = [{"role": "system", "content": system}] if system else []
    return template.ids([*said, {"role": "user", "content": question}]), template.ends


COMMAND = generate
