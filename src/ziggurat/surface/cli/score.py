"""Tell how likely a bundle finds a text: by token, sentence or document."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from ziggurat.core.config import option
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.terminal import Terminal, one_line

__all__ = ["COMMAND", "ScoreOptions", "score"]


@dataclass(frozen=True)
class ScoreOptions:
    """What is scored and how it is printed."""

    by: Literal["token", "sentence", "document"] = option("sentence", "unit: token, sentence or document")
    lines: bool = option(False, "take each line as a text of its own")
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(ScoreOptions)
def score(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE…|-]", help="Texts; without one, or by -, standard input")
    ] = None,
    *,
    options: ScoreOptions,
) -> None:
    """Print log-probabilities (nats), tokens and text of each unit, separated by tabs.

    The first token is predicted from the begin of text, and the end of text is predicted too: by token it stands in a
    row of its own, else it counts with the last unit.

    An encoder gives pseudo-log-likelihoods: each token alone is hidden and guessed from all others.

    A model that reads pairs scores the targets, each given its source.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.core.protocols import MaskedLanguageModel
    from ziggurat.surface.material import scores
    from ziggurat.use.scoring import total_of

    opened = load(bundle)
    terminal = Terminal(quiet=options.quiet)
    pseudo = isinstance(opened.model, MaskedLanguageModel)
    scored = scores(opened, files or ["-"], by=options.by, lines=options.lines)
    if options.json:
        documents = [
            [{"text": s.text, "start": s.start, "logprob": s.logprob, "tokens": s.tokens} for s in units]
            for units in scored
        ]
        kind = "pseudo-log-likelihood" if pseudo else "log-probability"
        facts = {"bundle": str(opened.path), "by": options.by, "unit": "nats", "kind": kind}
        terminal.write_json({**facts, "documents": documents})
        return
    for units in scored:
        for unit in units:
            terminal.write(f"{unit.logprob:.4f}\t{unit.tokens}\t{one_line(unit.text)}")
    total = total_of(scored)
    sentence = "{total:.2f} nats over {tokens} tokens, {mean:.4f} a token"
    if pseudo:
        sentence = "pseudo-log-likelihood: {total:.2f} nats over {tokens} tokens, {mean:.4f} a token"
    terminal.say(sentence, total=total.logprob, tokens=total.tokens, mean=total.mean)


COMMAND = score
