"""Text in one form: Unicode normalised, one kind of line end, no control characters."""

import re
import unicodedata

from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig

__all__ = ["clean"]

_LINE_ENDS = re.compile("\r\n?|\u2028|\u2029|\x85")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\ufeff\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def clean(text: str, options: TextConfig, ledger: Ledger) -> str:
    """Return ``text`` with line feeds as line ends, normalised, without control characters; what changed is counted.

    Tabs and line ends stay; byte order marks inside the text go; lone surrogates, which are no characters, become
    U+FFFD.
    """
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
