"""Translation memories (TMX): pairs of segments in two languages, in an XML file."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.entities import html5
from typing import TypeAlias
from xml.parsers import expat

from ziggurat.core.errors import InputError

__all__ = ["Languages", "read_units"]

Languages: TypeAlias = tuple[str, str]
"""Those of source and target, as BCP 47 has them."""

CODES = frozenset(["bpt", "ept", "it", "ph", "sub", "ut"])
"""Elements of a segment that hold another program's marks, and no text."""
ANY = "*all*"

_LOG = logging.getLogger("ziggurat")


def read_units(text: Iterable[str], languages: Languages | None, *, label: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, source and target of each unit of a memory that has both; memory holds one piece of ``text``.

    *Idea.* Unless ``languages`` are named, the source's is that which the header names (``srclang``) or else the first
    unit's first, and the target's is the other one. ``de`` is also ``de-AT``. Of several variants in one language the
    first is taken; what marks a segment's layout is left out (TMX 1.4b, section 4). The entities of HTML are known.
    How many units lack a language is said at the end.

    Raises:
        InputError: it is no well-formed XML, or no memory, or which languages are meant is not clear, or no unit has
            both, or an entity is of a document type that is not read.
    """
    reading = _Reading(label, languages)
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: reading.begin(name, attributes, parser.CurrentLineNumber)
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.say
    parser.SkippedEntityHandler = lambda name, _: reading.say_entity(name, parser.CurrentLineNumber)
    try:
        for piece in text:
            parser.Parse(piece)
            yield from reading.given()
        parser.Parse("", True)
        yield from reading.given()
        reading.finish()
    except expat.ExpatError as error:
        raise InputError(f"{label}:{error.lineno}: not well-formed XML ({expat.ErrorString(error.code)})") from error


@dataclass
class _Reading:
    """What is known at a place of the file."""

    label: str
    languages: Languages | None
    root: str = ""
    first: str = ""
    """Language that the header calls the source's."""
    line: int = 0
    language: str = ""
    variants: dict[str, str] = field(default_factory=dict)
    """Segments of the unit by language."""
    words: list[str] | None = None
    """Pieces of the segment; None outside of one."""
    codes: int = 0
    """Elements around this place whose text is none of the segment."""
    found: list[tuple[int, str, str]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Languages that segments are in."""
    units: int = 0
    lacking: int = 0
    """Units without one of the languages."""
    first_lacking: int = 0
    """The line of the first of them."""

    def begin(self, name: str, attributes: dict[str, str], line: int) -> None:
        """Enter an element."""
        if not self.root:
            self.root = name
            if name != "tmx":
                raise InputError(f"{self.label}:{line}: no translation memory: its outermost element is <{name}>")
        if name == "header":
            self.first = attributes.get("srclang", "")
        elif name == "tu":
            self.line, self.variants = line, {}
        elif name == "tuv":
            self.language = attributes.get("xml:lang", attributes.get("lang", ""))
            self.seen.add(self.language)
        elif name == "seg":
            self.words = []
        self.codes += name in CODES

    def say(self, text: str) -> None:
        """Read text."""
        if self.words is not None and not self.codes:
            self.words.append(text)

    def say_entity(self, name: str, line: int) -> None:
        """Read an entity that only the document type declares, which stands in another file."""
        if self.words is None or self.codes:
            return
        text = html5.get(f"{name};")
        if text is None:
            raise InputError(f"{self.label}:{line}: nobody says what &{name}; is; write the characters it stands for")
        self.say(text)

    def end(self, name: str) -> None:
        """Leave an element."""
        self.codes -= name in CODES
        if name == "seg" and self.words is not None:
            self.variants.setdefault(self.language, " ".join("".join(self.words).split()))
            self.words = None
        elif name == "tu":
            self._end_unit()

    def given(self) -> list[tuple[int, str, str]]:
        """Return the units that have ended since."""
        found, self.found = self.found, []
        return found

    def finish(self) -> None:
        """Say which units were left out.

        Raises:
            InputError: all were; or a language was named that none is in.
        """
        if not self.units:
            raise InputError(f"{self.label}: a translation memory without units; give one that holds pairs")
        there = ", ".join(_shown(name) for name in sorted(self.seen)) or "none"
        for language in self.languages or ():
            if not any(_same(name, language) for name in self.seen):
                raise InputError(f"{self.label}: nothing in it is in language '{language}'; there are {there}")
        if self.languages is None:
            raise InputError(f"{self.label}: no unit is in two languages; there are {there}: give pairs of two")
        one, other = (_shown(language) for language in self.languages)
        if self.lacking == self.units:
            raise InputError(
                f"{self.label}: no unit is in both {one} and {other}; there are {there}: name two that are"
            )
        if self.lacking:
            _LOG.warning(
                "%d of %d units lack one of %s, %s and are left out (first: %s)",
                *(self.lacking, self.units, one, other, f"{self.label}:{self.first_lacking}"),
            )

    def _end_unit(self) -> None:
        self.units += 1
        if len(self.variants) > 1:
            self.languages = self.languages or self._told()
        sides = [self._variant(language) for language in self.languages or ()]
        match sides:
            case [str(one), str(other)]:
                self.found.append((self.line, one, other))
            case _:
                self.lacking += 1
                self.first_lacking = self.first_lacking or self.line

    def _told(self) -> Languages:
        """Return the two languages of a first unit."""
        names = list(self.variants)
        source = names[0] if self.first in ("", ANY) else next((n for n in names if _same(n, self.first)), names[0])
        others = [name for name in names if not _same(name, source)]
        if len(others) != 1:
            raise InputError(
                f"{self.label}:{self.line}: a unit in {', '.join(names)}: name source and target, "
                f"as {self.label}:{names[0]}:{names[-1]}"
            )
        return source, others[0]

    def _variant(self, language: str) -> str | None:
        return next((text for name, text in self.variants.items() if _same(name, language)), None)


def _shown(language: str) -> str:
    return language or 'xml:lang=""'


def _same(one: str, other: str) -> bool:
    """Return whether two tags are of one language; where either names no region, any is meant."""
    first, second = (tag.lower().replace("_", "-").split("-") for tag in (one, other))
    return first[0] == second[0] and (len(first) == 1 or len(second) == 1 or first == second)
