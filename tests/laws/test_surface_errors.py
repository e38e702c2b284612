"""Whatever ends a command is said in Chinese too: the catalogue has every sentence of the source, and nothing else."""

import ast
import os
import re
import string
import time
import tomllib
from pathlib import Path

import pytest

from tests.fakes.sentences import BUILT, logged, patterns, raised, written
from ziggurat.surface.chinese.errors import messages, words
from ziggurat.surface.cli import main
from ziggurat.surface.errors import MANY, spoken
from ziggurat.surface.language import speaking

HAN = re.compile("[\u4e00-\u9fff]")
ROOMS = ("artefacts", "core", "judge", "models", "study", "surface", "text", "tokens", "training", "use")
ELSEWHERE = re.compile(r"missing (argument|option) |option '|got unexpected|invalid value for |Input should be ")
"""How sentences begin that the parser of options makes."""


def own(sentence: str) -> int:
    """Letters of a sentence that are no value's."""
    return sum(letter.isalnum() for literal, *_ in string.Formatter().parse(sentence) for letter in literal)


def places(sentence: str) -> int:
    return sum(name is not None for _, name, *_ in string.Formatter().parse(sentence))


@pytest.fixture(scope="module")
def package(repository: Path) -> Path:
    return repository / "src" / "ziggurat"


@pytest.mark.parametrize("room", ROOMS)
def test_every_error_of_a_room_is_said_in_chinese(room: str, package: Path) -> None:
    sentences = {sentence for sentence in raised(package / room) if own(sentence)}
    assert len(sentences) > 5
    assert sorted(sentences - messages().keys()) == []


def test_what_the_log_says_on_the_way_is_said_in_chinese(package: Path) -> None:
    sentences = set(logged(package))
    assert len(sentences) > 15
    assert sorted(sentences - messages().keys()) == []


def test_every_kind_of_name_that_may_be_unknown_is_a_word(package: Path) -> None:
    kinds = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in BUILT and node.args:
                kinds |= {kind for kind in patterns(node.args[0]) if kind != "{}" and "{}" not in kind}
    assert len(kinds) > 10
    assert sorted(kinds - words().keys() - messages().keys()) == []


def test_no_entry_has_outlived_its_sentence(package: Path) -> None:
    known = written(package) | {os.strerror(number) for number in range(1, 130)}
    pieces = {piece for sentence in known for piece in sentence.split("{}")}
    entries = [english for english in [*messages(), *words()] if not ELSEWHERE.match(english)]
    # sentences that a class or a clause puts together stand in the source by their pieces
    gone = [
        english
        for english in entries
        if english not in known and not all(any(piece in one for one in pieces) for piece in english.split("{}"))
    ]
    assert gone == []


def test_no_sentence_stands_in_two_files(package: Path) -> None:
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in package.rglob("chinese/errors/*.toml")]
    entries = [english for table in tables for kind in table.values() for english in kind]
    assert len(entries) == len(set(entries)) == len(messages()) + len(words())


def test_every_entry_is_chinese_and_says_each_value_once_at_most() -> None:
    for english, chinese in messages().items():
        used = [name for _, name, *_ in string.Formatter().parse(chinese) if name is not None]
        assert len(set(used)) == len(used), chinese
        assert all(name.isdigit() and int(name) < places(english) for name in used), chinese
        assert HAN.search(chinese) or own(english) < MANY, chinese
    assert all(HAN.search(chinese) for chinese in words().values())


def test_every_sentence_is_recognised_by_its_own_words() -> None:
    with speaking("zh"):
        for english, chinese in messages().items():
            if own(english) < MANY:
                continue
            values = [f"⟨{place}⟩" for place in range(places(english))]
            assert spoken(english.format(*values)) == chinese.format(*map(_Plain, values)), english


class _Plain(str):
    """A value as it is, whatever kind the entry takes it for."""

    __slots__ = ()

    def __format__(self, kind: str) -> str:
        return str(self)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "--stepz", "3"], "错误: 没有名为 '--stepz' 的选项；是否指 '--steps'？"),
        (["train", "x", "--steps", "3", "--minutes", "1"], "错误: --minutes、--steps：请只给出一种预算，而不是 2 种"),
        (["generate"], "错误: 缺少参数 'bundle'"),
        (["generate", "nowhere", "--max-tokens", "x"], "错误: '--max-tokens' 的值无效：应当是整数"),
    ],
)
def test_the_command_line_fails_in_chinese(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--lang", "zh"]) == 2
    assert capsys.readouterr().err.strip() == expected
    assert main([*arguments, "--lang", "en"]) == 2
    assert not HAN.search(capsys.readouterr().err)


def test_a_key_that_is_written_as_its_option_is_known_as_the_key() -> None:
    with speaking("zh"):
        found = spoken("--top-p: must be above 0, got -1.0")
    assert found.startswith("--top-p")
    assert HAN.search(found)


def test_a_name_that_is_spelled_as_a_sentence_stays_a_name() -> None:
    with speaking("zh"):
        assert spoken("unknown key 'interrupted'; known: text") == "没有名为 'interrupted' 的键；已有：text"
        assert spoken("interrupted: no such file or folder") == "interrupted：没有这个文件或文件夹"
        assert spoken("interrupted") == "已中断"


def test_what_has_no_entry_stays_as_it_is() -> None:
    with speaking("zh"):
        assert spoken("a sentence that nobody wrote") == "a sentence that nobody wrote"
        assert spoken("here: a sentence that nobody wrote") == "here: a sentence that nobody wrote"


def test_a_sentence_of_many_colons_is_read_at_once() -> None:
    place = "a: " * 40 + "b"
    began = time.perf_counter()
    with speaking("zh"):
        assert spoken(f"{place}: no such file or folder").endswith("b：没有这个文件或文件夹")
        spoken(f"unexpected ValueError: {'x: y; z (' * 30}; ZIGGURAT_TRACEBACK=1 shows where")
        assert spoken(": " * 900) == ": " * 900
    assert time.perf_counter() - began < 20  # a fraction of a second; without end where each colon doubles the work
