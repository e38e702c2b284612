"""Write a bundle's model in a foreign format."""

from pathlib import Path
from typing import Annotated

import typer

from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "export"]


def export(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    file: Annotated[Path, typer.Argument(help="The file or folder to write")],
    to: Annotated[str, typer.Option("--to", help="The format; unless told, by the file's ending")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but warnings")] = False,
) -> None:
    """Write a bundle's model as a file that other software reads; what was written is read back and compared.

    Word vectors go to word2vec text (.txt, .vec) or binary (.bin) or to GloVe text (.glove); .gz compresses.

    Transformers opens bundles of a form that it knows as they are; --to transformers writes the same as a plain folder.
    """
    from ziggurat.artefacts.bundle import load
    from ziggurat.artefacts.interchange.formats import FORMATS, format_of

    chosen = FORMATS.get(to, where="--to") if to else format_of(file)
    chosen.write(load(bundle), file)
    parts = list(file.iterdir()) if file.is_dir() else [file]
    size = sum(part.stat().st_size for part in parts)
    Terminal(quiet=quiet).say("{file}: {size} bytes, read back and equal", file=file, size=f"{size:,}")


COMMAND = export
