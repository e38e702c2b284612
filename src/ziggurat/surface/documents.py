"""Text that is measured, scored or tokenized: read and cleaned like a corpus, but neither thinned nor split."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ziggurat.core.errors import InputError, TooLittleTextError
from ziggurat.core.types import Document
from ziggurat.text.cleaning import clean
from ziggurat.text.decoding import BinaryContentError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.segmentation import blocks, language_of
from ziggurat.text.sources import read_records, resolve

__all__ = ["cut_where_few", "read_documents"]


def read_documents(
    names: Sequence[str], options: TextConfig | None = None, *, stripped: bool = True
) -> Iterator[Document]:
    """Yield the documents behind ``names`` one by one; files in folders that are no text are passed over.

    Unless ``stripped``, the white space at their ends stays, but for one line's end.

    Raises:
        InputError: a source can't be used; the message names file and line.
        TooLittleTextError: there is no text in them.
    """
    options = options or TextConfig()
    sources = resolve(names)
    found = False
    with Ledger(Path(os.devnull)) as ledger:
        for source in sources:
            try:
                for record in read_records(source, options, ledger):
                    text = "".join(clean(part, options, ledger) for part in record.parts)
                    text = text.strip() if stripped else text.removesuffix("\n")
                    if text.strip():
                        found = True
                        yield Document(record.id, text, source.label, language_of(text))
            except BinaryContentError:
                if source.explicit:
                    raise
            except PermissionError as error:
                raise InputError(f"{source.label}: may not be read ({error.strerror})") from error
    if not found:
        raise TooLittleTextError(f"{', '.join(source.label for source in sources[:3])}: no text in it")


def cut_where_few(documents: Iterator[Document], options: TextConfig | None = None) -> Iterator[Document]:
    """Yield ``documents``, or where they are few their blocks of paragraphs, as a corpus cuts them.

    A bootstrap interval is drawn over documents: one book in one piece has none, its chapters' blocks have.
    """
    options = options or TextConfig()
    first = []
    for document in documents:
        first.append(document)
        if len(first) >= options.fewest_documents:
            yield from first
            yield from documents
            return
    for document in first:
        yield from _blocks(document, options.block_bytes)


def _blocks(document: Document, size: int) -> Iterator[Document]:
    raw = document.text.encode()
    if len(raw) <= size * 3 // 2:
        yield document
        return
    for number, (start, stop) in enumerate(blocks(raw, size), start=1):
        text = raw[start:stop].decode().strip()
        if text:
            yield Document(f"{document.id}#{number}", text, document.source, document.language)
