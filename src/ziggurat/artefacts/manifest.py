"""``ziggurat.json``: what a bundle is, where it came from, what was measured, and the hash of every file.

*Idea.* Every number that a model card or report shows stands here once, and is referred to by its entry
(``metrics.test.bits_per_byte``). The manifest seals the bundle's files by size and SHA-256, and itself by a hash of
all its other entries.
"""

import dataclasses
import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from ziggurat.core.errors import DamagedError, NewerVersionError
from ziggurat.core.files import sha256
from ziggurat.core.version import VERSION

__all__ = [
    "LABELS",
    "NAME",
    "ROLES",
    "TAGS",
    "TEXT",
    "TEXT_VECTORS",
    "TRANSLATIONS",
    "WORD_VECTORS",
    "Manifest",
    "Provenance",
    "describe_file",
    "versions",
]

NAME = "ziggurat.json"
FORMAT = 1
TEXT, TRANSLATIONS, WORD_VECTORS, TEXT_VECTORS = "text", "translations", "word vectors", "text vectors"
LABELS, TAGS, ROLES = "labels", "tags", "roles"
"""What a model may give."""


@dataclass(frozen=True)
class Provenance:
    """Where a model came from: everything a bundle says that its files do not."""

    recipe: Mapping[str, Any] = field(default_factory=dict)
    """The resolved recipe, complete; empty for a model that was imported."""
    seed: int = 0
    corpus: Mapping[str, Any] = field(default_factory=dict)
    """`text.corpus.Corpus.facts()`: splits, what was removed, fingerprint."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """The trainer's facts: steps, tokens, seconds, dev loss."""


@dataclass(frozen=True)
class Manifest:
    """A bundle's manifest, as it stands in ``ziggurat.json``."""

    family: str
    recipe: Mapping[str, Any]
    seed: int
    tokenizer: Mapping[str, Any]
    """kind, fingerprint, vocabulary, lossless."""
    model: Mapping[str, Any]
    """parameters, arrays, context, gives."""
    corpus: Mapping[str, Any]
    training: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    """Measured quantities by what they were measured on, for example ``{"test": {"bits_per_byte": 1.97, …}}``."""
    versions: Mapping[str, str]
    """Versions of Python and of the packages that made it."""
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{name: {"bytes": …, "sha256": …}}`` of every other file of the bundle."""
    ziggurat: str = VERSION
    format: int = FORMAT

    def to_json(self) -> str:
        """Return the content of ``ziggurat.json``."""
        entries = dataclasses.asdict(self)
        return json.dumps(entries | {"seal": _seal(entries)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Manifest":
        """Read what `to_json` wrote; ``where`` names the file in errors.

        Raises:
            NewerVersionError: a newer Ziggurat wrote it.
            DamagedError: it is not a manifest, or not the one that was written.
        """
        try:
            entries = json.loads(text)
            if entries["format"] > FORMAT:
                raise NewerVersionError(
                    f"{where}: written by ziggurat {entries['ziggurat']}, newer than this one ({VERSION}): "
                    "upgrade with 'pip install --upgrade ziggurat'"
                )
            seal = entries.pop("seal")
            if seal != _seal(entries):
                raise DamagedError(f"{where}: damaged: its entries do not match its seal")
            found = cls(**entries)
            found._check_files(where)
            return found
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedError(f"{where}: damaged: not the manifest of a bundle") from error

    @property
    def gives(self) -> str:
        """What the model gives, which decides how it is used: text, translations, word vectors or text vectors."""
        return str(self.model.get("gives", TEXT))

    @property
    def size_bytes(self) -> int:
        """Size of the bundle's files on disk."""
        return sum(int(facts["bytes"]) for facts in self.files.values())

    def _check_files(self, where: str) -> None:
        """Check that files lie in the bundle's own folder: whoever copies or hashes them goes by these names."""
        for name, facts in self.files.items():
            plain = name == Path(name).name and name not in ("", "..") and not {"\\", "\0"} & set(name)
            if not plain:
                raise DamagedError(f"{where}: damaged: it lists {name!r}, which is no name of a file in this folder")
            if type(facts["bytes"]) is not int or not isinstance(facts["sha256"], str):
                raise DamagedError(f"{where}: damaged: it does not say size and hash of {name!r}")

    def entry(self, name: str) -> Any:
        """Return what stands at a dotted name, for example ``metrics.test.bits_per_byte``.

        Raises:
            KeyError: nothing stands there.
        """
        found: Any = dataclasses.asdict(self)
        for part in name.split("."):
            found = found[part]
        return found


def describe_file(path: Path) -> dict[str, Any]:
    """Return the size and hash of a file, as `Manifest.files` holds them."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def versions() -> dict[str, str]:
    """Return the versions of Python, NumPy, tokenizers and, where the process uses it, torch."""
    found = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    for package in ("numpy", "tokenizers", "numba", "torch"):
        if package in sys.modules:
            found[package] = metadata.version(package)
    return found


def _seal(entries: Mapping[str, Any]) -> str:
    canonical = json.dumps(entries, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
