"""Semantic roles as JSON lines: who did what to whom, for each predicate of a sentence.

*Form.* One object a line: ``tokens``, and ``predicates``, each with ``predicate`` (its place among the tokens, from 0),
``sense`` (``get.01``) and its roles, either as ``tags`` (a BIO label a token, the predicate's own being ``V``) or as
``arguments`` (``[[start, stop, role], …]``, stop exclusive). ``id`` and ``pos`` may stand there; other keys are kept as
they are. Where roles are to be found, a predicate need not have any, and a sentence need not name its predicates.
Source of the roles: Palmer, Gildea and Kingsbury 2005.
"""

import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from ziggurat.core.errors import InputError, shown
from ziggurat.core.schemes import LabelSpan
from ziggurat.text.options import TextConfig
from ziggurat.text.relabelling import write_pieces
from ziggurat.text.tagged import one_source, read_lines

__all__ = ["OWN", "Argument", "Predicate", "RoleSentence", "read_roles", "role_line", "role_sentence", "write_roles"]

FORM = '{"tokens": […], "predicates": [{"predicate": 3, "sense": "get.01", "arguments": [[0, 1, "ARG0"], …]}]}'
OWN = "V"
"""The role that stands in tags for the predicate itself."""
KINDS: Mapping[type, str] = {int: "whole number", list: "list"}
KEYS = ("id", "tokens", "pos", "predicates")
KEYS_OF_PREDICATE = ("predicate", "sense", "tags", "arguments")
HALVES = re.compile("[\ud800-\udfff]")
"""Halves of a character, which JSON can hold and UTF-8 can't."""


class Argument(NamedTuple):
    """A stretch of tokens and the part that it plays."""

    start: int
    stop: int
    """Exclusive."""
    role: str


@dataclass(frozen=True, slots=True)
class Predicate:
    """One predicate of a sentence, and its arguments in the order of the sentence."""

    position: int
    """Its token, from 0; the first of them where there are some."""
    sense: str
    arguments: tuple[Argument, ...] = ()
    length: int = 1
    """Tokens that it is made of: 2 for "drop by"."""
    rest: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What else the file says of it, key by key."""

    def __post_init__(self) -> None:
        """Put the arguments in order."""
        ordered = sorted((Argument(*one) for one in self.arguments), key=lambda one: (one.start, one.stop))
        object.__setattr__(self, "arguments", tuple(ordered))

    def tags(self, tokens: int) -> tuple[str, ...]:
        """Return a BIO label for each of so many tokens, the predicate's own being ``V``."""
        found = ["O"] * tokens
        for start, stop, role in (*self.arguments, (self.position, self.position + self.length, OWN)):
            found[start:stop] = [f"B-{role}", *[f"I-{role}"] * (stop - start - 1)]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class RoleSentence:
    """One sentence with its predicates.

    Raises:
        InputError: there is no token, an argument is outside the sentence, or two of a predicate's arguments overlap.
    """

    id: str
    """Unique within a file: ``path:line``."""
    tokens: tuple[str, ...]
    predicates: tuple[Predicate, ...] = ()
    """In the order of the file; a token may be the predicate of two."""
    pos: tuple[str, ...] = ()
    """Parts of speech, one a token; empty where the file has none."""
    name: str = ""
    """What the file itself calls the sentence."""
    line: int = 0
    unsaid: bool = False
    """Whether nobody says which its predicates are, so that they are to be found."""
    rest: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What else the file says of it, key by key; an ``id`` that is no text is one of these."""

    def __post_init__(self) -> None:
        """Check that all stands within the sentence and nothing twice."""
        if not self.tokens:
            raise InputError(f"{self.id}: a sentence of 0 tokens; remove it or give it tokens")
        if self.pos and len(self.pos) != len(self.tokens):
            raise InputError(f"{self.id}: {len(self.pos)} parts of speech for {len(self.tokens)} tokens; each has one")
        for predicate in self.predicates:
            _check(predicate, len(self.tokens), self.id)

    def __iter__(self) -> Iterator[str]:
        """Yield the tokens: without its predicates a sentence is these."""
        return iter(self.tokens)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    @property
    def roles(self) -> dict[int, list[LabelSpan]]:
        """The spans of each predicate by its position, in order; its own is one of them, with the role ``V``."""
        found: dict[int, list[LabelSpan]] = {one.position: [] for one in self.predicates}
        for one in self.predicates:
            found[one.position] += [*map(tuple, one.arguments), (one.position, one.position + one.length, OWN)]  # type: ignore[list-item]
        return {position: sorted(set(spans)) for position, spans in found.items()}

    def asked(self) -> "RoleSentence":
        """Return the sentence with its predicates and none of their arguments: what a model is asked."""
        return replace(self, predicates=tuple(replace(one, arguments=()) for one in self.predicates))

    def answered(self, roles: Mapping[int, Iterable[LabelSpan]]) -> "RoleSentence":
        """Return the sentence with these roles (`roles`); what it says of its own predicates beside them is kept.

        Of two predicates at one token each has the arguments that are said there, but for those in its own words.
        """
        shared = Counter(one.position for one in self.predicates)
        found = [_answered(one, roles[one.position], shared) for one in self.predicates if one.position in roles]
        others = sorted(position for position in roles if position not in shared)
        found += [_answered(Predicate(position, ""), roles[position], shared) for position in others]
        return replace(self, predicates=tuple(found), unsaid=False)


def read_roles(
    name: str | os.PathLike[str], options: TextConfig | None = None, *, labelled: bool = True
) -> Iterator[RoleSentence]:
    """Yield a file's sentences one after another; ``-`` is standard input. Memory holds one sentence.

    Where they need not be ``labelled``, predicates may lack their roles, or a sentence its predicates.

    Raises:
        InputError: there is no such file, it has no sentence, or a line is of another form; the message names file and
            line and what is wrong.
    """
    source = one_source(name)
    empty = True
    for line in read_lines(source, options or TextConfig()):
        if line.text.strip():
            record = _object(line.text, f"{source.label}:{line.number}")
            yield role_sentence(record, f"{source.label}:{line.number}", line=line.number, labelled=labelled)
            empty = False
    if empty:
        raise InputError(f"{source.label}: no sentence; each line is {FORM}")


def write_roles(path: str | os.PathLike[str], sentences: Iterable[RoleSentence]) -> None:
    """Write sentences as JSON lines, their roles as tags, in UTF-8; what is read from there is the same again.

    Raises:
        InputError: a token holds what UTF-8 can't write.
    """
    write_pieces(Path(path), map(role_line, sentences))


def role_line(sentence: RoleSentence) -> bytes:
    """Return a sentence as a line of JSON in UTF-8, line end included.

    Raises:
        InputError: a token holds what UTF-8 can't write.
    """
    try:
        own = json.dumps(_record(sentence, rest=False), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{sentence.id}: half a character ({error.reason}), which no file can hold") from error
    if not sentence.rest and not any(one.rest for one in sentence.predicates):
        return own + b"\n"
    whole = json.dumps(_record(sentence, rest=True), ensure_ascii=False)
    if HALVES.search(whole):  # other keys may hold them, as escapes
        whole = json.dumps(_record(sentence, rest=True))
    return whole.encode() + b"\n"


def _record(sentence: RoleSentence, *, rest: bool) -> dict[str, Any]:
    """Return a sentence as an object of JSON; the ``rest`` of what its file said stands last."""
    more: Mapping[str, Any] = sentence.rest if rest else {}
    record: dict[str, Any] = {"id": sentence.name} if sentence.name else {}
    record["tokens"] = list(sentence.tokens)
    if sentence.pos:
        record["pos"] = list(sentence.pos)
    if not sentence.unsaid:
        record["predicates"] = [
            {
                "predicate": one.position,
                "sense": one.sense,
                "tags": list(one.tags(len(sentence.tokens))),
                **(one.rest if rest else {}),
            }
            for one in sentence.predicates
        ]
    return {**record, **more}


def _answered(predicate: Predicate, spans: Iterable[LabelSpan], shared: Mapping[int, int]) -> Predicate:
    """Return a predicate with the spans that are said at its token, where there may be others (``shared``)."""
    arguments = tuple(Argument(*span) for span in spans)
    length = next((one.stop - one.start for one in arguments if one.role == OWN), 1)
    if shared.get(predicate.position, 0) > 1:
        length = predicate.length
    own = range(predicate.position, predicate.position + length)
    others = tuple(one for one in arguments if one.role != OWN and (one.stop <= own.start or own.stop <= one.start))
    return replace(predicate, arguments=others, length=length)


def _check(predicate: Predicate, tokens: int, where: str) -> None:
    end = predicate.position + predicate.length
    if predicate.length < 1 or not 0 <= predicate.position < end <= tokens:
        raise InputError(f"{where}: predicate {predicate.position} is outside the sentence of {tokens} tokens; mend it")
    own = Argument(predicate.position, end, OWN)
    stretches = sorted([*predicate.arguments, own], key=lambda one: one.start)
    for argument in predicate.arguments:
        if not 0 <= argument.start < argument.stop <= tokens:
            raise InputError(
                f"{where}: argument {_shown(argument)} of predicate {predicate.position} is outside the sentence of "
                f"{tokens} tokens or empty; start is from 0, stop exclusive"
            )
        if not argument.role or argument.role == OWN:
            raise InputError(f"{where}: argument {_shown(argument)} needs a role other than {OWN}, the predicate's own")
    for one, other in itertools.pairwise(stretches):
        if other.start < one.stop:
            raise InputError(
                f"{where}: {_shown(one)} and {_shown(other)} of predicate {predicate.position} overlap; "
                "a token plays one part for a predicate"
            )


def _shown(argument: Argument) -> str:
    return f"[{argument.start}, {argument.stop}, {argument.role}]"


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}); mend or remove the line") from error
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(record).__name__}; each line is {FORM}")
    return record


def role_sentence(record: Mapping[str, Any], where: str, *, line: int = 0, labelled: bool = True) -> RoleSentence:
    """Return the sentence that an object of JSON says, ``where`` being its id, as `read_roles` does.

    Raises:
        InputError: it is of another form; the message names ``where`` and what is wrong.
    """
    tokens = _strings(record, "tokens", where)
    unsaid = not labelled and record.get("predicates") is None
    found = [] if unsaid else _value(record, "predicates", list, where)
    predicates = tuple(_predicate(one, len(tokens), where, labelled=labelled) for one in found)
    pos = _strings(record, "pos", where) if record.get("pos") is not None else ()
    own = record.get("id", "")
    name = str(own) if isinstance(own, (str, int)) else ""
    rest = {key: value for key, value in record.items() if key not in KEYS or (key == "id" and own != name)}
    if HALVES.search(name):
        raise InputError(f"{where}: the key 'id' has half a character (a lone surrogate); mend the line")
    return RoleSentence(where, tokens, predicates, pos, name, line, unsaid, rest)


def _predicate(record: Any, tokens: int, where: str, *, labelled: bool) -> Predicate:
    if not isinstance(record, dict):
        raise InputError(f"{where}: a predicate is an object, not {type(record).__name__}; each line is {FORM}")
    position = _value(record, "predicate", int, where)
    sense = record.get("sense") or ""
    if not isinstance(sense, str):
        raise InputError(f"{where}: the key 'sense' holds no text; each line is {FORM}")
    if "tags" in record:
        tags = _strings(record, "tags", where)
        if len(tags) != tokens:
            raise InputError(f"{where}: {len(tags)} tags of predicate {position} for {tokens} tokens; each has one")
        arguments = tuple(_stretches(tags, where))
    elif not labelled and "arguments" not in record:
        arguments = ()
    else:
        arguments = tuple(_argument(one, where) for one in _value(record, "arguments", list, where))
    own = [one for one in arguments if one.role == OWN]
    if len(own) > 1 or any(one.start != position for one in own):
        raise InputError(
            f"{where}: {OWN} stands once, at its predicate, not at {_shown(own[-1])}; predicate {position}"
        )
    length = own[0].stop - position if own else 1
    others = tuple(one for one in arguments if one.role != OWN)
    rest = {key: value for key, value in record.items() if key not in KEYS_OF_PREDICATE}
    return Predicate(position, sense, others, length, rest)


def _argument(record: Any, where: str) -> Argument:
    if isinstance(record, list) and [type(part) for part in record] == [int, int, str] and not HALVES.search(record[2]):
        return Argument(*record)
    raise InputError(f'{where}: an argument is [start, stop, "ROLE"], not {shown(record)}; mend the line')


def _stretches(tags: Sequence[str], where: str) -> Iterator[Argument]:
    start, role = 0, ""
    for place, tag in enumerate((*tags, "O")):
        mark, dash, named = tag.partition("-")
        if tag != "O" and (mark not in ("B", "I") or not dash or not named):
            raise InputError(f"{where}: the tag '{tag}' of token {place} is none of O, B-ROLE, I-ROLE; mend it")
        if mark == "I" and named != role:
            raise InputError(f"{where}: the tag '{tag}' of token {place} follows no B-{named}; begin a role with B-")
        if mark != "I":
            if role:
                yield Argument(start, place, role)
            start, role = place, named


def _value(record: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    found = record.get(key)
    if type(found) is not kind:
        fault = f"holds no {KINDS[kind]}" if key in record else f"is missing (found {', '.join(record) or 'none'})"
        raise InputError(f"{where}: the key '{key}' {fault}; each line is {FORM}")
    return found


def _strings(record: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    found = _value(record, key, list, where)
    for place, one in enumerate(found):
        if not isinstance(one, str) or not one or HALVES.search(one):
            raise InputError(f"{where}: entry {place} of '{key}' is {shown(one)}; a text that is not empty")
    return tuple(found)
