"""Write a bundle's model in a foreign format."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ziggurat.surface.language import translate
from ziggurat.surface.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ziggurat.artefacts.interchange.proof import Proof

__all__ = ["COMMAND", "export"]


def export(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    file: Annotated[Path, typer.Argument(help="The file or folder to write")],
    to: Annotated[str, typer.Option("--to", help="The format; unless told, by the file's ending")] = "",
    number_type: Annotated[
        str, typer.Option("--type", help="Numbers of a GGUF file: f32 (default), f16, bf16, q8_0, q4_0 or q4_1")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but warnings")] = False,
) -> None:
    """Write a bundle's model as a file that other software reads; what was written is read back and compared.

    Word vectors go to word2vec text (.txt, .vec) or binary (.bin) or to GloVe text (.glove); .gz compresses.

    Decoders go to GGUF (.gguf), which llama.cpp reads; a file is kept only after its tokens and probabilities
    were compared.

    Decoders, LSTMs and encoders go to ONNX (.onnx), which onnxruntime runs; a graph is kept only after what it gives
    was compared.

    Transformers opens bundles of a form that it knows as they are; --to transformers writes the same as a plain folder.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.artefacts.interchange.formats import FORMATS, Numbered, Proven, format_of
    from ziggurat.core.errors import UsageError

    chosen = FORMATS.get(to, where="--to") if to else format_of(file)
    terminal = Terminal(quiet=quiet)
    if number_type and not isinstance(chosen, Numbered):
        raise UsageError(f"--type {number_type}: {file} is of a format with one number type; leave --type out")
    said = "{file}: {size} bytes, read back and compared"
    if isinstance(chosen, Proven):
        typed = {"number_type": number_type} if isinstance(chosen, Numbered) else {}
        proofs = chosen.write_proven(load(bundle), file, **typed)
        _say_proofs(terminal, proofs)
        for program, package in chosen.programs.items():
            if program not in {proof.program for proof in proofs}:
                terminal.warn(
                    "{program} did not read it back: {package} is not installed here", program=program, package=package
                )
    else:
        chosen.write(load(bundle), file)
        said = "{file}: {size} bytes, read back and equal"
    size = sum(part.stat().st_size for part in (file.rglob("*") if file.is_dir() else [file]))
    terminal.say(said, file=file, size=f"{size:,}")


def _say_proofs(terminal: Terminal, proofs: "list[Proof]") -> None:
    for proof in proofs:
        said = "; ".join(translate(clause).format(**dataclasses.asdict(proof)) for clause in _clauses(proof))
        terminal.say("read back by {program}: {said}", program=proof.program, said=said)


def _clauses(proof: "Proof") -> "Iterator[str]":
    """Yield what a proof has to say: a graph has no tokens, an encoder no likeliest next ids."""
    if proof.tokens:
        yield "{tokens} tokens equal"
    if proof.same_best is None:
        yield "what it gives at {positions} places differs by at most {largest:.1e} beside the larger of 1 and its size"
        return
    yield "log-probabilities differ by at most {largest:.1e} nats"
    yield "likeliest ids are the same at {same_best} of {positions} places"
    if proof.written:
        yield "{same_written} of {written} greedy ids are the same"


COMMAND = export
