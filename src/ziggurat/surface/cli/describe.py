"""Show what a bundle is, where it came from and what was measured."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ziggurat.surface.first_use import first_use
from ziggurat.surface.terminal import Terminal, align

__all__ = ["COMMAND", "describe"]


def describe(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it")],
    check: Annotated[bool, typer.Option("--check", help="Hash every file first, the card included")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the whole manifest as JSON")] = False,
) -> None:
    """Show a bundle's manifest: every row is an entry of its ziggurat.json."""
    import dataclasses

    from ziggurat.artefacts.bundle import bundle_folder, check_files, read_manifest

    folder = bundle_folder(bundle)
    manifest = read_manifest(folder)
    if check:
        check_files(folder, manifest, verify=True)
    terminal = Terminal()
    if json:
        terminal.write_json({"bundle": str(folder), "manifest": dataclasses.asdict(manifest)})
        return
    entries = {
        "family": manifest.family,
        "size_bytes": manifest.size_bytes,
        "model": manifest.model,
        "tokenizer": manifest.tokenizer,
        "seed": manifest.seed,
        "training": manifest.training,
        "metrics": manifest.metrics,
        "versions": {"ziggurat": manifest.ziggurat, **manifest.versions},
    }
    terminal.write(align(_rows(entries), numbers=False))
    terminal.next(first_use(manifest, folder))


def _rows(entries: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Return nested entries as dotted names and values; lists are left to the JSON."""
    rows: list[tuple[str, str]] = []
    for name, value in entries.items():
        if isinstance(value, dict):
            rows += _rows(value, f"{prefix}{name}.")
        elif value is not None and not isinstance(value, list):
            rows.append((f"{prefix}{name}", f"{value:.6g}" if isinstance(value, float) else str(value)))
    return rows


COMMAND = describe
