"""Text in one form: Unicode normalised, one kind of line end, no control characters."""

import re
import unicodedata

from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig

__all__ = ["clean"]

_LINE_ENDS = re.compile("\r\n?|\u2028|\u2029|\x85")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ufeff\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


_ODD_BYTES = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
_ODD_SEQUENCES = (b"\xc2[\x80-\x9f]", b"\xe2\x80[\xa8\xa9]", b"\xed[\xa0-\xbf]", b"\xef(?:\xbb\xbf|\xbf[\xbe\xbf])")
_ODD = tuple(re.compile(sequence) for sequence in _ODD_SEQUENCES)  # one by one, each is found by its first byte


def clean(text: str, options: TextConfig, ledger: Ledger) -> str:
    """Return ``text`` with line feeds as line ends, normalised, without control characters; what changed is counted.

    Tabs and line ends stay; byte order marks inside the text go; lone surrogates, which are no characters, become
    U+FFFD.
    """
    if _may_be_odd(text):
        text, ends = _LINE_ENDS.subn("\n", text)
        text, controls = _CONTROLS.subn("", text)
        text, broken = _SURROGATES.subn("\ufffd", text)
        ledger.observe("changed characters", "line ends, now \\n", ends)
        ledger.observe("changed characters", "control characters, removed", controls)
        ledger.observe("changed characters", "lone surrogates, now U+FFFD", broken)
    if options.normalisation != "none" and not unicodedata.is_normalized(options.normalisation, text):
        text = unicodedata.normalize(options.normalisation, text)
        ledger.observe("changed pieces", f"normalised to {options.normalisation}")
    return text


def _may_be_odd(text: str) -> bool:
    """Return whether one of the patterns above is found in ``text``; its bytes tell it in a fifth of their time."""
    raw = text.encode(errors="surrogatepass")
    return len(raw.translate(None, _ODD_BYTES)) < len(raw) or any(pattern.search(raw) for pattern in _ODD)
