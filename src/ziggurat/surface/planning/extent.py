"""How many tokens a text has to train on: told from the sizes of its files, and a sample of what is in them."""

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from ziggurat.artefacts.recipe import Recipe
from ziggurat.core.errors import InputError, TooLittleTextError, UsageError
from ziggurat.study.planning.counts import Growth, growth_of
from ziggurat.text.cleaning import clean
from ziggurat.text.compression import SUFFIXES
from ziggurat.text.decoding import BinaryContentError
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source
from ziggurat.text.sources import read_records, resolve
from ziggurat.tokens.loading import train_tokenizer

__all__ = ["Extent", "training_extent"]

SAMPLE_CHARACTERS = 1_000_000
"""Of the text, to train a tokenizer on and see how many bytes its tokens have."""
SAMPLE_FILES = 1_000
"""Of a kind that are opened at most: a folder of pictures holds no text, however long one looks."""


@dataclass
class _Sample:
    """What was read of the files of one kind."""

    files: float
    """Bytes of all of them."""
    texts: list[str] = field(default_factory=list)
    read: int = 0
    """Bytes of text that was read, in UTF-8 and cleaned."""
    consumed: int = 0
    """Bytes of files that it stands in."""

    @property
    def text_bytes(self) -> float:
        """Bytes of the text of all files, if the rest is like the sample."""
        return self.files * self.read / self.consumed if self.read else 0.0


@dataclass(frozen=True)
class Extent:
    """How much text there is to train on."""

    tokens: float
    growth: Growth | None = None
    """How many n-grams it has, where that was asked for."""


def training_extent(recipe: Recipe, names: Sequence[str], *, order: int = 0) -> Extent:
    """Return how many tokens of the text behind ``names`` a recipe trains on, by its tokenizer trained on a sample.

    Where counts of ``order`` words are made of it, also how n-grams grow in the sample.

    *Maths.* Files of one kind (compressed JSON lines, plain text) have F bytes, of which f are read and hold t bytes of
    text, cleaned and in UTF-8, in n tokens: F·t/f bytes, and n/t tokens a byte. What dev and test hold out is taken
    away.

    *Departs.* Documents that a corpus leaves out because they are twice there are counted.

    Raises:
        UsageError: a size can't be told; the message names the text.
        InputError: a file can't be read.
        TooLittleTextError: there is no text.
    """
    kinds: dict[tuple[str, ...], list[Source]] = {}
    for source in resolve(names):
        kinds.setdefault(_kind(_file(source)), []).append(source)
    characters = -(-SAMPLE_CHARACTERS // len(kinds))
    samples = [_sampled(sources, recipe.text, characters) for sources in kinds.values()]
    whole = sum(sample.text_bytes for sample in samples)
    if not whole:
        raise TooLittleTextError(f"{', '.join(names[:3])}: no text in it")
    tokenizer = train_tokenizer([text for one in samples for text in one.texts], recipe.tokenizer, recipe.tokens)
    tokens, read = 0.0, list[int]()
    for sample in samples:
        if size := sum(len(text.encode()) for text in sample.texts):
            ids = [one for text in sample.texts for one in tokenizer.encode(text).ids]
            tokens += sample.text_bytes / size * len(ids)
            read += ids
    held_out = sum(min(part * whole, recipe.text.held_out_bytes) for part in (recipe.text.dev, recipe.text.test))
    return Extent(tokens * (1 - held_out / whole), growth_of(read, order) if order else None)


def _file(source: Source) -> Path:
    if source.path is None or not source.path.is_file():
        raise _untold(source)
    return source.path


def _untold(source: Source) -> UsageError:
    return UsageError(
        f"{source.label}: its size can't be told before it is read; give --text-tokens or --text-bytes in its place"
    )


def _kind(path: Path) -> tuple[str, ...]:
    """Return the endings that say what is in a file; those that only count files say nothing."""
    endings = [ending.lower() for ending in path.suffixes]
    kept = endings[-2:] if endings and endings[-1] in SUFFIXES else endings[-1:]
    return tuple(ending for ending in kept if not ending[1:].isdigit())


def _sampled(sources: Sequence[Source], options: TextConfig, characters: int) -> _Sample:
    sample = _Sample(sum(_file(source).stat().st_size for source in sources))
    left = characters
    with Ledger(Path(os.devnull)) as ledger:
        for source in sources[:SAMPLE_FILES]:
            if left > 0:
                left = _read(source, options, ledger, sample, left)
    return sample


def _read(source: Source, options: TextConfig, ledger: Ledger, sample: _Sample, left: int) -> int:
    """Add a file to a sample, or its beginning of ``left`` characters at least; return how many are still wanted.

    Text is taken up in blocks. When the next one is taken up, what came before is what stands in the file up to there.
    """
    opened: list[BinaryIO] = []
    before = read = 0
    pieces = _pieces(replace(source, watch=opened.append), options, ledger)
    try:
        for begins, text in pieces:
            at = _position(opened)
            if before and at > before and left <= 0:
                sample.read, sample.consumed = sample.read + read, sample.consumed + before
                return 0
            before = at
            read += len(text.encode())
            if left > 0 and text:
                if begins or not sample.texts:
                    sample.texts.append("")
                sample.texts[-1] += text[:left]
                left -= len(text)
            elif left <= 0 and not at:
                raise _untold(source)  # who reads it does not say how far
    except BinaryContentError:
        if source.explicit:
            raise
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error
    finally:
        pieces.close()
    size = _file(source).stat().st_size
    if read and not size:
        raise _untold(source)  # what the system makes up when it is asked for
    sample.read, sample.consumed = sample.read + read, sample.consumed + size
    return left


def _pieces(source: Source, options: TextConfig, ledger: Ledger) -> Generator[tuple[bool, str], None, None]:
    """Yield cleaned text piece by piece, each with whether a document begins with it."""
    for record in read_records(source, options, ledger):
        begins = True
        for part in record.parts:
            text = clean(part, options, ledger)
            yield begins, text if text.strip() else ""
            begins = False


def _position(opened: Sequence[BinaryIO]) -> int:
    """Return how many bytes were taken from a file; 0 where a reader opened it by itself."""
    return 0 if not opened or opened[-1].closed else opened[-1].tell()
