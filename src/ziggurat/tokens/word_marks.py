"""Which tokens belong to one word, beside a token store: for whoever hides or draws whole words.

*Idea.* Words are found in the text, and tokens belong to the word in which they end; so one rule serves every
tokenizer. An English word is a run of letters and digits, inner apostrophes included; any other sign is a word of its
own. Han characters are cut into words by ``rjieba`` (`ziggurat.tokens.chinese`).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import DamagedError, MissingExtraError
from ziggurat.core.files import atomic_folder
from ziggurat.core.protocols import Tokenizer
from ziggurat.core.types import Document, Encoding
from ziggurat.tokens import chinese

__all__ = ["continued", "open_marks", "word_numbers", "write_marks"]

Flags = npt.NDArray[np.bool_]

FILE = "continued.bin"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_")


def word_numbers(text: str) -> npt.NDArray[np.int64]:
    """Return (characters,) which word each character belongs to, −1 for white space.

    >>> word_numbers("it's 2 words.").tolist()
    [0, 0, 0, 0, -1, 1, -1, 2, 2, 2, 2, 2, 3]

    Raises:
        MissingExtraError: there are Han characters and what cuts them into words is not installed.
    """
    numbers = np.full(len(text), -1, np.int64)
    count = 0
    for count, found in enumerate(_WORD.finditer(text), 1):
        numbers[found.start() : found.end()] = count - 1
    if chinese.has_han(text):
        if not chinese.installed():
            raise MissingExtraError("hiding whole words of Chinese (whole_words = false hides single tokens)", "zh")
        for number, (start, stop) in enumerate(chinese.word_spans(text), count):
            numbers[start:stop] = number
    return numbers


def continued(text: str, encoding: Encoding) -> Flags:
    """Return (T,) whether each token goes on the word of the token before it."""
    if not len(encoding.ids):
        return np.zeros(0, np.bool_)
    words = word_numbers(text)[encoding.offsets[:, 1] - 1]
    goes_on = np.zeros(len(words), np.bool_)
    goes_on[1:] = (words[1:] == words[:-1]) & (words[1:] >= 0)
    return goes_on


def write_marks(tokenizer: Tokenizer, documents: Iterable[Document], path: Path, store: Any) -> Flags:
    """Write into the folder ``path``, for each id of ``store``, whether it goes on a word; return it as a memory map.

    ``store`` is the token store of the same documents.

    *Cost.* One document at a time: memory does not grow with their number.

    Raises:
        DamagedError: ``store`` is of other documents.
        MissingExtraError: there is Chinese and what cuts it is not installed.
        DiskFullError: the disk is full; what stood at ``path`` is as it was.
    """
    edges = zip(store.starts, store.starts[1:], strict=False)
    ends = 1 + int(store.vocabulary.bos != store.vocabulary.eos)
    with atomic_folder(path) as folder, (folder / FILE).open("wb") as file:
        for (start, stop), document in _matched(edges, documents, path):
            # a document's begin, its tokens, and its end where that is no other's begin
            marks = np.zeros(stop - start, np.bool_)
            goes_on = continued(document.text, tokenizer.encode(document.text))
            if len(goes_on) != len(marks) - ends:
                raise _strange(path)
            marks[1 : 1 + len(goes_on)] = goes_on
            file.write(marks.tobytes())
        file.write(bytes(len(store.tokens) - int(store.starts[-1])))
    return open_marks(path, store)


def _matched(
    edges: Iterable[tuple[int, int]], documents: Iterable[Document], path: Path
) -> Iterator[tuple[tuple[int, int], Document]]:
    """Pair what stands in a store with the documents that it is of, which must be as many."""
    for edge, document in zip_longest(edges, documents):
        if edge is None or document is None:
            raise _strange(path)
        yield edge, document


def _strange(path: Path) -> DamagedError:
    return DamagedError(f"{path}: the token store beside it is of other documents; tokenize the text again")


def open_marks(path: Path, store: Any) -> Flags:
    """Open what `write_marks` wrote, as a memory map.

    Raises:
        DamagedError: it is not as long as ``store``.
    """
    file = path / FILE
    if not file.is_file() or file.stat().st_size != len(store.tokens):
        raise DamagedError(f"{file}: damaged: it does not belong to the token store beside it")
    return np.memmap(file, dtype=np.bool_, mode="r")
