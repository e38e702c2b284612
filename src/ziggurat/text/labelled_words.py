"""Sentences of labelled words, in whichever of the field's forms a file has: columns, or CoNLL-U.

*Idea.* A file is CoNLL-U by its name (``.conllu``), or by its first row: ten cells parted by tabs, numbers in the first
and the seventh. Its labels are the universal parts of speech.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ziggurat.text.columns import is_numbered, sentences_in
from ziggurat.text.options import TextConfig
from ziggurat.text.tagged import Line, TaggedSentence, is_blank, one_source, read_lines
from ziggurat.text.universal import universal_in

__all__ = ["opening", "read_labelled_words"]

SUFFIX = ".conllu"


def read_labelled_words(name: str | os.PathLike[str], options: TextConfig | None = None) -> Iterator[TaggedSentence]:
    """Yield a file's sentences one after another; ``-`` is standard input. Memory holds one sentence.

    Raises:
        InputError: as `ziggurat.text.columns.read_columns` or `ziggurat.text.universal.read_universal`; or a word of
            CoNLL-U has no part of speech.
    """
    source = one_source(name)
    universal, lines = opening(read_lines(source, options or TextConfig()), source.label)
    if universal:
        yield from (sentence.tagged() for sentence in universal_in(lines, source.label))
    else:
        yield from sentences_in(lines, source.label)


def opening(lines: Iterable[Line], label: str) -> tuple[bool, Iterator[Line]]:
    """Return whether the lines of a file, which is called ``label``, are CoNLL-U; and all of them."""
    lines, head = iter(lines), list[Line]()
    if SUFFIX in Path(label).suffixes:
        return True, lines
    for line in lines:
        head.append(line)
        if not is_blank(line.text) and not line.text.startswith("#"):
            break
    return bool(head) and is_numbered(head[-1].text), itertools.chain(head, lines)
