"""Text that is on every machine: ``demo:en`` and ``demo:zh``."""

from collections.abc import Iterator
from typing import ClassVar

from ziggurat.core.errors import UnknownNameError
from ziggurat.text import samples
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Record, Source

__all__ = ["READER", "DemoReader"]

CORPORA = {"en": samples.python_documentation, "zh": samples.chinese_reviews}


class DemoReader:
    """Reads one of the embedded corpora."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    openings: ClassVar[tuple[bytes, ...]] = ()
    scheme: ClassVar[str] = "demo"

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:  # noqa: ARG002
        """Yield the corpus' documents."""
        if source.name not in CORPORA:
            raise UnknownNameError("demo", source.name, CORPORA)
        for name, text in CORPORA[source.name]():
            yield Record(name, (text,))


READER = DemoReader()
