"""Files of pairs, line by line: which files there are, and the two sides of each line as they stand.

*Forms.* Lines of ``SOURCE<TAB>TARGET``; JSON lines with the keys ``source`` and ``target``; or two files, as Moses and
its successors keep them (Koehn et al. 2007), named together with a comma: ``news.de,news.en``. Line n of one belongs to
line n of the other. And translation memories, ``memory.tmx`` (`ziggurat.text.tmx`), whose languages are named behind
colons where they are not plain: ``memory.tmx:de:en``. All may be compressed, as `ziggurat.text.compression` says.
"""

import codecs
import itertools
import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ziggurat.core.config import to_mapping
from ziggurat.core.errors import InputError, UnknownNameError, UsageError
from ziggurat.core.types import Pair
from ziggurat.text.cleaning import clean
from ziggurat.text.decoding import lines, open_source, refuse_lone_return
from ziggurat.text.encodings import checked_name
from ziggurat.text.ledger import Ledger
from ziggurat.text.options import TextConfig
from ziggurat.text.records import Source
from ziggurat.text.sources import resolve
from ziggurat.text.splits import named_split
from ziggurat.text.tmx import Languages, read_units

__all__ = ["PairSource", "check_options", "read_pairs", "read_sides", "refuse_pairs", "resolve_pairs"]

DECLARED = re.compile(rb"""\s*<\?xml[^>]*\sencoding=["']([\w.-]+)""")
"""The encoding that a file of XML says it has, where its first letters are those of ASCII."""

SIDES = ("source", "target")
JSON_SUFFIXES = (".jsonl", ".ndjson")
PAIRED = (".tmx", ".tsv", *JSON_SUFFIXES)
"""How names of files of pairs end; others may be texts."""
MEMORY = re.compile(r"(.+\.tmx(?:\.\w+)?):([\w-]+):([\w-]+)", re.IGNORECASE)
"""A memory's name with those of its languages."""
FORM = "a line is SOURCE<TAB>TARGET"
COLUMNS = ("field", "label_field")
"""Keys that name columns of tables."""
OF_DOCUMENTS = ("cut", "block_bytes", "fewest_documents", "longest_bytes")
"""Keys that say how a file becomes documents."""
OBJECT = '{"source": …, "target": …}'

Row = tuple[int, str, str]

_LOG = logging.getLogger("ziggurat")


@dataclass(frozen=True, slots=True)
class PairSource:
    """Where pairs are read from: one file of pairs, or a file of sources and a file of targets."""

    source: Source
    target: Source | None = None
    """The second file; None where one file holds both sides."""
    languages: Languages | None = None
    """Those of source and target, where a memory's are named."""
    split: str = ""
    """``train``, ``dev`` or ``test``; empty where its pairs are to be split."""

    @property
    def label(self) -> str:
        """What the user calls it."""
        return self.source.label if self.target is None else f"{self.source.label},{self.target.label}"


def resolve_pairs(names: Sequence[str]) -> list[PairSource]:
    """Return where the pairs behind ``names`` are: files, folders, globs, two files with a comma, standard input.

    ``dev=NAME`` and ``test=NAME`` name what is held out.

    Raises:
        InputError: a path does not exist; the message names the nearest.
        UnknownNameError: a file is said to be of another split.
    """
    if not names:
        raise InputError("no pairs were named: give files of SOURCE<TAB>TARGET, two files as news.de,news.en, or -")
    found: list[PairSource] = []
    for given in names:
        split, name = named_split(given)
        found += [replace(source, split=split) for source in _resolved(name)]
    if all(source.split in ("dev", "test") for source in found):
        raise InputError("no pairs to learn from were named: give a file that is not held out")
    return found


def _resolved(name: str) -> list[PairSource]:
    found: list[PairSource] = []
    memory = MEMORY.fullmatch(name)
    first, comma, second = name.partition(",")
    if memory and not Path(name).exists():
        path, *languages = memory.groups()
        found += [PairSource(source, languages=(languages[0], languages[1])) for source in resolve([path])]
    elif comma and not Path(name).exists():
        if not first or not second or "," in second:
            raise InputError(f"{name}: two files of pairs are named as news.de,news.en")
        sides = [one for side in (first, second) for one in resolve([side])]
        if len(sides) != 2 or not all(side.explicit for side in sides):
            raise InputError(f"{name}: not two files; a pair of files is named as news.de,news.en")
        found.append(PairSource(sides[0], sides[1]))
    else:
        found += [PairSource(source) for source in resolve([name])]
    for one in found:
        if one.source.reader:
            raise InputError(f"{one.label}: holds no pairs; give files of SOURCE<TAB>TARGET")
    return found


def check_options(options: TextConfig, *, of: str = "pairs", columns: bool = False) -> None:
    """Check that only what files of pairs, or of what else is no document, have a use for is set.

    ``columns``: whether they are tables whose columns may be named.

    Raises:
        UsageError: another key is; the message names it.
    """
    usual, given = to_mapping(TextConfig()), to_mapping(options)
    for key in () if columns else COLUMNS:
        if key in given:
            raise UsageError(f"text.{key}: names a column of a table; files of {of} have no use for it")
    for key in OF_DOCUMENTS:
        if given.get(key) != usual.get(key):
            raise UsageError(f"text.{key}: says how files become documents; files of {of} have no use for it")


def refuse_pairs(source: Source) -> None:
    """Refuse a file of pairs where a text a line is wanted.

    Raises:
        InputError: its name ends as those of pairs do, whatever it was compressed by.
    """
    if source.ending in PAIRED:
        raise InputError(f"{source.label}: what is translated is a text a line; take the sources out of it")


def read_sides(source: PairSource, options: TextConfig, ledger: Ledger) -> Iterator[Row]:
    """Yield each pair's line and its two sides as they stand; empty lines of one file are passed over.

    Raises:
        InputError: a line is of another form, or two files have different numbers of lines.
    """
    try:
        if source.source.ending == ".tmx":
            yield from _memory(source, options, ledger)
        elif source.target is None:
            yield from _one_file(source.source, options, ledger)
        else:
            yield from _two_files(source.source, source.target, options, ledger)
    except PermissionError as error:
        raise InputError(f"{source.label}: may not be read ({error.strerror})") from error


def read_pairs(names: Sequence[str], options: TextConfig | None = None) -> Iterator[Pair]:
    """Yield the pairs behind ``names``, cleaned, but neither thinned nor split; those with an empty side are left out.

    How many these are is said at the end.

    Raises:
        UsageError: an option is set that pairs have no use for.
        InputError: a source can't be used; the message names file and line.
    """
    options = options or TextConfig()
    check_options(options)
    count, empty, first = 0, 0, ""
    with Ledger(Path(os.devnull)) as ledger:
        for source in resolve_pairs(names):
            for line, *sides in read_sides(source, options, ledger):
                one, other = (clean(side, options, ledger).strip() for side in sides)
                where = f"{source.label}:{line}"
                count += 1
                if one and other:
                    yield Pair(where, one, other)
                else:
                    empty, first = empty + 1, first or where
    if empty:
        _LOG.warning("%d of %d pairs have an empty side and are left out (first: %s)", empty, count, first)


def _memory(source: PairSource, options: TextConfig, ledger: Ledger) -> Iterator[Row]:
    if options.encoding is None:
        with open_source(source.source) as stream:
            said = DECLARED.match(stream.read(200))
        if said is not None:
            options = replace(options, encoding=_declared(said[1].decode(), source.source.label))
    with open_source(source.source) as stream:
        yield from read_units(
            lines(stream, source.source, options, ledger), source.languages, label=source.source.label
        )


def _declared(encoding: str, label: str) -> str:
    try:
        return checked_name(encoding)
    except UnknownNameError as error:
        raise InputError(f"{label}:1: the file says that it is in {error}; mend that, or write it as UTF-8") from error


def _one_file(source: Source, options: TextConfig, ledger: Ledger) -> Iterator[Row]:
    with open_source(source) as stream:
        content = lines(stream, source, options, ledger)
        first = next(content, "")
        objects = _is_json(source, options, first)
        for number, line in enumerate(itertools.chain([first], content), start=1):
            if not line.strip():
                continue
            where = f"{source.label}:{number}"
            refuse_lone_return(line, where)
            one, other = _object(line, where) if objects else _cells(line, where)
            if number > 1 or (one.strip().lower(), other.strip().lower()) != SIDES:  # a table may name its columns
                yield number, one, other


def _is_json(source: Source, options: TextConfig, first: str) -> bool:
    if options.format != "auto":
        if options.format not in ("jsonl", "table"):
            raise InputError(f"text.format: pairs are read from a table or from jsonl, not from {options.format}")
        return options.format == "jsonl"
    if source.ending in JSON_SUFFIXES:
        return True
    return first.removeprefix(codecs.BOM_UTF8.decode()).lstrip().startswith(('{"', "{ ")) and "\t" not in first


def _cells(line: str, where: str) -> tuple[str, str]:
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) != 2:
        raise InputError(f"{where}: {len(cells) - 1} tabs; {FORM}: mend or remove the line")
    return cells[0], cells[1]


def _object(line: str, where: str) -> tuple[str, str]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}); mend or remove the line") from error
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(record).__name__}; each line is {OBJECT}")
    sides = [record.get(side) for side in SIDES]
    for side, text in zip(SIDES, sides, strict=True):
        if not isinstance(text, str):
            raise InputError(f"{where}: the key '{side}' {_fault(record, side)}; each line is {OBJECT}")
    return str(sides[0]), str(sides[1])


def _fault(record: dict[str, object], side: str) -> str:
    return "holds no text" if side in record else f"is missing (found {', '.join(record) or 'none'})"


def _two_files(one: Source, other: Source, options: TextConfig, ledger: Ledger) -> Iterator[Row]:
    with open_source(one) as first, open_source(other) as second:
        both = itertools.zip_longest(lines(first, one, options, ledger), lines(second, other, options, ledger))
        for number, (source, target) in enumerate(both, start=1):
            if source is None or target is None:
                short, long = (one, other) if source is None else (other, one)
                raise InputError(
                    f"{long.label}:{number}: {short.label} ends before this line, after {number - 1} lines: "
                    "line n of one file belongs to line n of the other"
                )
            refuse_lone_return(source, f"{one.label}:{number}")
            refuse_lone_return(target, f"{other.label}:{number}")
            yield number, source, target
