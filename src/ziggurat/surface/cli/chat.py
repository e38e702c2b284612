"""Talk with a bundle that has a chat template, turn by turn."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import InputError, UsageError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.errors import spoken
from ziggurat.surface.terminal import Terminal
from ziggurat.use.completion import GenerationConfig

if TYPE_CHECKING:
    from ziggurat.use.chat import Conversation

__all__ = ["COMMAND", "ChatOptions", "chat"]

RESET = "/reset"


@dataclass(frozen=True)
class ChatOptions(GenerationConfig):
    """How the model answers."""

    max_tokens: int = option(500, "most tokens of an answer", low=1)
    temperature: float = option(0.7, "softmax(·/T): below 1 safer, above 1 bolder, 0 always the likeliest", low=0.0)
    top_p: float = option(0.9, "choose among the likeliest that together have this probability", low=0.0, high=1.0)
    system: str = option("", "what the model is told to be")
    seed: int = option(0, "seed of the draws: the same seed writes the same text", low=0)
    json: bool = option(False, "print JSON, a line an answer")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(ChatOptions, without=("samples",))  # a conversation goes on from one answer
def chat(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    options: ChatOptions,
) -> None:
    """Answer each line of standard input, knowing what was said before; /reset forgets it, Ctrl-D ends.

    Where a conversation outgrows the model's context, its oldest questions and answers are forgotten.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.use.chat import Conversation
    from ziggurat.use.chat_template import ChatTemplate

    terminal = Terminal(quiet=options.quiet)
    opened = load(bundle)
    if not opened.chat_template.strip():
        raise UsageError(
            f"{bundle}: this model has no chat template, so nobody has taught it to converse: 'ziggurat generate' lets "
            "it go on from a prompt"
        )
    template = ChatTemplate(opened.chat_template, opened.tokenizer)
    conversation = Conversation(opened.language_model, template, system=options.system)
    terminal.say("a line is a question; /reset forgets what was said, Ctrl-D ends")
    for number, question in enumerate(_questions(conversation, terminal)):
        _answer(conversation, question, options, seed=options.seed + number, terminal=terminal)


def _answer(
    conversation: "Conversation", question: str, options: ChatOptions, *, seed: int, terminal: Terminal
) -> None:
    forgotten = conversation.forgotten
    try:
        found = conversation.answer(
            question,
            options,
            seed=seed,
            on_text=None if options.json else lambda text: terminal.write(text, end=""),
        )
    except InputError as error:
        if not sys.stdin.isatty():
            raise
        terminal.warn("{error}", error=spoken(str(error)))
        return
    if options.json:
        terminal.write_json(
            {"question": question, "answer": found.text, "tokens": len(found.ids), "reason": found.reason}
        )
    else:
        terminal.write("")
    if conversation.forgotten > forgotten:
        terminal.warn(
            "the conversation no longer fits the model's context: {count} older questions with their answers are "
            "forgotten",
            count=conversation.forgotten,
        )
    if found.reason == "length":
        terminal.warn("the answer was cut at {count} tokens; --max-tokens allows more", count=len(found.ids))


def _questions(conversation: "Conversation", terminal: Terminal) -> Iterator[str]:
    """Yield lines of standard input that ask something; obey those that are commands."""
    while True:
        if terminal.lively and sys.stdin.isatty():
            sys.stderr.write("> ")
            sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return
        question = line.strip()
        if question == RESET:
            conversation.reset()
            terminal.say("forgotten")
        elif question:
            yield question


COMMAND = chat
