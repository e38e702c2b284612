"""Parquet tables (extra ``parquet``): one row a document."""

from collections.abc import Iterator
from typing import ClassVar

from ziggurat.core.errors import InputError, MissingExtraError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.readers.jsonl import find_field
from ziggurat.text.records import Record, Source

__all__ = ["READER", "ParquetReader"]

BATCH_ROWS = 1024


class ParquetReader:
    """Reads one column in batches of rows."""

    suffixes: ClassVar[tuple[str, ...]] = (".parquet",)
    openings: ClassVar[tuple[bytes, ...]] = (b"PAR1",)
    scheme: ClassVar[str] = ""

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:  # noqa: ARG002
        """Yield a record for each row; one whose text is null is an empty document."""
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise MissingExtraError(f"{source.label}: reading Parquet", "parquet") from error
        if source.path is None:
            raise InputError("Parquet can't be read from standard input: name the file")
        try:
            table = pq.ParquetFile(source.path if source.content is None else pa.BufferReader(source.content))
            texts = {
                name: ""
                for name, kind in zip(table.schema_arrow.names, table.schema_arrow.types, strict=True)
                if _is_text(pa, kind)
            }
            field = find_field(texts, options.field, source.label)
            number = 0
            for batch in table.iter_batches(BATCH_ROWS, columns=[field]):
                for value in batch.column(0).to_pylist():
                    number += 1
                    yield Record(f"{source.label}:{number}", (value or "",))  # the ledger will tell of an empty one
        except pa.ArrowException as error:
            raise InputError(f"{source.label}: not a Parquet table, or damaged ({error})") from error


def _is_text(pa: object, kind: object) -> bool:
    return str(kind) in ("string", "large_string", "string_view") and pa is not None


READER = ParquetReader()
