"""General-purpose compressors as a yardstick: a language model that loses to ``xz`` has learnt little."""

import bz2
import lzma
from collections.abc import Callable, Iterable, Mapping

from ziggurat.core.errors import TooLittleTextError
from ziggurat.core.types import Document

__all__ = ["alone", "given_training_text"]

DICTIONARY_BYTES = 1 << 26
"""How far back ``xz`` looks for repetitions: 64 MB, so that a training text up to that size is all in sight."""


def alone(documents: Iterable[Document]) -> dict[str, float]:
    """Return bits per byte of ``xz -9e`` and ``bzip2 -9`` on all documents as one stream, knowing nothing else.

    Raises:
        TooLittleTextError: there is no text.
    """
    text = _joined(documents)
    if not text:
        raise TooLittleTextError("no text to compress")
    programs: Mapping[str, Callable[[bytes], bytes]] = {"xz -9e": _xz, "bzip2 -9": bz2.compress}
    return {name: 8 * len(compress(text)) / len(text) for name, compress in programs.items()}


def given_training_text(training: Iterable[Document], documents: Iterable[Document]) -> float:
    """Return bits per byte that ``xz`` needs for ``documents`` after it has read the training text.

    *Maths.* 8 (C(training + documents) − C(training)) / bytes, with C the compressed size: what models get, too.
    """
    before, text = _joined(training), _joined(documents)
    if not text:
        raise TooLittleTextError("no text to compress")
    return 8 * (len(_xz(before + text)) - len(_xz(before))) / len(text)


def _joined(documents: Iterable[Document]) -> bytes:
    return b"\0".join(document.text.encode() for document in documents)


def _xz(text: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": DICTIONARY_BYTES}]
    return lzma.compress(text, format=lzma.FORMAT_XZ, filters=filters)
