"""A tokenizer of words: the `tokenizers` library for a text, compiled kernels for many; Chinese cut, phrases joined.

*Idea.* Where a word is what the library's own rules cut, ``tokenizer.json`` is all there is. Two things it can't do:
find words in Chinese, and join phrases. They are written down in the same file, under ``ziggurat`` in ``model``, which
other programs skip: such a program finds Chinese words where spaces stand between them, and phrases where ``_`` joins
their words. `WordTokenizer.prepared` makes such a text of any.
"""

import functools
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ziggurat.core.errors import ArtefactError
from ziggurat.core.types import Encoding, IdArray
from ziggurat.tokens import chinese
from ziggurat.tokens.cutting import BREAK, Bytes, Cut, dress, escaped, for_each_part, joined
from ziggurat.tokens.fast import UNKNOWN, FastTokenizer, checked_text
from ziggurat.tokens.phrases import JOINT, Joiner, Pass, join_few

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Core

    from ziggurat.tokens.word_table import WordTable

__all__ = ["Place", "Preparation", "WordTokenizer"]

Place: TypeAlias = tuple[int, int]
"""Characters ``[start, end)`` of a text."""

KEY = "ziggurat"
COMPILED_FROM = 1 << 19
"""Characters from which on the kernels are worth loading."""

_WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_END_OF_TEXT, _LEFT_OUT = -1, -2
_LOG = logging.getLogger("ziggurat")


@dataclass(frozen=True)
class Preparation:
    """What is done to text beside what the library does."""

    cut: Cut
    chinese: Mapping[str, str]
    """Chinese is cut into words: by these versions of packages; empty where it is not."""
    phrases: tuple[Pass, ...] = ()
    """The pairs that each pass joins."""

    def to_json(self) -> dict[str, Any]:
        """Return it as ``tokenizer.json`` holds it."""
        return {
            "cut": asdict(self.cut),
            "chinese": dict(self.chinese),
            "phrases": [list(map(list, p)) for p in self.phrases],
        }

    @classmethod
    def from_json(cls, raw: Any) -> "Preparation":
        """Read what `to_json` gave.

        Raises:
            ArtefactError: it is something else.
        """
        try:
            passes = tuple([(str(first), str(second)) for first, second in one] for one in raw["phrases"])
            packages = {str(name): str(version) for name, version in raw["chinese"].items()}
            if not all(isinstance(value, bool) for value in raw["cut"].values()):
                raise TypeError("cut: expected true or false")
            return cls(Cut(**raw["cut"]), packages, passes)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ArtefactError(
                f"tokenizer.json: '{KEY}' in model: does not say how words are cut ({error})"
            ) from error


class WordTokenizer(FastTokenizer):
    """Words as ids.

    *Cost.* Many texts at once: some 50 MB of English or 3 million characters of Chinese a second.
    """

    def __init__(
        self,
        core: "Core",
        preparation: Preparation | None = None,
        raw: dict[str, Any] | None = None,
        roles: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Wrap ``core``, for text that is prepared so; None where it needs nothing but the library."""
        super().__init__(core, raw, roles)
        self.preparation = preparation
        if preparation is not None:
            self._json["model"][KEY] = preparation.to_json()
            if preparation.chinese and preparation.chinese != (now := chinese.versions()) and now:
                _LOG.warning(
                    "tokenizer.json: Chinese was cut with %s, here is %s: some words may be cut otherwise",
                    _listed(preparation.chinese),
                    _listed(now),
                )

    @classmethod
    def of(cls, plain: FastTokenizer, source: str) -> "WordTokenizer":
        """Return the tokenizer of words that the library read as ``plain`` from the text ``source``.

        Raises:
            ArtefactError: the file says something of its preparation that can't be read.
        """
        said = json.loads(source)["model"].get(KEY) if f'"{KEY}"' in source else None
        return cls(plain.core, None if said is None else Preparation.from_json(said), plain.parsed, plain.roles)

    def prepared(self, text: str) -> str:
        """Return ``text`` as another program must be given it: words between spaces, phrases held together by ``_``."""
        if self.preparation is None:
            return text
        if not self.preparation.phrases:
            return chinese.spaced(text)
        if self.core.normalizer is not None:  # before, because "İ" folds to what may be the end of one word and another
            text = self.core.normalizer.normalize_str(text)
        found = self._joined(checked_text(text))
        return " ".join(JOINT.join(text[start:stop] for start, stop in places) for _, places in found)

    def encode(self, text: str) -> Encoding:
        """Return the ids of ``text`` with their offsets, without begin or end tokens."""
        if self.preparation is None:
            return super().encode(text)
        if self.preparation.phrases:
            found = self._joined(checked_text(text))
            offsets = [(places[0][0], places[-1][1]) for _, places in found]
            ids = self._final(np.array([number for number, _ in found], np.int32))
            return Encoding(ids, np.array(offsets, np.int32).reshape(-1, 2))
        after, places = chinese.aligned(checked_text(text))
        encoding = super().encode(after)
        return Encoding(encoding.ids, places[encoding.offsets].astype(np.int32))

    def encode_batch(self, texts: Sequence[str]) -> list[IdArray]:
        """Return the ids of many texts at once, on all cores."""
        if self._rules is None or sum(map(len, texts)) < COMPILED_FROM:
            return (
                super().encode_batch(texts) if self.preparation is None else [self.encode(text).ids for text in texts]
            )
        before = chinese.spaced if self.preparation is not None and self.preparation.chinese else str
        parts = for_each_part(self._encode_part, joined([before(checked_text(text)) for text in texts]))
        return [ids for part in parts for ids in part]

    def to_json(self) -> str:
        """Return the content of ``tokenizer.json``."""
        return super().to_json() if self.preparation is None else json.dumps(self._json, ensure_ascii=False, indent=2)

    @functools.cached_property
    def _rules(self) -> Cut | None:
        """How text is cut, where that is known to the kernel; None for a file whose rules are its own."""
        if self.preparation is not None:
            return self.preparation.cut
        model, unknown = self._json["model"], self.vocabulary.unk
        if unknown is None or self.core.token_to_id(model.get("unk_token", "")) != unknown:
            return None
        if any(not added["special"] for added in self._json["added_tokens"]):
            return None
        own = json.dumps({key: self._json.get(key) for key in ("normalizer", "pre_tokenizer")}, sort_keys=True)
        return next((cut for cut in _cuts() if _library_rules(cut) == own), None)

    @functools.cached_property
    def _names(self) -> list[str]:
        """All words that joining must know: those with an id, and parts of phrases that have none of their own."""
        known = dict.fromkeys(self._tokens)
        for pairs in self.preparation.phrases if self.preparation is not None else ():
            for first, second in pairs:
                known.setdefault(first)
                known.setdefault(second)
                known.setdefault(f"{first}{JOINT}{second}")
        return list(known)

    @functools.cached_property
    def _pairs(self) -> list[dict[tuple[int, int], int]]:
        """For each pass the numbers of words that it joins, and what they become."""
        numbers = {name: number for number, name in enumerate(self._names)}
        return [
            {(numbers[a], numbers[b]): numbers[f"{a}{JOINT}{b}"] for a, b in pairs}
            for pairs in (self.preparation.phrases if self.preparation is not None else ())
        ]

    @functools.cached_property
    def _joiners(self) -> list[Joiner]:
        return [Joiner(list(pairs), list(pairs.values()), len(self._names)) for pairs in self._pairs]

    @functools.cached_property
    def _table(self) -> "WordTable":
        """Each word as the kernel writes it, by the number that it has before joining."""
        from ziggurat.tokens.word_table import WordTable

        vocabulary = self.vocabulary
        numbers = [
            number
            for number, name in enumerate(self._names)
            if number not in vocabulary.special and name and " " not in name  # which no word has that was cut
        ]
        words = [escaped(self._names[number]) for number in numbers]
        return WordTable.of([*words, BREAK], np.array([*numbers, _LEFT_OUT], np.int32))

    @functools.cached_property
    def _cutter(self) -> "Core":
        """The library's tokenizer that gives words before joining."""
        from tokenizers import Tokenizer, models

        assert self.preparation is not None  # noqa: S101 - only what joins phrases asks
        vocabulary = {name: number for number, name in enumerate(self._names)}
        core = dress(Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN)), self.preparation.cut)
        core.encode_special_tokens = True
        return core

    def _encode_part(self, text: Bytes, number: int) -> list[IdArray]:  # noqa: ARG002 - the part's number
        assert self._rules is not None  # noqa: S101 - checked by `encode_batch`
        words = self._rules.words(text, breaks=bool(self._pairs))
        unknown = self.vocabulary.unk
        assert unknown is not None  # noqa: S101 - words always have one
        stream = np.concatenate(
            [
                np.empty(0, np.int32),
                *self._table.encode(words, unknown=unknown, line_end=_END_OF_TEXT, threads=1),
            ]
        )
        for joiner in self._joiners:
            stream = joiner.join(stream)
        stream = self._final(stream[stream != _LEFT_OUT])
        ends = np.flatnonzero(stream == _END_OF_TEXT)
        return [part[: part.size - 1] for part in np.split(stream, ends + 1)[:-1]]

    def _joined(self, text: str) -> list[tuple[int, list[Place]]]:
        """Return the numbers of the words of ``text`` after joining, and where the words are that each is made of."""
        assert self.preparation is not None  # noqa: S101 - only what joins phrases asks
        after, places = chinese.aligned(text) if self.preparation.chinese else (text, None)
        encoded = self._cutter.encode(after, add_special_tokens=False)
        offsets = np.array(encoded.offsets, np.int64).reshape(-1, 2)
        offsets = offsets if places is None else places[offsets]
        words: list[tuple[int, list[Place]]] = []
        before = 0
        for number, (start, stop) in zip(self._plain(encoded.ids).tolist(), offsets.tolist(), strict=True):
            if text[before:start].strip(_WHITE_SPACE):
                words.append((_LEFT_OUT, []))
            words.append((number, [(start, stop)]))
            before = stop
        for pairs in self._pairs:
            words = join_few(words, pairs)
        return [(number, own) for number, own in words if number != _LEFT_OUT]

    def _final(self, numbers: IdArray) -> IdArray:
        """Return the ids of words after joining: what has none is unknown."""
        unknown = self.vocabulary.unk
        assert unknown is not None  # noqa: S101 - words always have one
        return np.where(numbers < self.vocabulary.size, numbers, unknown).astype(np.int32)


@functools.cache
def _cuts() -> list[Cut]:
    choice = (False, True)
    split = [
        Cut(han_runs=runs, punctuation=signs, lowercase=low) for runs in choice for signs in choice for low in choice
    ]
    return [*split, *(Cut(whitespace=True, lowercase=low) for low in choice)]


@functools.cache
def _library_rules(cut: Cut) -> str:
    """Return the rules of ``cut`` as the library writes them."""
    from tokenizers import Tokenizer, models

    raw = json.loads(dress(Tokenizer(models.WordLevel({UNKNOWN: 0}, unk_token=UNKNOWN)), cut).to_str())
    return json.dumps({key: raw.get(key) for key in ("normalizer", "pre_tokenizer")}, sort_keys=True)


def _listed(packages: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in packages.items())
