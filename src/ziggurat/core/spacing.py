"""Words that somebody cut, written as a text again: with spaces, or without them where Chinese has none."""

import re
from collections.abc import Sequence

import numpy as np

from ziggurat.core.types import IdArray

__all__ = ["HAN", "KANA", "joined"]

HAN = "\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9\U00020000-\U000323af"
"""Han characters, as a class of a regular expression has them."""
KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
"""The same of kana, between which Japanese has no spaces either."""

_WIDE = "\u2e80-\u2fd5\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9\uff00-\uff60\U00020000-\U000323af"
_TOUCHING = re.compile(f"(?:[{_WIDE}].|.[{_WIDE}])", re.DOTALL)
"""Two characters between which a text in Chinese has no space: one is a Han character or a sign of such text."""


def joined(words: Sequence[str]) -> tuple[str, IdArray]:
    """Return the text of ``words`` and (W, 2) where each begins and ends in it.

    There is a space between two words, and none where both are single characters and one of them is Chinese.

    >>> joined(["吴", "重", "阳", "born", "1", "9"])[0]
    '吴重阳 born 1 9'
    """
    pieces: list[str] = []
    spans = np.zeros((len(words), 2), np.int32)
    place, before = 0, ""
    for number, word in enumerate(words):
        alone = len(before) == len(word) == 1 and _TOUCHING.match(before + word)
        gap = "" if number == 0 or alone else " "
        pieces += [gap, word]
        spans[number] = place + len(gap), place + len(gap) + len(word)
        place, before = int(spans[number, 1]), word
    return "".join(pieces), spans
