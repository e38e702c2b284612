"""CoNLL-U, the form of Universal Dependencies: words with their parts of speech and features.

*What is a token.* The syntactic words, numbered 1, 2, 3 …: they have tags. A multiword token (``3-4 au``) is a stretch
of words that are written as one and is kept beside them; an empty node (``8.1``) is in no text and is passed over.
Cells are read by the library ``conllu``; its own cutting of lines, which takes two blanks for a tab, is not relied on.
Source of the form: Nivre et al. 2020; universaldependencies.org/format.html.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ziggurat.core.errors import InputError, UnknownNameError
from ziggurat.text.options import TextConfig
from ziggurat.text.relabelling import Block, Labeller, RawLines, relabelled
from ziggurat.text.tagged import Line, TaggedSentence, is_blank, one_source, read_lines

__all__ = ["Layer", "Multiword", "UniversalSentence", "Word", "read_universal", "set_labels", "universal_in"]

Layer: TypeAlias = Literal["upos", "xpos", "features"]
"""What a word is labelled with: its universal part of speech, its language's own, or its features."""

CELLS = {"upos": 3, "xpos": 4, "features": 5}
COLUMNS = 10
NONE = "_"
MAY_HOLD_BLANKS = (1, 2, 9)
"""Form, lemma and what else there is to say."""


@dataclass(frozen=True, slots=True)
class Word:
    """A syntactic word."""

    form: str
    upos: str = ""
    """Empty where the file says ``_``, as are the others."""
    xpos: str = ""
    features: tuple[tuple[str, str], ...] = ()
    """Names with values, as ``("Number", "Sing")``, in the order of the file."""

    def label(self, layer: Layer) -> str:
        """Return one of its labels as CoNLL-U writes it; a word without features has ``_`` for them."""
        if layer == "features":
            return "|".join(f"{name}={value}" for name, value in self.features) or NONE
        return self.upos if layer == "upos" else self.xpos


@dataclass(frozen=True, slots=True)
class Multiword:
    """Words that are written as one: tokens ``start`` to ``stop`` (exclusive), from 0."""

    start: int
    stop: int
    form: str


@dataclass(frozen=True, slots=True)
class UniversalSentence:
    """One sentence of CoNLL-U."""

    id: str
    """``path:line``, the line that of the first word or range."""
    words: tuple[Word, ...]
    multiwords: tuple[Multiword, ...] = ()
    name: str = ""
    """What the file itself calls the sentence (``# sent_id = …``)."""
    line: int = 0
    lines: tuple[Line, ...] = field(default=(), compare=False, repr=False)
    """As they stand in the file: comments before, ranges and empty nodes among the words, empty lines."""
    rows: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Which of the lines hold the words, from 0."""

    def tagged(self, layer: Layer | None = "upos") -> TaggedSentence:
        """Return the words with one label each, or with none.

        Raises:
            InputError: a word has no such label.
            UnknownNameError: there is no such layer.
        """
        if layer is not None and layer not in CELLS:
            raise UnknownNameError("layer", layer, CELLS)
        labels = () if layer is None else tuple(word.label(layer) for word in self.words)
        for number, label in enumerate(labels, start=1):
            if not label:
                raise InputError(f"{self.id}: word {number} has no {layer} ('_'); mend the line")
        return TaggedSentence(self.id, tuple(word.form for word in self.words), labels, self.line)

    def written(self, labels: Sequence[str], layer: Layer = "upos") -> str:
        """Return the lines with other labels of a layer, one a word; an empty line ends them."""
        texts = [line.text for line in self.lines]
        for row, label in zip(self.rows, labels, strict=True):
            cells = texts[row].split("\t")
            cells[CELLS[layer]] = label
            texts[row] = "\t".join(cells)
        return "".join(f"{text}\n" for text in (texts if is_blank(texts[-1]) else [*texts, ""]))


def read_universal(name: str | os.PathLike[str], options: TextConfig | None = None) -> Iterator[UniversalSentence]:
    """Yield a file's sentences one after another; ``-`` is standard input. Memory holds one sentence.

    Raises:
        InputError: there is no such file, it has no sentence, or a line is of another form; the message names file and
            line and what is wrong.
    """
    source = one_source(name)
    yield from universal_in(read_lines(source, options or TextConfig()), source.label)


def universal_in(lines: Iterable[Line], label: str) -> Iterator[UniversalSentence]:
    """Yield the sentences in the lines of a file, which errors call ``label``.

    Raises:
        InputError: as `read_universal`.
    """
    for one in _sentences(lines, label):
        yield _sentence(one, label)


def set_labels(
    name: str | os.PathLike[str], label: Labeller, *, layer: Layer = "upos", options: TextConfig | None = None
) -> Iterator[bytes]:
    """Yield a file's bytes with the labels that ``label`` gives in the column of ``layer``; all else stays as it is.

    Comments, ranges, empty nodes and every other cell are kept byte for byte. Compressed files come out plain.

    Raises:
        InputError: as `read_universal`; or a label can't stand in its column.
        UsageError: ``label`` gives not as many labels as there are words; UnknownNameError: there is no such layer.
    """
    if layer not in CELLS:
        raise UnknownNameError("layer", layer, CELLS)
    source = one_source(name)
    raw = RawLines(source, options or TextConfig())

    def blocks() -> Iterator[Block]:
        for lines in _sentences(raw, source.label):
            sentence = _sentence(lines, source.label)
            yield Block(sentence.lines, sentence.rows, sentence.tagged(None))

    def edit(line: Line, new: str) -> bytes:
        where = f"{source.label}:{line.number}"
        if not new or any(char.isspace() or "\ud800" <= char <= "\udfff" for char in new):
            raise InputError(f"{where}: the label {new!r} can't stand in CoNLL-U: it is empty or has a blank")
        if layer == "features":
            _features(new, _parsed([f"1\t_\t_\t_\t_\t{new}\t_\t_\t_\t_"], [where])[0]["feats"], where)
        cells = raw.cells(line)
        cells[CELLS[layer]] = raw.bytes_of(new)
        return raw.bytes_of("\t").join(cells)

    return relabelled(blocks(), label, edit)


def _sentences(lines: Iterable[Line], label: str) -> Iterator[list[Line]]:
    """Yield each sentence's lines, with the empty ones after it; the first has also those before it."""
    kept: list[Line] = []
    begun = False
    for line in lines:
        blank = is_blank(line.text)
        if begun and not blank and is_blank(kept[-1].text):
            yield kept
            kept = []
        begun = begun or not blank
        kept.append(line)
    if not begun:
        raise InputError(f"{label}: no sentence; a line of CoNLL-U is {COLUMNS} cells parted by tabs")
    yield kept


def _sentence(lines: Sequence[Line], label: str) -> UniversalSentence:
    solid = [place for place, line in enumerate(lines) if not is_blank(line.text)]
    places = [place for place in solid if not lines[place].text.startswith("#")]
    if not places:
        where = f"{label}:{lines[solid[0]].number}"
        raise InputError(f"{where}: comments without a word are a sentence of 0 tokens; remove them")
    if solid[-len(places) :] != places:
        line = next(line for line in lines[places[0] :] if line.text.startswith("#"))
        raise InputError(f"{label}:{line.number}: a comment inside a sentence; put it before the first word")
    rows = [f"{label}:{lines[place].number}" for place in places]
    found = [_cells(lines[place].text, where) for place, where in zip(places, rows, strict=True)]
    words, multiwords, of_words = list[Word](), list[Multiword](), list[int]()
    parsed = _parsed([_readable(cells) for cells in found], rows)
    for place, where, cells, token in zip(places, rows, found, parsed, strict=True):
        number = token["id"]
        if isinstance(number, int):
            _expect(number == len(words) + 1, cells[0], len(words) + 1, where)
            features = _features(cells[5], token["feats"], where)
            words.append(Word(cells[1], _given(cells[3]), token["xpos"] or "", features))
            of_words.append(place)
        elif number is not None and number[1] == "-":
            free = not multiwords or number[0] > multiwords[-1].stop
            _expect(free and number[0] == len(words) + 1, cells[0], len(words) + 1, where)
            multiwords.append(Multiword(number[0] - 1, number[2], cells[1]))
        else:
            _expect(number is not None and number[0] == len(words), cells[0], len(words) + 1, where)
    if not words:
        raise InputError(f"{rows[0]}: a sentence of 0 words; remove it or give it words")
    if multiwords and multiwords[-1].stop > len(words):
        raise InputError(f"{rows[0]}: a range ends at word {multiwords[-1].stop}, the sentence at word {len(words)}")
    first = lines[places[0]].number
    return UniversalSentence(
        rows[0], tuple(words), tuple(multiwords), _name(lines), first, tuple(lines), tuple(of_words)
    )


def _cells(text: str, where: str) -> list[str]:
    cells = text.split("\t")
    if len(cells) != COLUMNS:
        raise InputError(f"{where}: {len(cells)} columns; a line of CoNLL-U is {COLUMNS} cells parted by tabs: mend it")
    for place, cell in enumerate(cells):
        if is_blank(cell) or (place not in MAY_HOLD_BLANKS and " " in cell):
            raise InputError(f"{where}: column {place + 1} is empty or has a blank; mend it ('_' stands for nothing)")
    return cells


def _readable(cells: Sequence[str]) -> str:
    """Return a line that the library cuts as it should: only form, lemma and the last cell may hold blanks."""
    return "\t".join((cells[0], NONE, NONE, *cells[3:9], NONE))


def _parsed(texts: Sequence[str], where: Sequence[str]) -> list[Any]:
    """Return the library's tokens; where it refuses, name the line that it refuses alone."""
    import conllu
    from conllu.exceptions import ParseException

    try:
        return list(conllu.parse("\n".join(texts))[0])
    except ParseException as error:
        if len(texts) == 1:
            raise InputError(f"{where[0]}: not CoNLL-U ({error}); mend the line") from error
    return [token for pair in zip(texts, where, strict=True) for token in _parsed(pair[:1], pair[1:])]


def _features(cell: str, found: dict[str, str | None] | None, where: str) -> tuple[tuple[str, str], ...]:
    features = tuple((name, value or "") for name, value in (found or {}).items())
    if ("|".join(f"{name}={value}" for name, value in features) or NONE) != cell or not all(v for _, v in features):
        raise InputError(f"{where}: '{cell}' is no list of features; each is Name=Value, parted by |, and stands once")
    return features


def _expect(right: bool, cell: str, number: int, where: str) -> None:
    if not right:
        raise InputError(f"{where}: '{cell}' where word {number} is to follow; number words 1, 2, 3 … without a gap")


def _given(cell: str) -> str:
    return "" if cell == NONE else cell


def _name(lines: Sequence[Line]) -> str:
    marks = (line.text[1:].partition("=") for line in lines if line.text.startswith("#"))
    return next((value.strip() for key, sign, value in marks if sign and key.strip() == "sent_id"), "")
