"""JSON lines: one object a line, its text in a field that is given or found."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ziggurat.core.errors import InputError, UnknownNameError
from ziggurat.text.decoding import lines, open_source
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Record, Source

__all__ = ["FIELD_NAMES", "READER", "JsonlReader", "find_field"]

FIELD_NAMES = (
    *("text", "content", "body", "document", "article", "review", "sentence"),
    *("文本", "内容", "正文", "评论", "句子", "文章"),
)
"""Where text usually stands, the likeliest first."""


class JsonlReader:
    """Reads ``{"id": …, "text": …}`` line by line; other fields are left alone."""

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")
    openings: ClassVar[tuple[bytes, ...]] = (b'{"',)
    scheme: ClassVar[str] = ""

    def read(self, source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Record]:
        """Yield a record for each line that is not empty."""
        field: str | None = None
        with open_source(source) as stream:
            for number, line in enumerate(lines(stream, source, options, ledger), start=1):
                if not line.strip():
                    continue
                where = f"{source.label}:{number}"
                record = _object(line, where)
                if field is None:
                    field = find_field(record, options.field, where)
                text = record.get(field)
                if text is None and field in record:
                    text = ""  # the ledger will tell of an empty document
                if not isinstance(text, str):
                    raise InputError(f"{where}: field '{field}' holds no text; name another with text.field")
                name = record.get("id")
                label = f"{source.label}:{name if isinstance(name, (str, int)) else number}"
                yield Record(label, (text,))


def find_field(record: Mapping[str, Any], wanted: str | None, where: str) -> str:
    """Return the field that holds the text: the one wanted, a usual name, or the longest string.

    Raises:
        UnknownNameError: the wanted field is not there.
        InputError: there is no string at all.
    """
    if wanted is not None:
        if wanted not in record:
            raise UnknownNameError("field", wanted, record, where=where)
        return wanted
    strings = {name: value for name, value in record.items() if isinstance(value, str)}
    if not strings:
        raise InputError(f"{where}: no field holds text; the fields are {', '.join(record)}")
    usual = next((name for name in FIELD_NAMES if name in strings or (name in record and record[name] is None)), None)
    return usual or max(strings, key=lambda name: len(strings[name]))


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON at column {error.colno} ({error.msg}); mend or remove the line") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: a number too long or lists too deep to be read; mend or remove the line") from error
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(record).__name__}")
    return record


READER = JsonlReader()
