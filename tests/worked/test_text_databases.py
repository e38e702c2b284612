"""Schemas and stored values of small databases, and what is refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.databases import tower_database
from tests.fakes.tagging import written
from ziggurat.core.errors import InputError
from ziggurat.text.databases import Column, Schema, is_database, open_database, read_schema, stored_values

LISTED = """Table Name, Field Name, Is Primary Key, Type
TOWER, TOWER_NAME, y, varchar(255)
TOWER, HEIGHT, n, int(11)
-, -, -, -
RIVER, RIVER_NAME, y
"""


def test_the_schema_of_a_database(tmp_path: Path) -> None:
    schema = read_schema(tower_database(tmp_path / "a b?.sqlite"))  # signs that mean something in an address
    assert list(schema.tables) == ["tower", "river"]
    assert [(one.name, one.type.lower()) for one in schema.tables["tower"][2:]] == [
        ("height", "int"),
        ("steps", "double"),
    ]
    assert schema.columns == ("CITY_NAME", "HEIGHT", "RIVER_NAME", "STEPS", "TOWER_NAME")


def test_a_schema_that_is_listed(tmp_path: Path) -> None:
    schema = read_schema(written(tmp_path / "a.csv", LISTED))
    assert schema.tables["TOWER"] == (Column("TOWER_NAME", "varchar(255)"), Column("HEIGHT", "int(11)"))
    assert schema.tables["RIVER"] == (Column("RIVER_NAME"),)


def test_two_schemas_of_one_database() -> None:
    one = Schema({"tower": (Column("height"),)})
    other = Schema({"TOWER": (Column("HEIGHT"), Column("STEPS")), "LAKE": (Column("AREA"),)})
    merged = one.merged(other)
    assert merged.tables == {"tower": (Column("height"), Column("STEPS")), "LAKE": (Column("AREA"),)}
    assert one.tables == {"tower": (Column("height"),)}


def test_every_stored_text_with_its_columns(tmp_path: Path) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO river VALUES ('Babylon', NULL)")
        connection.commit()
    values = stored_values(path)
    assert values["Babylon"] == "city_name_or_river_name"
    assert values["Euphrates"] == "river_name"
    assert list(values) == sorted(values)
    assert len(values) == 4 + 4 + 1


def test_columns_with_more_texts_than_can_be_looked_for_are_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    names = stored_values(path, most_distinct=5)
    assert sorted(names.values()) == ["river_name", *["tower_name"] * 4]
    assert "column city_name of table tower is passed over: with it there are more than 5 different" in caplog.text
    assert stored_values(path, most_distinct=3) == {
        "Babylon": "city_name",
        "Euphrates": "river_name",
        "Ur": "city_name",
    }


def test_a_view_of_what_is_gone_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE lake (name); CREATE VIEW deep AS SELECT name FROM lake; DROP TABLE lake")
    assert list(read_schema(path).tables) == ["tower", "river"]
    assert "deep is passed over: it can't be read (no such table: main.lake)" in caplog.text
    assert len(stored_values(path)) == 9


def test_a_view_that_fails_when_it_is_read_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        least = "height - height - 9223372036854775807 - 1"  # whose absolute value no whole number holds
        connection.executescript(f"CREATE VIEW deep AS SELECT abs({least}) || '' AS sum FROM tower")  # noqa: S608
    assert len(stored_values(path)) == 9
    assert "deep is passed over: it can't be read (integer overflow)" in caplog.text


def test_nothing_is_written(tmp_path: Path) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    before = path.read_bytes()
    with pytest.raises(InputError, match="readonly"), open_database(path) as connection:
        connection.execute("DELETE FROM tower")
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.sqlite"]


def test_text_that_is_no_utf8_is_kept(tmp_path: Path) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO river VALUES (CAST(x'41ff' AS text), NULL)")
        connection.commit()
    assert "A\udcff" in stored_values(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "a.csv: no table; give an SQLite file"),
        ("Table Name, Field Name\n-, -\n", "a.csv: no table"),
        ("Table, Column\nA, B\n", "a.csv:1: the header names no table and field"),
        (LISTED + "LAKE\n", "a.csv:6: 1 cells; a line is"),
        (LISTED + "LAKE, , n, int\n", "a.csv:6: a table or field without a name"),
        (LISTED + 'LAKE, "AR"EA\n', "a.csv:6: not a table"),
    ],
)
def test_what_is_no_schema(tmp_path: Path, content: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_schema(written(tmp_path / "a.csv", content))
    assert fault in str(caught.value)


def test_what_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.sqlite: can't be read"), open_database(tmp_path / "gone.sqlite"):
        pass
    with pytest.raises(InputError, match="can't be read"), open_database(tmp_path):
        pass
    with (
        pytest.raises(InputError, match=r"a\.csv: not an SQLite file"),
        open_database(written(tmp_path / "a.csv", LISTED)),
    ):
        pass
    with pytest.raises(InputError, match=r"gone\.csv"):
        read_schema(tmp_path / "gone.csv")


@pytest.mark.parametrize("kept", [16, 100, 4096 + 7])
def test_a_database_cut_short(tmp_path: Path, kept: int) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"a\.sqlite"):
        stored_values(path)


def test_a_database_with_zeros_in_its_middle(tmp_path: Path) -> None:
    path = tower_database(tmp_path / "a.sqlite")
    content = bytearray(path.read_bytes())
    content[4096:8192] = bytes(4096)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.sqlite: (damaged|can't be read now)"):
        stored_values(path)


def test_it_is_told_from_the_content_whether_a_file_is_a_database(tmp_path: Path) -> None:
    listed = tmp_path / "schema.sqlite"
    listed.write_text(LISTED, encoding="utf-8")
    assert is_database(tower_database(tmp_path / "towers.csv"))
    for other in (listed, tmp_path, tmp_path / "nowhere.sqlite"):
        assert not is_database(other)
