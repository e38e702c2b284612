"""Measure a bundle on text it has not seen: bits per byte with its interval."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import GateNotMetError
from ziggurat.surface.cli.options import with_options
from ziggurat.surface.first_use import first_use
from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal, align

__all__ = ["COMMAND", "EvaluateOptions", "evaluate"]


@dataclass(frozen=True)
class EvaluateOptions:
    """What is done with the figures."""

    record: str | None = option(None, "name under which the figures go into the bundle's manifest and card")
    fail_above: float | None = option(None, "bits per byte above which the command ends with exit code 3", low=0)
    whole: bool = option(False, "never cut long documents into blocks where there are few")
    seed: int = option(0, "seed of the bootstrap", low=0)
    json: bool = option(False, "print JSON")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(EvaluateOptions)
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    texts: Annotated[list[str], typer.Argument(metavar="TEXT…", help="Files, folders, globs; - is standard input")],
    options: EvaluateOptions,
) -> None:
    """Measure bits per byte (95 % bootstrap interval over documents), token perplexity, speed and size.

    Each document is scored from its begin token, its end included; long ones by a rolling window. Perplexities compare
    only where the tokenizer's fingerprint is the same, bits per byte always.

    Of an encoder, which has neither, how many hidden tokens it guesses is shown beside the most frequent's share.

    Of a model that reads pairs the targets are scored, each given its source.
    """
    from ziggurat.artefacts.bundle import load, record
    from ziggurat.judge.measuring import figures
    from ziggurat.surface.material import entries

    terminal = Terminal(quiet=options.quiet)
    opened = load(bundle)
    found = figures(
        opened.model,
        opened.tokenizer,
        entries(opened, texts, whole=options.whole),
        name=str(opened.path),
        training=opened.manifest.training,
        seed=options.seed,
    )
    found |= {"size_bytes": opened.manifest.size_bytes, "fingerprint": opened.tokenizer.fingerprint}
    if options.record:
        record(opened.path, {options.record: found})
    if options.json:
        terminal.write_json({"bundle": str(opened.path), **found})
    else:
        terminal.write(align((translate(name), value) for name, value in _rows(found)))
        terminal.next(first_use(opened.manifest, bundle))
    bits = found.get("bits_per_byte")
    if options.fail_above is not None and (bits is None or bits > options.fail_above):
        why = "an encoder predicts no text" if "masked_loss" in found else "the tokenizer loses text"
        measured = f"no bits per byte: {why}" if bits is None else f"{bits:.4f} bits per byte"
        raise GateNotMetError(f"{bundle}: {measured}; the gate is {options.fail_above}")


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    if "masked_loss" in found:
        return _masked_rows(found)
    rows = []
    if "bits_per_byte" in found:
        rows = [
            ("bits per byte", f"{found['bits_per_byte']:.4f}"),
            ("95 % interval", f"{found['low']:.4f} – {found['high']:.4f}"),
        ]
    return [
        *rows,
        ("perplexity per token", f"{found['token_perplexity']:.2f}"),
        ("documents", f"{found['documents']:,}"),
        *([("pairs left out", f"{found['pairs_left_out']:,}")] if "pairs_left_out" in found else []),
        ("bytes of text", f"{found['bytes']:,}"),
        ("tokens", f"{found['tokens']:,}"),
        ("tokens per second", f"{found['tokens_per_second']:,.0f}"),
        ("bytes on disk", f"{found['size_bytes']:,}"),
        ("tokenizer", found["fingerprint"]),
    ]


def _masked_rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    known = found["baseline_from"] == "training text"
    baseline = "most frequent token of the training text" if known else "most frequent token of this text"
    return [
        ("masked accuracy", f"{found['masked_accuracy']:.4f}"),
        ("95 % interval", f"{found['low']:.4f} – {found['high']:.4f}"),
        (baseline, f"{found['baseline_accuracy']:.4f}"),
        ("masked loss, nats a hidden token", f"{found['masked_loss']:.4f}"),
        ("hidden tokens", f"{found['masked_tokens']:,}"),
        ("pseudo-perplexity", f"{found['pseudo_perplexity']:.2f}"),
        ("tokens hidden one by one for it", f"{found['pseudo_tokens']:,}"),
        ("documents", f"{found['documents']:,}"),
        ("bytes of text", f"{found['bytes']:,}"),
        ("bytes on disk", f"{found['size_bytes']:,}"),
        ("tokenizer", found["fingerprint"]),
    ]


COMMAND = evaluate
