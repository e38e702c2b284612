"""Turn texts into vectors, one for each."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UsageError
from ziggurat.core.types import Document
from ziggurat.surface.cli.options import naming_flags, with_options
from ziggurat.surface.cli.places import new_place
from ziggurat.surface.terminal import Terminal
from ziggurat.use.embedding import EmbeddingConfig

__all__ = ["COMMAND", "EmbedOptions", "embed"]

BATCH_TEXTS = 1024


@dataclass(frozen=True)
class EmbedOptions(EmbeddingConfig):
    """How texts become vectors, and where these go."""

    lines: bool = option(False, "take each line as a text of its own")
    out: str | None = option(None, "file for the vectors instead of standard output: .npy (rows only) or .jsonl")
    quiet: bool = option(False, "say nothing but warnings")


@with_options(EmbedOptions)
def embed(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE…|-]", help="Texts; without one, or by -, standard input")
    ] = None,
    *,
    options: EmbedOptions,
) -> None:
    """Print a line of JSON for each text: its id and its vector.

    Vectors are made as the bundle says, which an imported sentence-transformers model knows, or as you ask for. Of a
    text longer than what the model reads only the beginning counts, and that is said.
    """
    import numpy as np

    from ziggurat.artefacts.bundle import load
    from ziggurat.core.files import atomic_file
    from ziggurat.surface.documents import read_documents
    from ziggurat.use.embedding import embed as vectors_of

    if options.out is not None and Path(options.out).suffix not in (".npy", ".jsonl"):
        raise UsageError(f"--out: {options.out}: choose a name that ends with .npy or .jsonl")
    out = None if options.out is None else new_place(options.out)
    opened, terminal = load(bundle), Terminal(quiet=options.quiet)
    encoder, cut, longest, count = opened.encoder, 0, None, 0
    rows, lines = [], []
    for batch in _batches(_texts(read_documents(files or ["-"]), lines=options.lines)):
        with naming_flags(EmbedOptions):
            found = vectors_of(encoder, opened.tokenizer, [text for _, text in batch], options)
        cut, longest, count = cut + found.cut, found.longest, count + len(batch)
        if options.out is not None and options.out.endswith(".npy"):
            rows.append(found.vectors)
            continue
        for (name, _), vector in zip(batch, found.vectors, strict=True):
            line = json.dumps({"id": name, "vector": [float(f"{number:.8g}") for number in vector]}, ensure_ascii=False)
            if options.out is None:
                terminal.write(line)
            else:
                lines.append(line + "\n")
    if out is not None:
        with atomic_file(out) as file, file.open("wb") as stream:
            if rows:
                np.save(stream, np.concatenate(rows))
            else:
                stream.write("".join(lines).encode())
    if cut:
        terminal.warn(
            "{cut} texts are longer than {longest} tokens: only their beginnings count", cut=cut, longest=longest
        )
    terminal.say("{count} vectors of {width} numbers", count=count, width=encoder.width)


def _texts(documents: Iterable[Document], *, lines: bool) -> Iterator[tuple[str, str]]:
    for document in documents:
        if not lines:
            yield document.id, document.text
            continue
        for number, line in enumerate(document.text.splitlines(), 1):
            if line.strip():
                yield f"{document.id}:{number}", line


def _batches(texts: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    for text in texts:
        batch.append(text)
        if len(batch) == BATCH_TEXTS:
            yield batch
            batch = []
    if batch:
        yield batch


COMMAND = embed
