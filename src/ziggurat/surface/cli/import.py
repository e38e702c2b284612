"""Make a bundle of a model in a foreign format."""  # noqa: N999 - the command is called import

from pathlib import Path
from typing import Annotated

import typer

from ziggurat.surface.cli.places import new_place
from ziggurat.surface.first_use import first_use
from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "import_model"]


def import_model(
    file: Annotated[Path, typer.Argument(help="The file or folder to open")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The bundle's folder; unless told, FILE without its ending, or FOLDER-bundle"),
    ] = None,
    format_name: Annotated[str, typer.Option("--from", help="The format; unless told, by the file's content")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but warnings")] = False,
) -> None:
    """Open a model that other software made and save it as a bundle, to be used like every other.

    Word vectors (word2vec text and binary, GloVe text, fastText .vec) may be compressed.

    Folders of transformers come with their tokenizer; nothing is downloaded, and no pickle is opened.

    Decoders in GGUF files (.gguf: GPT-2, Llama, Mistral, Qwen2, Qwen3) become 32-bit, whatever their numbers were.
    """
    from ziggurat.artefacts.bundle import save
    from ziggurat.artefacts.interchange.formats import FORMATS, format_in
    from ziggurat.artefacts.manifest import Provenance
    from ziggurat.text.compression import SUFFIXES

    chosen = FORMATS.get(format_name, where="--from") if format_name else format_in(file)
    named = file.with_suffix("") if file.suffix.lower() in SUFFIXES else file
    whole = file.resolve()
    name = whole.name if file.is_dir() else named.stem
    folder = out or (whole.with_name(f"{name}-bundle") if file.is_dir() else named.with_suffix(""))
    new_place(str(folder))
    found = chosen.read(file)
    provenance = Provenance(recipe={"name": name}, training={"imported_from": whole.name})
    saved = save(
        folder,
        family=found.family,
        model=found.model,
        tokenizer=found.tokenizer,
        provenance=provenance,
        chat_template=found.chat_template,
    )
    terminal = Terminal(quiet=quiet)
    terminal.write(str(saved.path))
    terminal.next(first_use(saved.manifest, folder))


COMMAND = import_model
