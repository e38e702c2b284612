"""Which encoding bytes are in, and whether they are text at all."""

import codecs
import re
from typing import Final

from ziggurat.core.errors import UnknownNameError

__all__ = ["binary_kind", "checked_name", "recognise"]

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_LEGACY: Final = (
    "gb18030", "big5", "cp1252", "shift_jis", "euc_jp", "euc_kr", "cp1251", "koi8_r", "cp1250", "cp1253", "cp1254",
)  # fmt: skip

_WIDE: Final = ("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr")
"""Those in which a sign is several bytes, not any of which may follow another."""

_BINARY: Final = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet table"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"{\\rtf", "an RTF document"),
)

_USUAL = frozenset(map(chr, range(0x20, 0x7F))) | frozenset("\t\n\r，。、：；！？“”《》")
_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_LEGACY_SAMPLE_BYTES = 1 << 14


def recognise(sample: bytes) -> str | None:
    """Return the encoding of text that begins with ``sample``; ``ascii`` where nothing decides yet, None for binary.

    *Idea.* A byte order mark decides. Then UTF-8, which text in another encoding hardly ever is by chance; a few
    broken places among many sound ones are still UTF-8, so that the reader can name them. Then UTF-16, by which order
    of bytes gives usual signs. What is left is a national encoding: GB18030, Big5, Windows-1252 (which contains
    Latin-1) and others, told apart by charset-normalizer; where a few places are broken, by the others.
    """
    for mark, name in _MARKS:
        if sample.startswith(mark):
            return name
    if sample.startswith(tuple(magic for magic, _ in _BINARY)) or sample[257:262] == b"ustar":
        return None
    if b"\x00" in sample:
        return _utf16(sample)
    if len(_CONTROLS.findall(sample)) > len(sample) * 0.02:
        return None
    if sample.isascii():
        return "ascii"
    return "utf-8" if _mostly("utf-8", sample) else _legacy(sample)


def binary_kind(sample: bytes) -> str:
    """Return in words what binary content is, by its first bytes."""
    if sample[257:262] == b"ustar":
        return "a tar archive"
    return next((words for magic, words in _BINARY if sample.startswith(magic)), "binary data")


def checked_name(name: str) -> str:
    """Return the encoding that the user named, in Python's spelling.

    Raises:
        UnknownNameError: there is no such encoding, or it is none of text.
    """
    try:
        info = codecs.lookup(name)
        "".encode(info.name)
    except (LookupError, UnicodeError) as error:
        raise UnknownNameError("encoding", name, ("utf-8", "utf-16", "utf-32", "latin-1", *_LEGACY)) from error
    return info.name


def _mostly(name: str, sample: bytes) -> bool:
    """Return whether a sample is in an encoding but for a few places among many that are sound."""
    text = codecs.getincrementaldecoder(name)("replace").decode(sample)
    broken = text.count("\ufffd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    return sound >= 4 * broken


def _utf16(sample: bytes) -> str | None:
    """Return which UTF-16 this is: the one in which usual signs are many times as frequent as in the other."""
    usual = {}
    for name in ("utf-16-le", "utf-16-be"):
        text = codecs.getincrementaldecoder(name)("replace").decode(sample)[:4096]
        strange = sum(not (char.isprintable() or char in "\t\n\r\f") or char == "\ufffd" for char in text)
        usual[name] = 0 if strange > 0.02 * len(text) else sum(char in _USUAL for char in text)
    best, other = sorted(usual, key=lambda name: -usual[name])
    return best if usual[best] > 20 * usual[other] else None


def _legacy(sample: bytes) -> str | None:
    first = next(index for index, byte in enumerate(sample) if byte >= 0x80)
    start = sample.rfind(b"\n", 0, first) + 1
    window = sample[start : start + _LEGACY_SAMPLE_BYTES]
    if len(window) == _LEGACY_SAMPLE_BYTES:  # a cut character at its end would speak against the right encoding
        window = window[: window.rfind(b"\n") + 1] or window
    found = _likeliest(window) or _broken(window)
    return found or (None if b"\x7f" in window else "latin-1")


def _likeliest(window: bytes) -> str | None:
    from charset_normalizer import from_bytes

    matches = list(from_bytes(window, cp_isolation=list(_LEGACY)))
    if not matches:
        return None
    least = min(match.chaos for match in matches)
    best = [match for match in matches if match.chaos <= least]
    best.sort(key=lambda match: (-match.coherence, _LEGACY.index(match.encoding)))
    return str(best[0].encoding)


def _broken(window: bytes) -> str | None:
    """Return the encoding of Chinese, Japanese or Korean that it is in but for a few places, which the reader can name.

    Nearly any bytes could be read as Latin-1, without an error, and without sense.
    """
    for name in _WIDE:
        if _mostly(name, window):
            sound = codecs.getincrementaldecoder(name)("ignore").decode(window).encode(name)
            if not sound.isascii() and _likeliest(sound) == name:
                return name
    return None
