"""Text as it is spoken: its words without signs and capitals, which is what recognisers write and errors count."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ziggurat.core.errors import InputError, nearest
from ziggurat.core.spacing import HAN

__all__ = ["read_transcripts", "spoken", "spoken_units"]

_UNIT = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:'[^\W_{HAN}]+)*")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})
_SPHINX = re.compile(r"(?:<s>)?(?P<text>.*?)(?:</s>)?\s*\((?P<name>[^()]+)\)")


def spoken_units(text: str) -> list[str]:
    """Return the words of a text in small letters, and each Han character as one of its own.

    Signs are left out, and so are apostrophes beside words, which may be quotation marks; those within stay.

    >>> spoken_units("He wasn’t ill-disposed; 今天 at 8.")
    ['he', "wasn't", 'ill', 'disposed', '今', '天', 'at', '8']
    """
    return _UNIT.findall(text.translate(_APOSTROPHES).lower())


def spoken(text: str) -> str:
    """Return what is spoken of a text, with a space between its `spoken_units`.

    >>> spoken("Had he married, -- he might!")
    'had he married he might'
    """
    return " ".join(spoken_units(text))


def read_transcripts(path: Path, names: Sequence[str]) -> list[str]:
    """Return what was said in each of the recordings ``names``.

    A line is ``NAME<TAB>text``, or ``<s> text </s> (NAME)`` as in Sphinx's transcripts; lines of other recordings are
    passed over.

    Raises:
        InputError: the file can't be read, a line is neither, or a recording has none or two.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"{path}: can't be read ({what})") from error
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, said = _transcript(line, where=f"{path}:{number}")
        if name in found:
            raise InputError(f"{path}:{number}: a second transcript of '{name}'; keep one")
        found[name] = said
    return [_of(name, found, path) for name in names]


def _transcript(line: str, *, where: str) -> tuple[str, str]:
    name, tab, said = line.partition("\t")
    if tab:
        return name.strip(), said.strip()
    sphinx = _SPHINX.fullmatch(line.strip())
    if sphinx is None:
        raise InputError(f"{where}: expected NAME<TAB>text, or <s> text </s> (NAME)")
    return sphinx["name"].strip(), sphinx["text"].strip()


def _of(name: str, found: Mapping[str, str], path: Path) -> str:
    if name not in found:
        raise InputError(f"{path}: no transcript of '{name}'{nearest(name, found)}")
    return found[name]
