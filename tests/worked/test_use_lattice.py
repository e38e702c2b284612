"""Lattices: the form of Sphinx, the best sentences against all ways, and damaged files."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes.lattices import drawn, ways
from ziggurat.core.errors import InputError
from ziggurat.use.lattice import Edge, Lattice, read_lattice

SPHINX = """# getcwd: /this/is/bogus
# -logbase 1.000100e+00
#
Frames 30
#
Nodes 6 (NODEID WORD STARTFRAME FIRST-ENDFRAME LAST-ENDFRAME)
0 </s> 25 29 29 ; 0
1 man(2) 15 20 24 ; 0
2 <sil> 12 14 14 ; 0
3 men 15 20 24 ; 0
4 young 3 11 14 ; 0
5 <s> 0 2 2 ; 0
#
Initial 5
Final 0
#
BestSegAscr 0 (NODEID ENDFRAME ASCORE)
#
Edges (FROM-NODEID TO-NODEID ASCORE)
5 4 -10000
4 1 -30000
4 2 -10000
2 1 -15000
2 3 -10000
1 0 -20000
3 0 -20000
End
"""
UNIT = np.log(1.0001)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "young.lat"
    path.write_text(SPHINX, encoding="utf-8")
    return path


def test_a_lattice_of_sphinx(written: Path) -> None:
    lattice = read_lattice(written)
    assert lattice.words == ("", "man", "", "men", "young", "")
    assert (lattice.first, lattice.last, len(lattice.edges)) == (5, 0, 7)
    # young men: -10000 - 10000 - 10000 - 20000; young man: by the silence -10000 - 10000 - 15000 - 20000
    found = lattice.sentences(9)
    assert [one.words for one in found] == [("young", "men"), ("young", "man")]
    assert [one.acoustic for one in found] == pytest.approx([-50000 * UNIT, -55000 * UNIT])
    assert lattice.acoustic_of(["young", "man"]) == pytest.approx(-55000 * UNIT)
    assert lattice.acoustic_of(["young"]) is None
    assert lattice.acoustic_of(["young", "woman"]) is None
    assert lattice.acoustic_of([]) is None


@pytest.mark.parametrize("seed", range(23))
@pytest.mark.parametrize("bonus", [0.0, 300.0, -300.0])
def test_the_best_sentences_are_those_of_all_ways(seed: int, bonus: float) -> None:
    lattice = drawn(seed)
    best: dict[tuple[str, ...], float] = {}
    for said, score in ways(lattice, 0, (), 0.0):
        best[said] = max(score, best.get(said, -np.inf))
    found = lattice.sentences(10_000, word_bonus=bonus)
    assert {one.words: one.acoustic for one in found} == pytest.approx(best)
    worth = [one.acoustic + bonus * len(one.words) for one in found]
    assert worth == sorted(worth, reverse=True)
    assert lattice.sentences(5, word_bonus=bonus) == found[:5]
    for one in found:
        assert lattice.acoustic_of(one.words) == pytest.approx(one.acoustic)


def test_nodes_come_after_all_that_lead_to_them(written: Path) -> None:
    lattice = read_lattice(written)
    place = {node: number for number, node in enumerate(lattice.in_order())}
    assert all(place[edge.start] < place[edge.end] for edge in lattice.edges)
    assert [edge.end for edge in lattice.out(4)] == [1, 2]
    assert lattice.out(0) == []


def test_no_way_leads_through() -> None:
    lattice = Lattice(("", "a", ""), (Edge(0, 1, -1.0),), 0, 2)
    assert lattice.sentences(3) == []


def test_edges_lead_forward_to_nodes_that_there_are() -> None:
    with pytest.raises(InputError, match="no node 7; nodes are 0 to 2"):
        Lattice(("", "a", ""), (Edge(0, 7, -1.0),), 0, 2)
    with pytest.raises(InputError, match="leads in a circle"):
        Lattice(("", "a", "b", ""), (Edge(0, 1, -1.0), Edge(1, 2, -1.0), Edge(2, 1, -1.0), Edge(2, 3, -1.0)), 0, 3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("5 4 -10000", "5 x -10000", r"young.lat:20: '5 x -10000' does not belong in a lattice of Sphinx"),
        ("5 4 -10000", "5 4", r"young.lat:20: '5 4' does not belong"),
        ("1.000100e+00", "-1", r"young.lat:2: '# -logbase -1' does not belong"),
        ("# -logbase 1.000100e+00\n", "", r"young.lat: no whole lattice of Sphinx"),
        ("End\n", "", r"young.lat: no whole lattice of Sphinx"),
        ("Final 0\n", "", r"young.lat: no whole lattice of Sphinx"),
        ("3 men", "7 men", r"young.lat: its nodes are not numbered from 0 on"),
        ("5 4 -10000", "5 9 -10000", r"young.lat: lattice: there is no node 9"),
        ("2 3 -10000", "2 3 -10000\n3 2 -1", r"young.lat: lattice: it leads in a circle"),
    ],
)
def test_damaged_lattices(old: str, new: str, message: str, written: Path) -> None:
    assert old in SPHINX
    written.write_text(SPHINX.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_lattice(written)


def test_files_that_are_no_lattices(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: can't be read"):
        read_lattice(tmp_path / "none")
    (tmp_path / "noise").write_bytes(bytes(range(256)))
    with pytest.raises(InputError, match=r"noise: can't be read \(it is not UTF-8\)"):
        read_lattice(tmp_path / "noise")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(InputError, match=r"empty: no whole lattice"):
        read_lattice(tmp_path / "empty")
