"""Queries in pieces, and which of them differ in nothing but their writing."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.text.sql import is_ordered, normal_form, pieces, spaced


def test_pieces_of_every_kind() -> None:
    sql = "SELECT `a b`, MAX( T.c )FROM T -- why\nWHERE d>=1.5e3 AND e = 'it''s' /* or */ OR f<>\"x y\";"
    found = list(pieces(sql))
    assert all(sql[one.start : one.start + len(one.text)] == one.text for one in found)
    assert [one.text for one in found if one.kind == "word"] == (
        ["SELECT", "`a b`", "MAX", "T", "c", "FROM", "T", "WHERE", "d", "AND", "e", "OR", "f"]
    )
    assert [one.text for one in found if one.kind == "number"] == ["1.5e3"]
    assert [one.content for one in found if one.kind == "text"] == ["it's", "x y"]
    assert [one.text for one in found if one.kind == "sign"] == [",", "(", ".", ")", ">=", "=", "<>", ";"]


def test_a_quote_left_open_ends_with_the_query() -> None:
    *_, last = pieces("SELECT 'a b")
    assert (last.kind, last.content) == ("text", "a b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM b ;", "select  A\nfrom B"),
        ("SELECT a FROM b WHERE c != 'x'", 'SELECT a FROM b WHERE c<>"x";'),
        ("SELECT T1.a FROM t AS T1 , t AS T2 WHERE T2.b = 3", "SELECT T5.a FROM t AS T5, t AS T4 WHERE T4.b=3"),
        ("SELECT COUNT(*) FROM b", "SELECT count( * ) /* all */ FROM b -- done"),
        ("SELECT `a` FROM [b]", "SELECT a FROM b"),
    ],
)
def test_only_the_writing_differs(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM b WHERE c = 'x'", "SELECT a FROM b WHERE c = 'X'"),
        ("SELECT a FROM b WHERE c = 'x y'", "SELECT a FROM b WHERE c = 'x  y'"),
        ("SELECT T1.a FROM t AS T1 , t AS T2", "SELECT T2.a FROM t AS T1 , t AS T1"),
        ("SELECT line1 FROM t", "SELECT line2 FROM t"),  # no name that AS gives: columns
        ("SELECT 'a' FROM b", "SELECT a FROM b"),
        ("SELECT 1 FROM b", "SELECT '1' FROM b"),
        ("SELECT a FROM b", "SELECT b FROM a"),
    ],
)
def test_more_than_the_writing_differs(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


def test_an_order_counts_outside_of_parentheses_only() -> None:
    assert is_ordered("SELECT a FROM b order  by a")
    assert not is_ordered("SELECT a FROM b WHERE c = ( SELECT d FROM e ORDER BY d LIMIT 1 )")
    assert not is_ordered("SELECT a FROM b WHERE c = 'ORDER BY'")


@given(st.text(alphabet="aB1 '\"`[].,;-/*\n=<>()中", max_size=40))
def test_every_text_can_be_cut(sql: str) -> None:
    found = list(pieces(sql))
    ends = [(one.start, one.start + len(one.text)) for one in found]
    assert ends == sorted(ends)
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(ends))
    assert isinstance(normal_form(sql), str)


@given(st.text(max_size=20), st.sampled_from("'\""))
def test_a_quoted_text_says_what_it_was_given(content: str, quote: str) -> None:
    (piece,) = pieces(f"{quote}{quote}")
    (again,) = pieces(piece.saying(content))
    assert (again.kind, again.content) == ("text", content)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT MAX(T.a)FROM b AS T", "SELECT MAX ( T.a ) FROM b AS T"),
        ("SELECT a.b.c,d . e", "SELECT a.b.c , d.e"),
        ("SELECT 'a b'>=1.5", "SELECT 'a b' >= 1.5"),
        (".a.", ".a."),
        ("", ""),
    ],
)
def test_pieces_with_blanks_between_them(sql: str, expected: str) -> None:
    assert spaced((piece, piece.text) for piece in pieces(sql)) == expected


@given(st.text(alphabet="aT0.,()'\" =;", max_size=23))
def test_blanks_between_pieces_change_no_query(sql: str) -> None:
    once = spaced((piece, piece.text) for piece in pieces(sql))
    again = spaced((piece, piece.text) for piece in pieces(once))
    assert again == once or "." in sql  # a dot and a number behind a blank may become one piece
