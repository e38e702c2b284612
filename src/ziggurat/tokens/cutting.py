"""How text is cut into words: said once, for the `tokenizers` library and for the compiled kernel.

*Idea.* The rules are regular expressions that the library applies, so that a ``tokenizer.json`` decides alone how text
is cut. Bulk text goes through a kernel that applies the same rules by looking up each character's class; the classes
are asked of the library, character by character as they turn up, so no two versions of Unicode can disagree.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ziggurat.core.compiled import in_parallel, thread_count

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from tokenizers.pre_tokenizers import PreTokenizer

__all__ = ["BREAK", "Bytes", "Cut", "dress", "escaped", "for_each_part", "is_sign", "joined", "unescaped"]

Bytes: TypeAlias = npt.NDArray[np.uint8]

BREAK = "\udfff"
"""What the kernel writes where it left out a sign."""

_LETTERS = r"[\p{L}\p{M}&&[^\p{Han}]]+(?:['’][\p{L}&&[^\p{Han}]]+)*"
_SIGN = r"[^\s\p{L}\p{M}\p{N}]"
_PATTERNS = {  # of the classes of characters; one is of the first that fits, and a sign where none does
    "space": r"\s",
    "han digit": r"[\p{Han}&&\p{N}]",
    "han": r"\p{Han}",
    "letter": r"\p{L}",
    "mark": r"\p{M}",
    "digit": r"\p{N}",
    "apostrophe": "['’]",
}
_BLOCK = 256
_BEYOND = bytes(3)  # what the kernel may look at behind the last character
_CONTROLS = {code: 0xDC00 + code for code in range(0x20)}
_SHOWN = {shown: code for code, shown in _CONTROLS.items()}


@dataclass(frozen=True)
class Cut:
    """The rules."""

    whitespace: bool = False
    """Words are what stands between white space, and nothing below matters but `lowercase`."""
    han_runs: bool = False
    """Han characters that touch are one word (text comes cut), instead of a word each."""
    punctuation: bool = True
    """Signs are words, instead of being left out."""
    lowercase: bool = False

    def pattern(self, *, joins: bool = False) -> str:
        """Return what a word looks like; with ``joins`` several that ``_`` holds together are one word too."""
        word = rf"\p{{Han}}{'+' if self.han_runs else ''}|{_LETTERS}|\p{{N}}+"
        if joins:
            word = f"(?:{word})(?:_(?:{word}))*"
        return f"{word}|{_SIGN}" if self.punctuation else word

    def pre_tokenizer(self, *, joins: bool = False) -> "PreTokenizer":
        """Return the rules as the library knows them."""
        from tokenizers import Regex, pre_tokenizers

        if self.whitespace:
            return pre_tokenizers.WhitespaceSplit()
        if not self.punctuation:
            return pre_tokenizers.Split(Regex(self.pattern(joins=joins)), "removed", invert=True)
        words = pre_tokenizers.Split(Regex(self.pattern(joins=joins)), "isolated")
        return pre_tokenizers.Sequence([words, pre_tokenizers.WhitespaceSplit()])

    def words(self, text: Bytes, *, breaks: bool = False) -> Bytes:
        r"""Return the words of documents (see `joined`), a space behind each and ``\n`` behind each document.

        ``breaks`` writes `BREAK` where a sign was left out. Control characters are written otherwise: see `escaped`.

        *Cost.* Some 200 MB of English a second and thread.
        """
        from ziggurat.tokens.kernels.cutting import cut_words, moves

        known = _known(self.whitespace, self.lowercase)
        table = moves(han_runs=self.han_runs, signs=self.punctuation, breaks=breaks)
        out = np.empty(4 * text.size + 8, np.uint8)  # most of it is never touched, so takes no memory
        place = written = 0
        while True:
            place, more, unknown = cut_words(text, (place, text.size), known.classes, table, out[written:])
            written += more
            if unknown < 0:
                return out[:written]
            known.ask(unknown)


def dress(core: "Tokenizer", cut: Cut, *, joins: bool = False) -> "Tokenizer":
    """Give a tokenizer of the library the rules ``cut``, and return it."""
    from tokenizers import normalizers

    if cut.lowercase:
        core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = cut.pre_tokenizer(joins=joins)
    return core


def joined(texts: Sequence[str]) -> Bytes:
    """Return texts as one stretch of bytes in which 0xFF ends each."""
    parts = [part for text in texts for part in (text.encode(), b"\xff")]
    return np.frombuffer(b"".join([*parts, _BEYOND]), np.uint8)[: -len(_BEYOND)]


def for_each_part(work: Callable[[Bytes, int], Any], text: Bytes, threads: int = 0) -> list[Any]:
    """Apply ``work`` to neighbouring parts of documents and their numbers, each part on a thread of its own."""
    from ziggurat.tokens.kernels.cutting import DOCUMENT_END

    count = thread_count(threads)
    ends = np.flatnonzero(text == DOCUMENT_END) + 1
    wanted = [text.size * part // count for part in range(1, count)]
    edges = [0, *(int(ends[min(int(np.searchsorted(ends, place)), ends.size - 1)]) for place in wanted if ends.size)]
    parts = [text[start:stop] for start, stop in zip(edges, [*edges[1:], text.size], strict=True)]
    return in_parallel(
        [functools.partial(work, part, number) for number, part in enumerate(parts) if part.size], threads=count
    )


def escaped(word: str) -> str:
    """Return a word as `Cut.words` writes it, with control characters as half surrogates."""
    return word.translate(_CONTROLS)


def unescaped(word: str) -> str:
    """Return the word that `escaped` was given."""
    return word.translate(_SHOWN)


def is_sign(word: str) -> bool:
    """Return whether a word that the rules cut is a sign."""
    return _known(False, False).name(ord(word[0])) in ("sign", "apostrophe")


class _Known:
    """What has been asked of the library so far: the class of each character, and what it folds to."""

    def __init__(self, whitespace: bool, lowercase: bool) -> None:
        from ziggurat.tokens.kernels.cutting import FOLDS, Classes

        self.classes: Classes = (
            np.zeros(FOLDS, np.uint8),
            np.arange(FOLDS, dtype=np.int32),
            np.zeros((_BLOCK, 4), np.int32),
        )
        self._longer = 0
        self._whitespace, self._lowercase = whitespace, lowercase
        self._lock = threading.Lock()

    def name(self, character: int) -> str:
        """Return the class of a character."""
        from ziggurat.tokens.kernels.cutting import CLASSES

        self.ask(character)
        return CLASSES[self.classes[0][character]]

    def ask(self, character: int) -> None:
        """Ask for ``character`` and its neighbours, unless that is done."""
        from ziggurat.tokens.kernels.cutting import CLASSES

        start = character // _BLOCK * _BLOCK
        block = [chr(code) for code in range(start, start + _BLOCK) if not 0xD800 <= code < 0xE000]
        with self._lock:
            if self.classes[0][character]:
                return
            if self._lowercase:
                self._fold(block)
            found = np.full(len(block), CLASSES.index("sign"), np.uint8)
            for name, pattern in reversed(_PATTERNS.items()):
                fitting = _fitting(pattern, block)
                found[[letter in fitting for letter in block]] = CLASSES.index(name)
            if self._whitespace:
                controls = np.array([letter < " " for letter in block])  # not copied as they are, as letters may be
                found[found != CLASSES.index("space")] = CLASSES.index("letter")
                found[controls & (found == CLASSES.index("letter"))] = CLASSES.index("mark")
            self.classes[0][[ord(letter) for letter in block]] = found  # last: from now on the kernel reads all of it

    def _fold(self, block: Sequence[str]) -> None:
        from tokenizers import normalizers

        from ziggurat.tokens.kernels.cutting import FOLDS

        _, folds, longer = self.classes
        for letter in block:
            folded = normalizers.Lowercase().normalize_str(letter)
            folds[ord(letter)] = ord(folded[0])
            if len(folded) > 1:
                longer[self._longer, : len(folded) + 1] = [len(folded), *map(ord, folded)]
                folds[ord(letter)] = FOLDS + self._longer
                self._longer += 1


def _fitting(pattern: str, letters: Sequence[str]) -> set[str]:
    """Return those of ``letters`` that a pattern of one character fits."""
    from tokenizers import Regex, pre_tokenizers

    found = pre_tokenizers.Split(Regex(pattern), "removed", invert=True).pre_tokenize_str("".join(letters))
    return {letter for piece, _ in found for letter in piece}


@functools.cache
def _known(whitespace: bool, lowercase: bool) -> _Known:
    return _Known(whitespace, lowercase)
