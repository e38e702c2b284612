"""How spans of a sequence are written as one label a position, and read again: IOB1, BIO, BIOES, BILOU, BMES.

A label is ``O`` (outside), or a letter and, after a hyphen, the span's type (``B-PER``); a scheme without types has
letters alone (``B M E S``: words of a Chinese sentence). A span is (start, stop, type): positions ``start`` to before
``stop``; type is empty where there are no types.

======  =====  ======  ====  ====  ========================================================================
scheme  first  middle  last  only  where
======  =====  ======  ====  ====  ========================================================================
IOB1    I      I       I     I     Ramshaw & Marcus 1995; CoNLL-2003 as published. B where two spans of one
                                   type touch, and only there
BIO     B      I       I     B     also IOB2: Tjong Kim Sang & Veenstra 1999; CoNLL-2002
BIOES   B      I       E     S     also IOBES
BILOU   B      I       L     U     Ratinov & Roth 2009
BMES    B      M       E     S     Chinese word segmentation and names
======  =====  ======  ====  ====  ========================================================================
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from ziggurat.core.errors import InputError, UsageError

__all__ = [
    "OUTSIDE",
    "SCHEMES",
    "LabelSpan",
    "Scheme",
    "foreign_to",
    "keep_masks",
    "labels_of",
    "lenient_spans_of",
    "likely_scheme",
    "may_follow",
    "misfit",
    "said_misfit",
    "scheme_of",
    "scheme_of_sequences",
    "spans_of",
]

Scheme: TypeAlias = Literal["IOB1", "BIO", "BIOES", "BILOU", "BMES"]
"""How spans are written."""

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

LabelSpan: TypeAlias = tuple[int, int, str]
"""Start, stop and type."""

OUTSIDE = "O"
"""The label of what belongs to no span."""

_LETTERS: dict[Scheme, tuple[str, str, str, str]] = {
    "IOB1": ("I", "I", "I", "I"),
    "BIO": ("B", "I", "I", "B"),
    "BIOES": ("B", "I", "E", "S"),
    "BILOU": ("B", "I", "L", "U"),
    "BMES": ("B", "M", "E", "S"),
}
"""Letters of a span's first, middle and last position, and of its only one."""

_ALL_LETTERS = frozenset("BIESMLU")
"""Letters of all schemes."""

_PLAIN = ""
"""What stands for the letter of a label that is of no scheme: a span of its own."""

_FINAL = frozenset(["E", "L", "S", "U", _PLAIN])
"""Letters after which no span goes on."""

_INITIAL = frozenset(["B", "S", "U", _PLAIN])
"""Letters that begin a span whatever stands before."""


def may_follow(before: str | None, after: str | None, scheme: Scheme) -> bool:
    """Return whether a label may follow another; None stands for the sequence's beginning, or its end.

    >>> may_follow("B-PER", "I-PER", "BIO"), may_follow("O", "I-PER", "BIO"), may_follow("B-PER", None, "BIOES")
    (True, False, False)

    Raises:
        UsageError: a label is none of the scheme's.
    """
    (letter, kind), (next_letter, next_kind) = _parts(before, scheme), _parts(after, scheme)
    if scheme == "IOB1":
        return next_letter != "B" or (letter != OUTSIDE and kind == next_kind)
    first, middle, last, only = _LETTERS[scheme]
    if next_letter in {middle, last}:
        return letter in {first, middle} and kind == next_kind
    return letter not in {first, middle} - {last, only}


def misfit(labels: Sequence[str], scheme: Scheme) -> int | None:
    """Return the first position whose label may not follow the one before; ``len(labels)`` if they may not end there.

    None where all is well. Raises UsageError as `may_follow` does.
    """
    pairs = itertools.pairwise([None, *labels, None])
    return next((place for place, pair in enumerate(pairs) if not may_follow(*pair, scheme)), None)


def spans_of(labels: Sequence[str], scheme: Scheme) -> list[LabelSpan]:
    """Return the spans that well-formed labels say.

    >>> spans_of(["B-PER", "I-PER", "O", "B-LOC"], "BIO")
    [(0, 2, 'PER'), (3, 4, 'LOC')]

    Raises:
        InputError: a label may not stand where it stands; the message says where. `lenient_spans_of` reads such labels.
        UsageError: a label is none of the scheme's.
    """
    place = misfit(labels, scheme)
    if place is None:
        return lenient_spans_of(labels)
    where = min(place, len(labels) - 1)
    raise InputError(f"position {where}: {said_misfit(labels, place, scheme)}; correct the labels")


def said_misfit(labels: Sequence[str], place: int, scheme: Scheme) -> str:
    """Return in words what is wrong at a place that `misfit` found.

    >>> said_misfit(["O", "I-LOC"], 1, "BIO")
    "'I-LOC' may not follow 'O' in BIO"
    """
    before = f"'{labels[place - 1]}'" if place else "the beginning"
    if place == len(labels):
        return f"the labels may not end with {before} in {scheme}"
    return f"'{labels[place]}' may not follow {before} in {scheme}"


def lenient_spans_of(labels: Sequence[str]) -> list[LabelSpan]:
    """Return the spans of any labels, ill-formed ones too, in whichever scheme: a broken span is closed, not lost.

    *Idea.* A label that is not ``O`` begins a span if the one before is ``O``, of another type, or the last of its
    span, or if its own letter begins one; otherwise it goes on. For IOB1 and BIO this is how ``conlleval`` (the script
    of the CoNLL-2000 task) reads; of well-formed labels it gives what they say.

    *Departs.* ``conlleval`` joins ``E-X B-X``, ``S-X`` and what follows of one type, so that its scores of BIOES are
    wrong where spans touch; here they are two.

    A plain label, which is of no scheme, is a span of one position, and the label its type: none is lost.

    >>> lenient_spans_of(["I-PER", "I-LOC", "O", "E-LOC"])
    [(0, 1, 'PER'), (1, 2, 'LOC'), (3, 4, 'LOC')]
    >>> lenient_spans_of(["NOUN", "NOUN"])
    [(0, 1, 'NOUN'), (1, 2, 'NOUN')]
    """
    spans: list[LabelSpan] = []
    letter, kind = OUTSIDE, ""
    for place, label in enumerate(labels):
        last_letter, last_kind = letter, kind
        if label == OUTSIDE:
            letter, kind = OUTSIDE, ""
            continue
        letter, kind = _split(label)
        if letter not in _ALL_LETTERS:
            letter, kind = _PLAIN, label
        begins = last_letter == OUTSIDE or last_letter in _FINAL or letter in _INITIAL or kind != last_kind
        start = place if begins else spans.pop()[0]
        spans.append((start, place + 1, kind))
    return spans


def labels_of(spans: Iterable[LabelSpan], length: int, scheme: Scheme) -> list[str]:
    """Return ``length`` labels that say these spans, in whatever order they come.

    >>> labels_of([(1, 3, "PER")], 4, "BIOES")
    ['O', 'B-PER', 'E-PER', 'O']

    Raises:
        UsageError: a span is empty, leaves the sequence or overlaps another.
    """
    labels = [OUTSIDE] * length
    first, middle, last, only = _LETTERS[scheme]
    reached, reached_kind = 0, None
    for start, stop, kind in sorted(spans):
        if not reached <= start < stop <= length:
            raise UsageError(f"span {start} to {stop} ('{kind}') is empty, overlaps another or leaves 0 to {length}")
        letters = only if stop - start == 1 else first + middle * (stop - start - 2) + last
        if scheme == "IOB1" and start == reached and kind == reached_kind:
            letters = f"B{letters[1:]}"
        labels[start:stop] = [f"{letter}-{kind}" if kind else letter for letter in letters]
        reached, reached_kind = stop, kind
    return labels


def scheme_of(labels: Iterable[str]) -> Scheme | None:
    """Return the scheme that a set of labels belongs to; None where they are plain labels, like parts of speech.

    What letters leave open is read as the commoner scheme: ``B`` and ``I`` as BIO (`scheme_of_sequences` looks at the
    sequences), ``B E S`` as BIOES, or without types and ``O`` as BMES; ``I`` alone is IOB1, and ``O`` alone BIO.

    >>> scheme_of(["O", "B-PER", "I-PER"]), scheme_of("BMES"), scheme_of(["NOUN", "VERB"])
    ('BIO', 'BMES', None)
    """
    names = set(labels)
    letters = {_split(name)[0] for name in names} - {OUTSIDE}
    if not names:
        return None
    if letters == {"I"}:
        return "IOB1"
    bare = names <= set("BES")
    likely: tuple[Scheme, ...] = ("BIO", *(("BMES", "BIOES") if bare else ("BIOES", "BMES")), "BILOU")
    return next((scheme for scheme in likely if letters <= set(_LETTERS[scheme])), None)


def scheme_of_sequences(sequences: Iterable[Sequence[str]]) -> Scheme | None:
    """Return the scheme of labelled sequences: as `scheme_of`, and IOB1 where fewer of them break it than BIO."""
    kept = [list(sequence) for sequence in sequences]
    scheme = scheme_of({label for sequence in kept for label in sequence})
    if scheme != "BIO":
        return scheme
    likely: tuple[Scheme, ...] = ("BIO", "IOB1")
    return min(likely, key=lambda one: sum(misfit(sequence, one) is not None for sequence in kept))


def foreign_to(scheme: Scheme, labels: Iterable[str]) -> list[str]:
    """Return those of some labels that are none of a scheme's.

    >>> foreign_to("BIO", ["O", "B-PER", "E-PER", "o", "NOUN"])
    ['E-PER', 'o', 'NOUN']
    """
    return [label for label in labels if not _is_of(label, scheme)]


def likely_scheme(counts: Mapping[str, int]) -> Scheme | None:
    """Return the scheme that most of the labels that stand so often are written in, though others are none of it.

    *Idea.* A slip of the pen among a thousand labels, or letters that are small, should not make plain labels of all.
    Labels count that are not ``O`` and begin with some scheme's letter, small or not; where these are fewer than half,
    labels are plain, and the answer is None.

    >>> likely_scheme({"O": 90, "B-PER": 6, "I-PER": 3, "X-PER": 1}), likely_scheme({"NOUN": 5, "VERB": 4})
    ('BIO', None)
    """
    spans = {label: count for label, count in counts.items() if label.upper() != OUTSIDE}
    written = {label: _split(label)[0].upper() for label in spans if "-" in label[1:2] or label in _ALL_LETTERS}
    meant = {label: letter for label, letter in written.items() if letter in _ALL_LETTERS}
    if not meant or 2 * sum(spans[label] for label in meant) < sum(spans.values()):
        return None
    usual: tuple[Scheme, ...] = ("BIO", "BIOES", "BMES", "BILOU")
    return max(usual, key=lambda one: sum(spans[label] for label, letter in meant.items() if letter in _LETTERS[one]))


def keep_masks(
    labels: Sequence[str], scheme: Scheme
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return what may be among L labels, True = may: follow (L, L; row before column), start (L,) and end (L,).

    Raises:
        UsageError: a label is none of the scheme's.
    """
    follow = [[may_follow(before, after, scheme) for after in labels] for before in labels]
    start = [may_follow(None, label, scheme) for label in labels]
    end = [may_follow(label, None, scheme) for label in labels]
    return np.array(follow, bool), np.array(start, bool), np.array(end, bool)


def _split(label: str) -> tuple[str, str]:
    letter, _, kind = label.partition("-")
    return letter, kind


def _is_of(label: str, scheme: Scheme) -> bool:
    letter, kind = _split(label)
    return letter in {"B", *_LETTERS[scheme]} or (letter == OUTSIDE and not kind)


def _parts(label: str | None, scheme: Scheme) -> tuple[str, str]:
    """Return letter and type; beyond the sequence's ends it is as outside of spans."""
    letter, kind = (OUTSIDE, "") if label is None else _split(label)
    if label is not None and not _is_of(label, scheme):
        allowed = {OUTSIDE, "B", *_LETTERS[scheme]}
        raise UsageError(f"label '{label}' is none of {scheme}: expected {', '.join(sorted(allowed))} and a type")
    return letter, kind
