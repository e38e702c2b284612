"""The command with which one begins to use a model, by what the model gives."""

import shlex
from pathlib import Path

from ziggurat.artefacts.manifest import LABELS, ROLES, TAGS, TEXT, TEXT_VECTORS, TRANSLATIONS, WORD_VECTORS, Manifest

__all__ = ["first_use"]

COMMANDS = {
    TEXT: 'ziggurat generate {folder} --prompt "…"',
    TRANSLATIONS: "ziggurat translate {folder} FILE…",
    ROLES: "ziggurat task roles predict {folder} FILE…",
    TAGS: "ziggurat task ner predict {folder} FILE…",
    LABELS: "ziggurat task classification predict {folder} TEXT…",
    TEXT_VECTORS: "ziggurat embed {folder} TEXT…",
    WORD_VECTORS: "ziggurat vectors nearest {folder} WORD",
}


def first_use(manifest: Manifest, folder: Path) -> str:
    """Return the command that uses the bundle or run ``folder`` at once."""
    return COMMANDS[manifest.gives].format(folder=shlex.quote(str(folder)))
