"""Cleaned text on its way: one file of UTF-8 with a table of where each document stands."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Spool"]

Buffer: TypeAlias = bytes | bytearray | memoryview


class Spool:
    """Documents written one after another to one file, so that memory holds places and names but no text.

    *Cost.* About 30 bytes of memory a document, besides its name.
    """

    def __init__(self, path: Path) -> None:
        """Begin an empty spool at ``path``."""
        self.path = path
        self._file: IO[bytes] = path.open("wb")
        self._size = 0
        self._starts = array("q")
        self._stops = array("q")
        self.names: list[str] = []
        self.sources: list[str] = []

    def add(self, name: str, source: str, parts: Iterable[str]) -> bool:
        """Write one document, its ends stripped of white space; an empty one is not added. Return whether it was."""
        start = self._size
        waiting = ""
        for part in parts:
            text = waiting + part
            if self._size == start:
                text = text.lstrip()
            kept = text.rstrip()
            waiting = text[len(kept) :]
            raw = kept.encode()
            self._file.write(raw)
            self._size += len(raw)
        if self._size == start:
            return False
        self._starts.append(start)
        self._stops.append(self._size)
        self.names.append(name)
        self.sources.append(source)
        return True

    def add_all(self, names: Sequence[str], sources: Sequence[str], stops: Sequence[int], raw: "Buffer") -> None:
        """Write many documents that stand one after another in ``raw``, none of them empty, up to ``stops`` in it."""
        start = self._size
        self._file.write(raw)
        places = [start + stop for stop in stops]
        self._starts.extend([start, *places[:-1]] if places else [])
        self._stops.extend(places)
        self._size = places[-1] if places else start
        self.names.extend(names)
        self.sources.extend(sources)

    def close(self) -> None:
        """Write what is buffered and close the file; from its second time on a name is told apart by a number."""
        self._file.close()
        if len(set(self.names)) < len(self.names):
            taken, times = set(self.names), Counter[str]()
            for place, name in enumerate(self.names):
                times[name] += 1
                while times[name] > 1 and (numbered := f"{name}~{times[name]}") in taken:
                    times[name] += 1
                if times[name] > 1:
                    self.names[place] = numbered
                    taken.add(numbered)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each document begins, in bytes."""
        return np.array(self._starts, dtype=np.int64)

    @property
    def stops(self) -> npt.NDArray[np.int64]:
        """Where each document ends."""
        return np.array(self._stops, dtype=np.int64)
