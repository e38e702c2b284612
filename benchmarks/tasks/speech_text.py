"""What the speech benchmark learns from: training novels as they are spoken, without the book that is read aloud.

A sentence is a line in small letters, signs left out, abbreviations as they are read. A novel that holds a whole
reference, or eight words of one in a row, is left out; of the others the longest run of words is told that stands in a
reference too.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ziggurat.core.types import Document
from ziggurat.text.segmentation import sentences
from ziggurat.text.spoken import spoken_units

__all__ = ["READ_ALOUD", "RUN", "Search", "spoken_lines"]

RUN = 8
"""Words of a reference in a row that make a novel the book itself."""
READ_ALOUD = {"mr": "mister", "mrs": "missus", "dr": "doctor"}
"""Abbreviations that are no words when they are read."""


@dataclass
class Search:
    """Which of the references' words stand in a training text."""

    references: Sequence[str]
    documents: int = 0
    words: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    """Documents that were left out, with the words that they share."""
    longest: str = ""
    """Words in a row of a reference that stand in what was kept, the most."""

    def kept(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Yield spoken documents but for those that hold the references' words."""
        marks = {*self._runs(RUN), *(text for text in self.references if len(text.split()) < RUN)}
        for document in documents:
            text = f" {' '.join(document.text.split())} "
            self.documents += 1
            if found := next((mark for mark in sorted(marks) if f" {mark} " in text), ""):
                self.left_out[document.id] = found
                continue
            self.words += text.count(" ") - 1
            self._lengthen(text)
            yield document

    def _lengthen(self, text: str) -> None:
        size = len(self.longest.split()) + 1
        while found := next((run for run in self._runs(size) if f" {run} " in text), ""):
            self.longest, size = found, size + 1

    def _runs(self, size: int) -> Iterator[str]:
        for reference in self.references:
            words = reference.split()
            for start in range(len(words) - size + 1):
                yield " ".join(words[start : start + size])


def spoken_lines(document: Document) -> Document:
    """Return a document as it is read aloud, a sentence a line."""
    lines = (
        " ".join(READ_ALOUD.get(word, word) for word in spoken_units(document.text[start:end]))
        for start, end in sentences(document.text)
    )
    return Document(document.id, "".join(f"{line}\n" for line in lines if line))
