"""Foreign formats: what each can do, and which there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.proof import Proof
from ziggurat.core.errors import ArtefactError, UnknownNameError, UsageError
from ziggurat.core.protocols import Model, Tokenizer
from ziggurat.core.registry import Registry
from ziggurat.text.compression import SUFFIXES

__all__ = ["FORMATS", "Foreign", "Format", "Numbered", "Proven", "format_in", "format_of", "refuse_own_parts"]

OWN_PARTS = ("ngram_orders", "value_embeddings")
"""Keys of ``[model]`` for parts that no other program's models have."""


@dataclass(frozen=True)
class Foreign:
    """A model that came from elsewhere."""

    family: str
    model: Model
    tokenizer: Tokenizer
    chat_template: str = ""
    """How a conversation is written as one text, as a Jinja template; empty where the model has none."""


class Format(Protocol):
    """The ``FORMAT`` object of a module in ``artefacts/interchange/``."""

    suffixes: ClassVar[tuple[str, ...]]
    """Endings of its files' names; none where a model is a folder."""

    def opens(self, path: Path) -> bool:
        """Return whether the file's first bytes, or a folder's files, are of this format; False where none are read."""
        ...

    def write(self, bundle: Bundle, path: Path) -> None:
        """Write a bundle's model to ``path`` and prove it by reading it back.

        Raises:
            UsageError: the format can't hold such a model, or ``path`` is a folder that is there already.
            DiskFullError: the disk is full; nothing is left at ``path``.
        """
        ...

    def read(self, path: Path) -> Foreign:
        """Open a file or folder of this format.

        Raises:
            ArtefactError, InputError: it can't be read, or is not of this format; the message names file and line.
            UsageError: it is one of our own bundles.
        """
        ...


@runtime_checkable
class Proven(Protocol):
    """A format that tells how nearly a file agrees with its bundle, and who says so."""

    programs: ClassVar[Mapping[str, str]]
    """Programs beside ours that read the file back where they are installed, and the package that each needs."""

    def write_proven(self, bundle: Bundle, path: Path) -> list[Proof]:
        """Do `Format.write`; return what each program that read the file back found.

        Raises:
            UsageError: the format can't hold such a model.
            ArtefactError: what was read back differs; nothing is left at ``path``.
            DiskFullError: the disk is full; nothing is left at ``path``.
        """
        ...


@runtime_checkable
class Numbered(Protocol):
    """A `Proven` format that can also write numbers with fewer bits."""

    number_types: ClassVar[tuple[str, ...]]
    """Number types that it can write; the first is taken where none is asked for."""

    def write_proven(self, bundle: Bundle, path: Path, *, number_type: str = "") -> list[Proof]:
        """Do `Format.write` with a number type; return what each program that read the file back found.

        Raises:
            UsageError: the format can't hold such a model, or has no such number type.
            ArtefactError: what was read back differs; nothing is left at ``path``.
            DiskFullError: the disk is full; nothing is left at ``path``.
        """
        ...


FORMATS: Registry[Format] = Registry("ziggurat.artefacts.interchange", "FORMAT", kind="format")
"""All foreign formats, by the name of their module."""


def format_of(path: Path) -> Format:
    """Return the format whose ending a file's name has, before the ending of a compressed file.

    Raises:
        UnknownNameError: no format has it.
        UsageError: the name has no ending.
    """
    endings = {suffix: name for name in FORMATS.names() for suffix in FORMATS.get(name).suffixes}
    suffix = _ending(path)
    if not suffix:
        raise UsageError(f"{path}: its name has no ending that says a format; known: {', '.join(sorted(endings))}")
    if suffix not in endings:
        raise UnknownNameError("file ending", suffix, endings, where=str(path))
    return FORMATS.get(endings[suffix])


def format_in(path: Path) -> Format:
    """Return the format of a file or folder that is there: what is in it, or else a file's ending.

    Several formats share an ending, and few files in the wild have the ending that their writer meant.

    Raises:
        UnknownNameError: neither says it.
        ArtefactError: there is nothing, or a folder of no format.
    """
    formats = [FORMATS.get(name) for name in FORMATS.names()]
    likely_first = sorted(formats, key=lambda each: _ending(path) not in each.suffixes)
    found = next((each for each in likely_first if each.opens(path)), None)
    if found is not None:
        return found
    if path.is_dir():
        inside = [folder.name for folder in sorted(path.iterdir()) if folder.is_dir() and _opens(folder)]
        hint = f"; give one of those in it: {', '.join(inside[:8])}" if inside else ""
        raise ArtefactError(f"{path}: a folder of no known format: no config.json and no weights in it{hint}")
    if not path.exists() and not path.suffix:
        raise ArtefactError(
            f"{path}: no such file or folder; nothing is downloaded: fetch a model of a hub first, for example with "
            f"'hf download {path} --local-dir {path.name}', and give its folder"
        )
    return format_of(path)


def refuse_own_parts(bundle: Bundle, form: str, parts: Iterable[str] = OWN_PARTS) -> None:
    """Refuse to write a model as ``form`` that has ``parts``: keys of what only our own form has a place for.

    Raises:
        UsageError: it has, the message names the keys; or it stands on counts.
    """
    network = getattr(bundle.model, "network", None)
    if hasattr(network, "counts"):
        raise UsageError(
            f"{bundle.path}: {form} has no form for a network on n-gram counts: only Ziggurat opens it (its weights "
            "and counts are plain safetensors); to export a model, train one without counts"
        )
    config = getattr(network, "config", None)
    if held := [key for key in parts if getattr(config, key, None)]:
        raise UsageError(
            f"{bundle.path}: {form} has no form for what {' and '.join(held)} adds to a model: only Ziggurat opens it "
            "(its weights are plain safetensors); to export a model, train one without"
        )


def _opens(folder: Path) -> bool:
    """Return whether a folder is of some format."""
    return any(FORMATS.get(name).opens(folder) for name in FORMATS.names())


def _ending(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix.lower() in SUFFIXES else path
    return plain.suffix.lower()
