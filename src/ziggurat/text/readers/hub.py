"""Data sets from a hub (extra ``hub``): ``hf://owner/name`` or ``hf://owner/name/configuration``, streamed."""

from collections.abc import Iterator
from typing import ClassVar

from ziggurat.core.errors import InputError, MissingExtraError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.readers.jsonl import find_field
from ziggurat.text.records import Record, Source

__all__ = ["READER", "HubReader"]


class HubReader:
    """Streams the training split of a data set; nothing is stored beside the library's own cache."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    openings: ClassVar[tuple[bytes, ...]] = ()
    scheme: ClassVar[str] = "hf"

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:  # noqa: ARG002
        """Yield a record for each row."""
        try:
            import datasets
        except ImportError as error:
            raise MissingExtraError(source.label, "hub") from error
        owner, _, rest = source.name.partition("/")
        name, _, configuration = rest.partition("/")
        try:
            rows = datasets.load_dataset(
                f"{owner}/{name}" if name else owner, configuration or None, split="train", streaming=True
            )
            field: str | None = None
            for number, row in enumerate(rows, start=1):
                if field is None:
                    field = find_field(row, options.field, source.label)
                yield Record(f"{source.label}:{number}", (str(row[field] or ""),))
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{source.label}: the data set can't be read ({' '.join(str(error).split())[:200]})"
            ) from error


READER = HubReader()
