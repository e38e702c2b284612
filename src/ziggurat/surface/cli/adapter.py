"""Merge an adapter (LoRA) into a bundle's model."""

from pathlib import Path
from typing import Annotated

import typer

from ziggurat.surface.cli.places import new_place
from ziggurat.surface.first_use import first_use
from ziggurat.surface.terminal import Terminal

__all__ = ["COMMAND", "adapter"]


def adapter(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    folder: Annotated[
        Path, typer.Argument(metavar="ADAPTER", help="An adapter in the form of PEFT, or the run folder that holds it")
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder of the new bundle")],
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but warnings")] = False,
) -> None:
    """Save a bundle whose model has an adapter merged in; the bundle without it stays as it is.

    A training with --training.lora_rank leaves its adapter in the run folder, and a bundle with it merged in.
    """
    from ziggurat.artefacts.adapters import ADAPTER, merged
    from ziggurat.artefacts.bundle import TENSORS, load, save
    from ziggurat.artefacts.manifest import Provenance

    new_place(str(out))
    base = load(bundle)
    inside = folder / ADAPTER
    place = inside if inside.is_dir() else folder
    model = merged(base, place)
    said = base.manifest
    facts = {"merged": {"from": str(base.path), "arrays": said.files[TENSORS]["sha256"], "adapter": str(place)}}
    provenance = Provenance(recipe=said.recipe, seed=said.seed, corpus=said.corpus, training=facts)
    saved = save(
        out,
        family=said.family,
        model=model,
        tokenizer=base.tokenizer,
        provenance=provenance,
        chat_template=base.chat_template,
    )
    terminal = Terminal(quiet=quiet)
    terminal.write(str(saved.path))
    terminal.next(first_use(saved.manifest, out))


COMMAND = adapter
