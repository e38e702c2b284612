"""Where text may be cut: paragraphs, sentences, blocks of paragraphs; and which language it seems to be in."""

import re
from collections.abc import Iterator

__all__ = ["blocks", "language_of", "sentences"]

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_ABBREVIATIONS = frozenset(
    (
        "mr", "mrs", "ms", "dr", "st", "prof", "sr", "jr", "vs", "etc",
        "eg", "ie", "cf", "no", "vol", "pp", "fig", "al", "approx", "inc",
        "ltd", "co", "corp", "gen", "col", "capt", "lt", "rev", "hon",
    )
)  # fmt: skip
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+)|[。！？…]+[”’」』）]*|\n\s*\n")
_SAMPLE_CHARACTERS = 2000


def language_of(text: str) -> str:
    """Return ``zh`` where Han characters are at least a third of the letters, else an empty string.

    Only what decides how text is cut is told; whoever needs more knows their language.
    """
    sample = text[:_SAMPLE_CHARACTERS]
    han = _covered(_HAN, sample)
    return "zh" if han and han * 3 >= _covered(_LETTERS, sample) else ""


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of each sentence of English or Chinese text; together they cover all of it but spaces.

    A sentence ends at its final signs and closing quotes, or at an empty line. A full stop after a common abbreviation
    or a single capital letter ends none.
    """
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group().startswith(".") and _abbreviates(text, match.start()):
            continue
        yield from _span(text, start, match.end())
        start = match.end()
    yield from _span(text, start, len(text))


def blocks(text: bytes, size: int) -> Iterator[tuple[int, int]]:
    """Yield ``[start, end)`` of blocks of about ``size`` bytes of UTF-8 text that end at paragraphs.

    A block ends at the last empty line inside it, else at its last line end, else at a space, else between two
    characters. Only where all of ``size`` is one paragraph does it end inside a paragraph.
    """
    start = 0
    while len(text) - start > size * 3 // 2:
        limit = start + size
        least = start + size // 3
        end = -1
        for mark in (b"\n\n", b"\n", b" "):
            found = text.rfind(mark, least, limit)
            if found >= 0:
                end = found + len(mark)
                break
        if end < 0:
            end = limit
            while text[end] & 0xC0 == 0x80:  # inside a character
                end -= 1
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def _covered(pattern: re.Pattern[str], text: str) -> int:
    """Return how many characters of ``text`` match; to take them out is much faster than to list them."""
    return len(text) - len(pattern.sub("", text))


def _abbreviates(text: str, stop: int) -> bool:
    word = re.search(r"(\w+)$", text[max(0, stop - 12) : stop])
    if word is None:
        return False
    return word.group().lower() in _ABBREVIATIONS or (len(word.group()) == 1 and word.group().isupper())


def _span(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    stretch = text[start:end]
    left = start + len(stretch) - len(stretch.lstrip())
    right = start + len(stretch.rstrip())
    if left < right:
        yield left, right
