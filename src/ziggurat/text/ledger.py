"""The ledger: which text was left out, why, and which twin was kept."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

__all__ = ["Ledger", "read_ledger"]


class Ledger:
    """Writes one JSON line for each thing left out, and counts what was found and changed.

    *Idea.* Entries go to the file at once, so that memory does not grow with the number of duplicates; only the
    sums stay. An entry has ``reason``, ``document`` or ``source``, ``bytes`` where known, and for duplicates
    ``kept`` (the document that stands for it) and ``similarity``.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Begin a ledger at ``path``; without one, entries wait in memory until another ledger takes them in."""
        self.path = path
        self.waiting: list[str] = []
        self.documents: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.observed: dict[str, Counter[str]] = {}
        self._file: TextIO | None = None if path is None else path.open("w", encoding="utf-8")

    def remove(self, reason: str, *, size_bytes: int = 0, **details: str | float) -> None:
        """Enter one document or file that was left out, for example ``remove("binary", source="a.png")``."""
        self.documents[reason] += 1
        self.bytes[reason] += size_bytes
        entry: dict[str, Any] = {"reason": reason, **details}
        if size_bytes:
            entry["bytes"] = size_bytes
        self._write(json.dumps(entry, ensure_ascii=False) + "\n")

    def observe(self, kind: str, value: str, times: int = 1) -> None:
        """Count something that was found or changed without leaving a document out (an encoding, a language)."""
        if times:
            self.observed.setdefault(kind, Counter())[value] += times

    def take_in(self, other: "Ledger") -> None:
        """Enter all that waits in ``other``, as if it had been entered here in the first place."""
        for line in other.waiting:
            self._write(line)
        self.documents.update(other.documents)
        self.bytes.update(other.bytes)
        for kind, counts in other.observed.items():
            self.observed.setdefault(kind, Counter()).update(counts)

    def hand_over(self) -> "Ledger":
        """Return all that waits as a ledger of its own, and begin anew."""
        other = Ledger()
        for name in ("waiting", "documents", "bytes", "observed"):
            setattr(other, name, getattr(self, name))
        self.waiting, self.documents, self.bytes, self.observed = [], Counter(), Counter(), {}
        return other

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
        if self._file is not None:
            self._file.close()

    def _write(self, line: str) -> None:
        if self._file is None:
            self.waiting.append(line)
        else:
            self._file.write(line)


def read_ledger(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a ledger's entries in the order in which they were written."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
