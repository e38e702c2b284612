"""The ledger: which text was left out, why, and which twin was kept."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Ledger", "read_ledger"]


class Ledger:
    """Writes one JSON line for each thing left out, and counts what was found and changed.

    *Idea.* Entries go to the file at once, so that memory does not grow with the number of duplicates; only the
    sums stay. An entry has ``reason``, ``document`` or ``source``, ``bytes`` where known, and for duplicates
    ``kept`` (the document that stands for it) and ``similarity``.
    """

    def __init__(self, path: Path) -> None:
        """Begin a ledger at ``path``."""
        self.path = path
        self.documents: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.observed: dict[str, Counter[str]] = {}
        self._file = path.open("w", encoding="utf-8")

    def remove(self, reason: str, *, size_bytes: int = 0, **details: str | float) -> None:
        """Enter one document or file that was left out, for example ``remove("binary", source="a.png")``."""
        self.documents[reason] += 1
        self.bytes[reason] += size_bytes
        entry: dict[str, Any] = {"reason": reason, **details}
        if size_bytes:
            entry["bytes"] = size_bytes
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def observe(self, kind: str, value: str, times: int = 1) -> None:
        """Count something that was found or changed without leaving a document out (an encoding, a language)."""
        if times:
            self.observed.setdefault(kind, Counter())[value] += times

    def summary(self) -> dict[str, dict[str, int]]:
        """Return ``{reason: {"documents": n, "bytes": n}}``, the most frequent reason first."""
        return {
            reason: {"documents": count, "bytes": self.bytes[reason]}
            for reason, count in sorted(self.documents.items(), key=lambda item: (-item[1], item[0]))
        }

    def __enter__(self) -> Self:
        """Use as a context: the file is closed at its end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()


def read_ledger(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a ledger's entries in the order in which they were written."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
