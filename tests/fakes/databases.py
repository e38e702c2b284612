"""A small database of towers, and questions about it."""

import functools
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

TOWERS = (
    ("Etemenanki", "Babylon", 91, 7.0),
    ("Great Ziggurat", "Ur", 30, 3.0),
    ("White Temple", "Uruk", 13, None),
    ("Choga Zanbil", "Susa", 24, 5.0),
)


def tower_database(path: Path) -> Path:
    """Write a database of two tables: towers of four cities, and the rivers of two."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE tower (tower_name text, city_name text, height int, steps double)")
        connection.execute("CREATE TABLE river (river_name text, city_name text)")
        connection.executemany("INSERT INTO tower VALUES (?, ?, ?, ?)", TOWERS)
        connection.executemany("INSERT INTO river VALUES (?, ?)", [("Euphrates", "Babylon"), ("Euphrates", "Ur")])
        connection.commit()
    return path


@functools.cache
def asked_database() -> Path:
    """One of these for tests that only ask; it is gone when all are over."""
    folder = tempfile.TemporaryDirectory(prefix="towers-")
    _KEPT.append(folder)
    return tower_database(Path(folder.name) / "towers.sqlite")


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
