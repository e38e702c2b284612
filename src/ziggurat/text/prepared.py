"""What every prepared text is, of documents or of pairs: three splits in a folder, a header, and facts."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ziggurat.core.config import to_mapping
from ziggurat.core.errors import ArtefactError, DamagedError, NewerVersionError
from ziggurat.core.files import write_text
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.splits import SPLITS

__all__ = ["LEDGER", "TEXT", "PreparedText", "Table", "digest", "facts_of", "fingerprint", "reading", "write_header"]

FORMAT = 1
TEXT = "text.utf8"
LEDGER = "ledger.jsonl"
_SOURCES_NAMED = 20

Table = npt.NDArray[np.void]
"""A row for each document or pair, with at least ``start``, ``stop`` (bytes) and ``split``."""
S = TypeVar("S")


@dataclass(frozen=True)
class PreparedText(Generic[S]):
    """A prepared text: three splits, and what was done to get them."""

    folder: Path
    train: S
    dev: S
    test: S
    fingerprint: str
    """Hash of all that was kept and of the options; does not depend on the order of files."""
    recorded: dict[str, Any]
    """What `facts` returns, but for the fingerprint."""

    @property
    def ledger(self) -> Path:
        """The file that says what was left out, why, and which twin was kept."""
        return self.folder / LEDGER

    def facts(self) -> dict[str, Any]:
        """Return counts for reports and manifests: splits, what was removed, encodings, the check for leaks, notes."""
        return {**self.recorded, "fingerprint": self.fingerprint}


class _Labelled(Protocol):
    @property
    def label(self) -> str: ...


def facts_of(sources: Sequence[_Labelled], table: Table, ledger: Ledger) -> dict[str, Any]:
    """Return the facts that all prepared texts have: sources, splits, what was removed and what was found."""
    sizes = table["stop"] - table["start"]
    inside = {name: table["split"] == split for name, split in SPLITS.items()}
    return {
        "sources": [source.label for source in sources[:_SOURCES_NAMED]],
        "source_count": len(sources),
        "splits": {
            name: {"documents": int(rows.sum()), "bytes": int(sizes[rows].sum())} for name, rows in inside.items()
        },
        "removed": ledger.summary(),
        "observed": {kind: dict(sorted(counts.items())) for kind, counts in sorted(ledger.observed.items())},
    }


def digest(raw: bytes) -> int:
    """Return a 64-bit hash of a text."""
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")


def fingerprint(digests: npt.NDArray[np.uint64], options: TextConfig) -> str:
    """Return a hash of all texts, whose hashes are given in any order, and of the options."""
    state = hashlib.sha256(np.sort(digests).tobytes())
    state.update(json.dumps(to_mapping(options), sort_keys=True).encode())
    return state.hexdigest()[:16]


def write_header(path: Path, facts: dict[str, Any], hashed: str, **more: Any) -> None:
    """Write what `reading` reads: the facts, the `fingerprint`, and ``more`` keys."""
    header = {"format": FORMAT, "fingerprint": hashed, "facts": facts, **more}
    write_text(path, json.dumps(header, ensure_ascii=False, indent=1))


@contextmanager
def reading(path: Path, *, what: str) -> Iterator[dict[str, Any]]:
    """Yield the header in the file ``path``; whatever can't be read inside is damage of this folder.

    Raises:
        ArtefactError: there is no prepared ``what``.
        DamagedError: a file is damaged.
        NewerVersionError: a newer Ziggurat wrote it.
    """
    if not path.is_file():
        raise ArtefactError(f"{path.parent}: no prepared {what} ({path.name} is missing)")
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        if header["format"] > FORMAT:
            raise NewerVersionError(f"{path}: written by a newer ziggurat; upgrade, or prepare the {what} again")
        yield header
    except (ValueError, LookupError, TypeError, OSError, EOFError) as error:
        raise DamagedError(f"{path}: damaged: prepare the {what} again ({error})") from error
