r"""ARPA files: the text form of back-off n-gram models that KenLM, SRILM, pocketsphinx and speech recognisers read.

::

    \data\
    ngram 1=4
    ngram 2=3

    \1-grams:
    -99     <s>     -0.30103
    -0.7    </s>
    …
    \end\

Numbers are logarithms to base 10: log p(last word | words before), and the back-off weight of the n-gram as a context.
Where one id of our models serves as both ends of a text, it is written as ``<s>`` before other words and as ``</s>``
after them; reading joins the two again.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ziggurat.artefacts.bundle import Bundle
from ziggurat.artefacts.interchange.formats import Foreign
from ziggurat.artefacts.interchange.vector_blocks import first_bytes
from ziggurat.artefacts.interchange.vocabulary import words_tokenizer
from ziggurat.artefacts.kernels import arpa_text
from ziggurat.core.errors import ArtefactError, InputError, UsageError
from ziggurat.core.files import atomic_file
from ziggurat.core.seeding import generator
from ziggurat.core.types import FloatArray, IdArray, Vocabulary
from ziggurat.models.ngram import FAMILY, NgramLanguageModel
from ziggurat.models.ngram_assembly import Level, assemble
from ziggurat.tokens.loading import token_texts
from ziggurat.tokens.word_table import WordTable

__all__ = ["FORMAT", "ArpaFormat", "read_arpa", "write_arpa"]

Bytes = npt.NDArray[np.uint8]

BOS, EOS, UNKNOWN = "<s>", "</s>", "<unk>"

_LOG = logging.getLogger("ziggurat")
_BUFFER_BYTES = 16 << 20
_MOST_PREFACE_LINES = 1000
_LONGEST_LINE = 1 << 20
_LEAST_BYTES = 3  # of a line with one word: a digit, a tab, a letter; two more for each further word
_UNKNOWN_LOG10 = -100.0
_PROOF_ROWS, _PROOF_TOKENS = 64, 24
_PROOF_NATS = 1e-4
_FAULTS = {
    arpa_text.BAD_NUMBER: "a logarithm is not a number",
    arpa_text.POSITIVE: "a log-probability is above 0, so no probability",
}


def write_arpa(model: NgramLanguageModel, words: Sequence[str], path: Path) -> None:
    """Write a model as an ARPA file; word i of ``words`` is what id i stands for.

    White space in a word (a character model's space, say) is written as its bytes, ``<0x20>``, because ARPA files
    separate words by it. Special ids are written as ``<s>``, ``</s>`` and ``<unk>`` whatever their words.

    *Cost.* About 30 MB of text a second.

    Raises:
        UsageError: the number of words is not the model's, or two ids would be written as one word.
        DiskFullError: the disk is full; nothing is left at ``path``.
    """
    trie, vocabulary = model.trie, model.vocabulary
    names = _written_names(words, vocabulary)
    counts = trie.counts()
    together = vocabulary.bos == vocabulary.eos
    with atomic_file(path) as partial, partial.open("wb") as file:
        lines = [f"ngram {order}={count + (order == 1 and together)}" for order, count in enumerate(counts, start=1)]
        file.write(("\\data\\\n" + "\n".join(lines) + "\n").encode())
        for order in range(1, trie.order + 1):
            file.write(f"\n\\{order}-grams:\n".encode())
            if order == 1 and together:
                weight = f"\t{trie.backoffs[vocabulary.bos] / np.log(10):.7f}" if trie.order > 1 else ""
                file.write(f"-99\t{BOS}{weight}\n".encode())
            for text in _lines(model, names, order):
                file.write(text.data)
        file.write(b"\n\\end\\\n")


def _lines(model: NgramLanguageModel, names: list[bytes], order: int) -> Iterator[Bytes]:
    """Yield the lines of one order, many at a time."""
    trie, vocabulary = model.trie, model.vocabulary
    edges = np.cumsum([0, *map(len, names)])
    letters = np.frombuffer(b"".join(names), np.uint8)
    longest = max(map(len, names))
    out = np.empty(max(_BUFFER_BYTES, 2 * order * (longest + 50)), np.uint8)
    path = trie.starts[:order].astype(np.int64)
    marks = (vocabulary.bos, vocabulary.eos, longest)
    arrays = (trie.words, trie.first_child, trie.logprobs, trie.backoffs)
    while path[-1] < trie.starts[order]:
        yield out[: arpa_text.write_lines(arrays, path, int(trie.starts[order]), (letters, edges), marks, out)]


def _written_names(words: Sequence[str], vocabulary: Vocabulary) -> list[bytes]:
    """Return how each id is written, then how ``bos`` is before other words and ``eos`` after them."""
    if len(words) != vocabulary.size:
        raise UsageError(f"{len(words)} words for a model of {vocabulary.size} ids: the tokenizer is not the model's")
    names = [_without_space(word) for word in words]
    if vocabulary.unk is not None:
        names[vocabulary.unk] = UNKNOWN
    names[vocabulary.bos] = BOS
    names[vocabulary.eos] = EOS
    seen: set[str] = {BOS} if vocabulary.bos == vocabulary.eos else set()
    for number, name in enumerate(names):
        if name in seen:
            raise UsageError(f"ARPA can't hold this vocabulary: id {number} is written '{name}', and so is another id")
        seen.add(name)
    return [name.encode() for name in [*names, BOS, EOS]]


def _without_space(word: str) -> str:
    written = "".join(
        "".join(f"<0x{byte:02X}>" for byte in letter.encode()) if letter.isspace() or letter < " " else letter
        for letter in word
    )
    return written or "<0x>"


def read_arpa(path: Path) -> tuple[NgramLanguageModel, list[str]]:
    """Open an ARPA file of any order; return the model and the word that each id stands for.

    Id 0 is both ends of a text (its word is ``</s>``), id 1 is ``<unk>`` (of log10 probability −100 where the file has
    none, as in KenLM), then follow the file's words in their order. N-grams that no text can reach (``<s>`` inside,
    words after ``</s>``) are left out.

    *Cost.* Memory of about one and a half times the file's size; about 20 MB a second.

    Raises:
        ArtefactError: the file can't be read.
        InputError: it is no ARPA file; the message names the line.
    """
    try:
        size = path.stat().st_size
        text = np.memmap(path, np.uint8, "r") if size else np.empty(0, np.uint8)
    except OSError as error:
        raise ArtefactError(f"{path}: can't be read ({error.strerror})") from error
    cursor = _Cursor(path, text)
    counts = _header(cursor)
    words, table, first = _unigrams(cursor, counts[0], highest=len(counts) == 1)
    vocabulary = Vocabulary(len(words), bos=0, eos=0, unk=1)
    levels = [first]
    for order, count in enumerate(counts[1:], start=2):
        cursor.expect(f"\\{order}-grams:")
        level = _read_level(cursor, order, count, table, highest=order == len(counts))
        levels.append(_reachable(level, len(words)))
    cursor.expect("\\end\\")
    try:
        return NgramLanguageModel(assemble(levels, vocabulary_size=len(words)), vocabulary), words
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


@dataclass
class _Cursor:
    """Where reading stands in a file."""

    path: Path
    text: Bytes
    place: int = 0
    line: int = 0
    """Number of the line that was read last, from 1."""

    def fault(self, message: str, *, ahead: int = 0) -> InputError:
        return InputError(f"{self.path}:{self.line + ahead}: {message}")

    def take(self) -> str:
        """Return the next line that is not blank, without the white space around it; empty at the file's end."""
        while self.place < self.text.size:
            piece = self.text[self.place : self.place + _LONGEST_LINE].tobytes()
            line = piece.split(b"\n", 1)[0]
            self.place += len(line) + 1
            self.line += 1
            if len(line) == _LONGEST_LINE:
                raise self.fault("a line of more than a million bytes: not an ARPA file")
            if line.strip():
                return line.strip().decode("utf-8", "replace")
        return ""

    def expect(self, wanted: str) -> None:
        found = self.take()
        if found != wanted:
            what = f"found '{found[:40]}'" if found else "the file ends: it was cut off"
            raise self.fault(f"expected '{wanted}', {what}")


def _header(cursor: _Cursor) -> list[int]:
    """Return how many n-grams of each order the header announces, after comparing them with the file's size."""
    while (line := cursor.take()) != "\\data\\":
        if not line or cursor.line > _MOST_PREFACE_LINES:
            raise cursor.fault("not an ARPA file: no line '\\data\\' at its beginning")
    counts: list[int] = []
    while not (line := cursor.take()).startswith("\\"):
        announced = re.fullmatch(rf"ngram\s+{len(counts) + 1}\s*=\s*([0-9]+)", line)
        if not announced:
            raise cursor.fault(f"expected 'ngram {len(counts) + 1}=COUNT', found '{line[:40]}'")
        counts.append(int(announced[1]))
    if line != "\\1-grams:" or not counts:
        raise cursor.fault(f"expected '\\1-grams:' after the counts, found '{line[:40]}'")
    least = sum(count * (_LEAST_BYTES + 2 * order) for order, count in enumerate(counts))
    if least > cursor.text.size - cursor.place:
        raise cursor.fault(f"the header announces {sum(counts):,} n-grams, more than the file has room for")
    return counts


def _unigrams(cursor: _Cursor, count: int, *, highest: bool) -> tuple[list[str], WordTable, Level]:
    """Return the words by id, the table that finds them (``<s>`` as the id behind all others), and the unigrams."""
    logprobs, backoffs = np.empty(count, np.float32), np.empty(count, np.float32)
    pieces = list(_read_rows(cursor, 1, (logprobs, backoffs), highest=highest))
    listed = b"".join(pieces).decode("utf-8", "replace").split("\n")[:-1]
    if len(set(listed)) < len(listed):
        seen: set[str] = set()
        twice = next(word for word in listed if word in seen or seen.add(word))  # type: ignore[func-returns-value]
        raise cursor.fault(f"the word '{twice}' stands twice among the unigrams")
    if EOS not in listed:
        raise cursor.fault(f"no '{EOS}' among the unigrams: the model can't end a text")
    if UNKNOWN not in listed:  # KenLM's default for a file that knows no unknown word
        listed.append(UNKNOWN)
        logprobs = np.append(logprobs, np.float32(_UNKNOWN_LOG10 * np.log(10)))
        backoffs = np.append(backoffs, np.float32(0))
    words = [EOS, UNKNOWN, *(word for word in listed if word not in (BOS, EOS, UNKNOWN))]
    numbers = {word: number for number, word in enumerate([*words, BOS])}
    ids = np.fromiter((numbers[word] for word in listed), np.int32, len(listed))
    kept = ids < len(words)
    level = Level(ids[kept, None], logprobs[kept], backoffs[kept])
    level.backoffs[level.ngrams[:, 0] == 0] = backoffs[~kept].sum()  # as a context, id 0 is <s>
    return words, WordTable.of(listed, ids), level


def _read_level(cursor: _Cursor, order: int, count: int, table: WordTable, *, highest: bool) -> Level:
    """Return one order's n-grams, ``<s>`` still as an id of its own."""
    first_line = cursor.line + 1
    logprobs, backoffs = np.empty(count, np.float32), np.empty(count, np.float32)
    ngrams = np.empty((count, order), np.int32)
    done = 0
    for piece in _read_rows(cursor, order, (logprobs, backoffs), highest=highest):
        rows = np.concatenate(table.encode(piece, unknown=-1, line_end=-2)).reshape(-1, order + 1)
        ngrams[done : done + len(rows)] = rows[:, :order]
        done += len(rows)
    unknown = np.flatnonzero((ngrams < 0).any(axis=1))
    if unknown.size:
        cursor.line = first_line + int(unknown[0])
        raise cursor.fault("a word is not among the unigrams")
    return Level(ngrams, logprobs, backoffs)


def _read_rows(
    cursor: _Cursor, order: int, numbers: tuple[FloatArray, FloatArray], *, highest: bool
) -> Iterator[bytes]:
    """Fill ``numbers`` (log-probabilities, back-offs) from lines; yield their words, a line for each, in parts."""
    logprobs, backoffs = numbers
    names = np.empty(_BUFFER_BYTES, np.uint8)
    done = 0
    while done < logprobs.size:
        rest = (logprobs[done:], backoffs[done:])
        place, rows, size, fault = arpa_text.read_lines(cursor.text, cursor.place, order, highest, rest, names)
        cursor.place, cursor.line, done = place, cursor.line + rows, done + rows
        if fault:
            raise cursor.fault(_FAULTS.get(fault, f"expected a logarithm and {order} words"), ahead=1)
        if rows == 0:
            announced = f"{logprobs.size:,} n-grams of order {order} are announced"
            raise cursor.fault(f"{announced}, {done:,} are there", ahead=1)
        yield names[:size].tobytes()


def _reachable(level: Level, bos: int) -> Level:
    """Return the n-grams without those that hold ``<s>`` inside or go on after ``</s>``; ``<s>`` becomes id 0."""
    ngrams = level.ngrams
    keep = ~((ngrams[:, 1:] == bos).any(axis=1) | (ngrams[:, :-1] == 0).any(axis=1))
    if not keep.all():
        _LOG.info("%d n-grams of order %d can't be reached by any text: left out", (~keep).sum(), ngrams.shape[1])
    return Level(np.where(ngrams == bos, np.int32(0), ngrams)[keep], level.logprobs[keep], level.backoffs[keep])


class ArpaFormat:
    """n-gram models as ARPA files."""

    suffixes: ClassVar[tuple[str, ...]] = (".arpa", ".lm")

    def opens(self, path: Path) -> bool:
        r"""Return whether a line ``\data\`` stands near the file's beginning."""
        return b"\\data\\" in first_bytes(path).splitlines()

    def write(self, bundle: Bundle, path: Path) -> None:
        """Write a bundle's model to ``path`` and prove it: texts drawn from the model keep their probabilities.

        Raises:
            UsageError: the model is not one of counts.
            DiskFullError: the disk is full; nothing is left at ``path``.
        """
        model = bundle.model
        if not isinstance(model, NgramLanguageModel):
            raise UsageError(f"{bundle.path}: a model of family '{bundle.manifest.family}'; ARPA holds n-grams only")
        texts = token_texts(bundle.tokenizer)
        write_arpa(model, texts, path)
        found, words = read_arpa(path)
        numbers = {word: number for number, word in enumerate(words)} | {BOS: 0}
        names = _written_names(texts, model.vocabulary)[: len(texts)]
        _prove(model, found, np.array([numbers[name.decode()] for name in names], np.int32), path)

    def read(self, path: Path) -> Foreign:
        """Open an ARPA file; its tokenizer cuts text at white space, as the tools that write such files do."""
        model, words = read_arpa(path)
        return Foreign(FAMILY.name, model, words_tokenizer(words))


def _prove(model: NgramLanguageModel, found: NgramLanguageModel, names: IdArray, path: Path) -> None:
    """Compare probabilities of texts drawn from ``model``, whose id i is ``names[i]`` in ``found``."""
    dice = generator(0, "arpa", "proof")
    ids = np.full((_PROOF_ROWS, _PROOF_TOKENS), model.vocabulary.bos, np.int32)
    logprobs, state = model.begin(ids[:, :1], np.ones(_PROOF_ROWS, np.int32))
    for place in range(1, _PROOF_TOKENS):
        ids[:, place] = np.argmax(logprobs + dice.gumbel(size=logprobs.shape), axis=1)
        logprobs, state = model.step(state, ids[:, place])
    lengths = np.full(_PROOF_ROWS, _PROOF_TOKENS, np.int32)
    difference = np.abs(model.token_logprobs(ids, lengths) - found.token_logprobs(names[ids], lengths)).max()
    if not difference < _PROOF_NATS:
        path.unlink()
        raise ArtefactError(f"{path}: read back, probabilities differ by {difference:.1e} nats: not kept")


FORMAT = ArpaFormat()
