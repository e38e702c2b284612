"""Write on after a prompt with any bundle, token by token."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.types import Continuation, IdArray
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.terminal import Terminal, one_line
from ziggurat.use.completion import GenerationConfig, OnText

if TYPE_CHECKING:
    from ziggurat.artefacts.bundle import Bundle

__all__ = ["COMMAND", "GenerateOptions", "generate"]


@dataclass(frozen=True)
class GenerateOptions(GenerationConfig):
    """How text is generated, and what of it is shown."""

    prompt: str = option("", "text to go on from, or the source of what is written; - reads it from standard input")
    lines: bool = option(False, "take each line of the prompt as one of its own, and write a line for each")
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
    """Write on after a prompt; text appears as it is drawn, one continuation after another, --- between them.

    A model that reads pairs writes the target of the prompt, which is its source: greedily with --temperature 0.
    """
    from ziggurat.artefacts.bundle import load

    if options.system and not options.chat:
        raise UsageError("--system: goes with --chat only; put it into --prompt")
    if options.lines and options.chat:
        raise UsageError("--lines: a question of --chat is one text; leave one of them out")
    terminal = Terminal(quiet=options.quiet)
    text = sys.stdin.read() if options.prompt == "-" else options.prompt
    prompts = [line for line in text.splitlines() if line.strip()] if options.lines else [text]
    if not prompts:
        raise InputError("--lines: no line of the prompt has text in it; give at least one")
    opened = load(bundle)
    write_on = _writer(opened, prompts, options)
    shown = prompts if _shows_prompt(opened, options) else [""] * len(prompts)
    streams = options.samples == 1 and not options.json and not options.lines
    if streams:
        terminal.write(shown[0], end="")
    continuations = write_on((lambda _, text: terminal.write(text, end="")) if streams else None)
    if options.json:
        found = [
            {"prompt": prompts[place // options.samples], "text": c.text, "tokens": len(c.ids), "logprob": c.logprob,
             "reason": c.reason}
            for place, c in enumerate(continuations)
        ]  # fmt: skip
        terminal.write_json({"bundle": str(opened.path), "prompt": text, "continuations": found})
        return
    full = [shown[place // options.samples] + c.text for place, c in enumerate(continuations)]
    if options.lines:
        terminal.write("".join(one_line(text) + "\n" for text in full), end="")
    else:
        terminal.write("" if streams else "\n---\n".join(full))


def _shows_prompt(bundle: "Bundle", options: GenerateOptions) -> bool:
    """Return whether the prompt is printed before what follows: a question or a source is not."""
    from ziggurat.core.protocols import ConditionalModel

    return not options.only_new and not options.chat and not isinstance(bundle.model, ConditionalModel)


def _writer(
    bundle: "Bundle", prompts: list[str], options: GenerateOptions
) -> Callable[[OnText | None], list[Continuation]]:
    """Return what writes on after the prompts; a model that writes nothing is refused at once.

    Raises:
        UsageError: the model writes no text, or has no chat template and is asked to answer.
    """
    from ziggurat.core.protocols import ConditionalModel
    from ziggurat.use.completion import generate as write_on
    from ziggurat.use.translation import translate

    if isinstance(bundle.model, ConditionalModel) and not options.chat:
        source = bundle.model
        return lambda on_text: translate(source, bundle.tokenizer, prompts, options, seed=options.seed, on_text=on_text)
    asked: Sequence[str | IdArray] = prompts
    ends: frozenset[int] = frozenset()
    if options.chat:
        turn, ends = _turn(bundle, prompts[0], options.system)
        asked = [turn]
    model = bundle.language_model
    return lambda on_text: write_on(
        model, bundle.tokenizer, asked, options, seed=options.seed, ends=ends, on_text=on_text
    )


def _turn(opened: "Bundle", question: str, system: str) -> tuple["IdArray", frozenset[int]]:
    """Return the ids of a conversation of one question, and those that end its answer."""
    from ziggurat.use.chat_template import ChatTemplate

    if not opened.chat_template.strip():
        raise UsageError(
            "--chat: this model has no chat template, so nobody has taught it to converse: leave --chat out, and it "
            "goes on from the prompt"
        )
    template = ChatTemplate(opened.chat_template, opened.tokenizer)
    said = [{"role": "system", "content": system}] if system else []
    return template.ids([*said, {"role": "user", "content": question}]), template.ends


COMMAND = generate
