"""Plain text and Markdown: one file, one record."""

from collections.abc import Iterator
from typing import ClassVar

from ziggurat.text.decoding import open_source, pieces
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Record, Source

__all__ = ["READER", "PlainReader"]


class PlainReader:
    """Reads a text file as it stands, piece by piece."""

    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".md", ".markdown", ".text")
    openings: ClassVar[tuple[bytes, ...]] = ()
    scheme: ClassVar[str] = ""

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:
        """Yield the file's one record."""
        with open_source(source) as stream:
            yield Record(source.label, pieces(stream, source, options, ledger))


READER = PlainReader()
