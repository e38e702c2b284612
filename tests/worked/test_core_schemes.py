"""Spans written as labels and read again, by hand and by drawing."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core.errors import InputError, UsageError
from ziggurat.core.schemes import (
    SCHEMES,
    LabelSpan,
    Scheme,
    foreign_to,
    keep_masks,
    labels_of,
    lenient_spans_of,
    likely_scheme,
    may_follow,
    misfit,
    scheme_of,
    scheme_of_sequences,
    spans_of,
)

# One sentence in all schemes: a span of three, touching one of one of the same type, outside, one of two.
SENTENCE: list[LabelSpan] = [(0, 3, "PER"), (3, 4, "PER"), (5, 7, "LOC")]
WRITTEN = {
    "IOB1": ["I-PER", "I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-LOC"],
    "BIO": ["B-PER", "I-PER", "I-PER", "B-PER", "O", "B-LOC", "I-LOC"],
    "BIOES": ["B-PER", "I-PER", "E-PER", "S-PER", "O", "B-LOC", "E-LOC"],
    "BILOU": ["B-PER", "I-PER", "L-PER", "U-PER", "O", "B-LOC", "L-LOC"],
    "BMES": ["B-PER", "M-PER", "E-PER", "S-PER", "O", "B-LOC", "E-LOC"],
}
KINDS = ["PER", "LOC", "B-side", ""]


@st.composite
def spans_in_a_sequence(draw: st.DrawFn) -> tuple[list[LabelSpan], int]:
    """Draw spans that do not overlap, some touching, and the sequence's length."""
    spans, place = [], 0
    for gap, size in draw(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=6)):
        spans.append((place + gap, place + gap + size, draw(st.sampled_from(KINDS))))
        place += gap + size
    return spans, place + draw(st.integers(0, 2))


schemes = st.sampled_from(SCHEMES)


def names_of(scheme: Scheme, kinds: tuple[str, ...] = ("PER", "LOC")) -> list[str]:
    letters = {"IOB1": "BI", "BIO": "BI", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}[scheme]
    return ["O", *(f"{letter}-{kind}" for letter in letters for kind in kinds)]


def test_every_scheme_is_written_here() -> None:
    assert set(WRITTEN) == set(SCHEMES)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_sentence_in_each_scheme(scheme: Scheme) -> None:
    assert labels_of(SENTENCE, 7, scheme) == WRITTEN[scheme]
    assert spans_of(WRITTEN[scheme], scheme) == SENTENCE
    assert lenient_spans_of(WRITTEN[scheme]) == SENTENCE


@given(spans_in_a_sequence(), schemes)
def test_what_is_written_is_read_again(drawn: tuple[list[LabelSpan], int], scheme: Scheme) -> None:
    spans, length = drawn
    labels = labels_of(reversed(spans), length, scheme)
    assert len(labels) == length
    assert spans_of(labels, scheme) == spans
    assert lenient_spans_of(labels) == spans


@given(spans_in_a_sequence(), schemes, schemes)
def test_a_scheme_becomes_another_and_itself_again(
    drawn: tuple[list[LabelSpan], int], scheme: Scheme, other: Scheme
) -> None:
    labels = labels_of(*drawn, scheme)
    through = labels_of(spans_of(labels, scheme), len(labels), other)
    assert labels_of(spans_of(through, other), len(labels), scheme) == labels


@given(schemes.flatmap(lambda s: st.tuples(st.just(s), st.lists(st.sampled_from(names_of(s)), max_size=6))))
def test_labels_are_well_formed_exactly_if_they_are_what_their_spans_write(drawn: tuple[Scheme, list[str]]) -> None:
    scheme, labels = drawn
    written = labels_of(lenient_spans_of(labels), len(labels), scheme)
    assert (misfit(labels, scheme) is None) == (written == labels)


@given(schemes.flatmap(lambda s: st.tuples(st.just(s), st.lists(st.sampled_from(names_of(s)), max_size=6))))
def test_a_lenient_reading_loses_no_position(drawn: tuple[Scheme, list[str]]) -> None:
    _, labels = drawn
    covered = {place: kind for start, stop, kind in lenient_spans_of(labels) for place in range(start, stop)}
    assert covered == {place: label[2:] for place, label in enumerate(labels) if label != "O"}


@pytest.mark.parametrize(
    ("scheme", "before", "after", "may"),
    [
        ("BIO", "B-PER", "I-PER", True),
        ("BIO", "I-PER", "I-PER", True),
        ("BIO", "B-PER", "I-LOC", False),
        ("BIO", "O", "I-PER", False),
        ("BIO", None, "I-PER", False),
        ("BIO", "B-PER", "B-PER", True),
        ("BIO", "B-PER", None, True),
        ("IOB1", "O", "I-PER", True),
        ("IOB1", "I-LOC", "I-PER", True),
        ("IOB1", "I-PER", "B-PER", True),
        ("IOB1", "I-LOC", "B-PER", False),
        ("IOB1", "O", "B-PER", False),
        ("IOB1", None, "B-PER", False),
        ("IOB1", "B-PER", None, True),
        ("BIOES", "B-PER", "E-PER", True),
        ("BIOES", "B-PER", "O", False),
        ("BIOES", "B-PER", "S-PER", False),
        ("BIOES", "I-PER", None, False),
        ("BIOES", "E-PER", "E-PER", False),
        ("BIOES", "E-PER", "B-PER", True),
        ("BIOES", "S-PER", None, True),
        ("BIOES", None, "E-PER", False),
        ("BILOU", "I-PER", "L-PER", True),
        ("BILOU", "U-PER", "L-PER", False),
        ("BMES", "B", "M", True),
        ("BMES", "M", "E", True),
        ("BMES", "M", "S", False),
        ("BMES", "S", "M", False),
        ("BMES", None, None, True),
    ],
)
def test_what_may_follow_what(scheme: Scheme, before: str | None, after: str | None, may: bool) -> None:
    assert may_follow(before, after, scheme) is may


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_masks_say_what_may_follow(scheme: Scheme) -> None:
    names = names_of(scheme)
    follow, start, end = keep_masks(names, scheme)
    assert follow.dtype == start.dtype == end.dtype == np.bool_
    assert follow.shape == (len(names), len(names))
    for (i, before), (j, after) in itertools.product(enumerate(names), repeat=2):
        assert follow[i, j] == may_follow(before, after, scheme)
    assert start.tolist() == [may_follow(None, name, scheme) for name in names]
    assert end.tolist() == [may_follow(name, None, scheme) for name in names]


def test_masks_of_bio_by_hand() -> None:
    follow, start, end = keep_masks(["O", "B-X", "I-X"], "BIO")
    assert follow.tolist() == [[True, True, False], [True, True, True], [True, True, True]]
    assert start.tolist() == [True, True, False]
    assert end.tolist() == [True, True, True]


def test_ill_formed_labels_are_reported_with_their_place() -> None:
    with pytest.raises(InputError, match="position 1: 'I-PER' may not follow 'O' in BIO"):
        spans_of(["O", "I-PER"], "BIO")
    with pytest.raises(InputError, match="position 0: 'E-PER' may not follow the beginning in BIOES"):
        spans_of(["E-PER"], "BIOES")
    with pytest.raises(InputError, match="position 1: the labels may not end with 'B-PER' in BIOES"):
        spans_of(["O", "B-PER"], "BIOES")
    assert misfit(["O", "B-PER"], "BIOES") == 2
    assert misfit(["O", "B-PER"], "BIO") is None
    assert misfit([], "BMES") is None


@pytest.mark.parametrize(
    ("labels", "spans"),
    [
        (["O", "I-A", "I-A"], [(1, 3, "A")]),
        (["B-A", "I-B", "I-B"], [(0, 1, "A"), (1, 3, "B")]),
        (["B-A", "B-A", "I-A"], [(0, 1, "A"), (1, 3, "A")]),
        (["B-A", "O", "E-A"], [(0, 1, "A"), (2, 3, "A")]),
        (["E-A", "E-A", "I-A"], [(0, 1, "A"), (1, 2, "A"), (2, 3, "A")]),
        (["S-A", "E-A"], [(0, 1, "A"), (1, 2, "A")]),
        (["B-A", "S-A"], [(0, 1, "A"), (1, 2, "A")]),
        (["B-A", "M-A"], [(0, 2, "A")]),
        (["DET", "NOUN", "NOUN", "O", "-LRB-"], [(0, 1, "DET"), (1, 2, "NOUN"), (2, 3, "NOUN"), (4, 5, "-LRB-")]),
        (["B-A", "X-A", "I-A", "b-A"], [(0, 1, "A"), (1, 2, "X-A"), (2, 3, "A"), (3, 4, "b-A")]),
        (["B", "M", "E", "S"], [(0, 3, ""), (3, 4, "")]),
        ([], []),
    ],
)
def test_a_lenient_reading_closes_what_is_broken(labels: list[str], spans: list[LabelSpan]) -> None:
    assert lenient_spans_of(labels) == spans


def conlleval_starts(labels: list[str]) -> list[int]:
    """Return where ``conlleval`` sees chunks begin: its table of letters for B, I and O, and the change of type."""
    table = {("B", "B"), ("I", "B"), ("O", "B"), ("O", "I")}
    pairs = [label.partition("-") for label in ["O", *labels]]
    return [
        place
        for place, ((last, _, last_kind), (letter, _, kind)) in enumerate(itertools.pairwise(pairs))
        if (last, letter) in table or (letter != "O" and kind != last_kind)
    ]


@given(st.lists(st.sampled_from(names_of("BIO")), max_size=7))
def test_bio_is_read_leniently_as_conlleval_does(labels: list[str]) -> None:
    assert [start for start, _, _ in lenient_spans_of(labels)] == conlleval_starts(labels)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_foreign_label_is_named(scheme: Scheme) -> None:
    for label in ("X-PER", "NOUN", "O-PER", ""):
        with pytest.raises(UsageError, match=f"'{label}' is none of {scheme}"):
            keep_masks(["O", label], scheme)
    foreign = "M-PER" if scheme != "BMES" else "I-PER"
    with pytest.raises(UsageError, match="is none of"):
        spans_of([foreign], scheme)


@pytest.mark.parametrize("spans", [[(1, 1, "A")], [(2, 5, "A")], [(-1, 1, "A")], [(0, 2, "A"), (1, 3, "B")]])
def test_spans_that_no_labels_can_say_are_refused(spans: list[LabelSpan]) -> None:
    with pytest.raises(UsageError, match="is empty, overlaps another or leaves 0 to 4"):
        labels_of(spans, 4, "BIO")


@pytest.mark.parametrize(
    ("names", "scheme"),
    [
        (["O", "B-PER", "I-PER"], "BIO"),
        (["O", "I-PER", "I-LOC"], "IOB1"),
        (["O", "B-PER", "I-PER", "E-PER", "S-PER"], "BIOES"),
        (["O", "B-PER", "E-PER", "S-PER"], "BIOES"),
        (["O", "B-PER", "I-PER", "L-PER", "U-PER"], "BILOU"),
        (["O", "B-NAME", "M-NAME", "E-NAME", "S-NAME"], "BMES"),
        (list("BMES"), "BMES"),
        (list("BES"), "BMES"),
        (["O", "B-PER"], "BIO"),
        (["O"], "BIO"),
        (["NOUN", "VERB", "ADJ"], None),
        (["O", "B-PER", "NOUN"], None),
        (["B-PER", "M-PER", "I-PER"], None),
        ([], None),
    ],
)
def test_a_scheme_is_known_by_its_labels(names: list[str], scheme: Scheme | None) -> None:
    assert scheme_of(names) == scheme


@given(spans_in_a_sequence(), schemes)
def test_the_scheme_that_is_recognised_reads_the_same_spans(drawn: tuple[list[LabelSpan], int], scheme: Scheme) -> None:
    spans, length = drawn
    labels = labels_of(spans, length, scheme)
    found = scheme_of_sequences([labels])
    assert found is None if not labels else found is not None and spans_of(labels, found) == spans


def test_sequences_tell_iob1_from_bio() -> None:
    assert scheme_of_sequences([["I-A", "B-A"], ["O", "I-B"]]) == "IOB1"
    assert scheme_of_sequences([["B-A", "I-A"], ["O", "B-B"]]) == "BIO"
    # Neither: a span begins with I here, and with B after O there; read as BIO, whose faults are then reported.
    assert scheme_of_sequences([["I-A"], ["O", "B-B"]]) == "BIO"
    assert scheme_of_sequences([["NOUN"], ["VERB", "O"]]) is None
    # One slip does not make BIO of what is IOB1 elsewhere, nor the other way round.
    assert scheme_of_sequences([["I-A", "B-A"], ["O", "I-B"], ["O", "B-B"]]) == "IOB1"
    assert scheme_of_sequences([["O", "B-A"], ["B-B"], ["O", "I-B"]]) == "BIO"


@pytest.mark.parametrize(
    ("counts", "scheme"),
    [
        ({"O": 1100, "B-A": 60, "I-A": 39, "X-A": 1}, "BIO"),
        ({"O": 9, "B-A": 3, "b-A": 1}, "BIO"),
        ({"o": 9, "b-A": 3, "i-A": 1}, "BIO"),
        ({"O": 9, "B-A": 5, "I-A": 1, "M-A": 2, "E-A": 4, "S-A": 2}, "BMES"),
        ({"B": 4, "M": 2, "E": 4, "S": 3, "X": 1}, "BMES"),
        ({"DET": 3, "NOUN": 3, "B-A": 2}, None),
        ({"n": 3, "m": 2, "s": 2, "b": 1}, None),  # parts of speech of one small letter
        ({"O": 3}, None),
        ({}, None),
    ],
)
def test_most_labels_say_which_scheme_was_meant(counts: dict[str, int], scheme: Scheme | None) -> None:
    assert likely_scheme(counts) == scheme


def test_what_is_foreign_to_a_scheme() -> None:
    assert foreign_to("BIOES", ["O", "B-A", "M-A", "S", "O-A", "NOUN", ""]) == ["M-A", "O-A", "NOUN", ""]
