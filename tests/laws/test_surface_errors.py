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
from ziggurat.surface.chinese.errors import messages, places, words
from ziggurat.surface.cli import main
from ziggurat.surface.errors import LONGEST, spoken
from ziggurat.surface.language import speaking

HAN = re.compile("[\u4e00-\u9fff]")
PACKAGE = Path(__file__).resolve().parents[2] / "src" / "ziggurat"
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
PARSER = re.compile(r"missing (argument|option) |option '|got unexpected|invalid value for |Input should be ")
"""How sentences begin that the parser of options makes."""
VALUES = ("my: file (old).txt", "it's", "from 2019 to 2020", "interrupted", "a; b")
"""What users call things: signs and words that sentences are made of."""

NUMBERS = (
    "rotary_numbers must be {} positive numbers where rotary_stretch is {}",
    "{}:{}: give {} words, not {}",
    "{}give {} words, not {}",
)
"""Sentences that such a name would make into others; their values are numbers or keys."""


def own(sentence: str) -> int:
    """Letters of a sentence that are no value's."""
    return sum(letter.isalnum() for literal, *_ in string.Formatter().parse(sentence) for letter in literal)


def count(sentence: str) -> int:
    return sum(name is not None for _, name, *_ in string.Formatter().parse(sentence))


def marks(chinese: str) -> dict[int, str]:
    """How each value is written that the Chinese holds: as it is, or by a mark."""
    return {int(name): str(mark) for _, name, mark, _ in string.Formatter().parse(chinese) if name}


@pytest.mark.parametrize("room", ROOMS)
def test_every_error_of_a_room_is_said_in_chinese(room: str) -> None:
    sentences = {sentence for sentence in raised(PACKAGE / room) if own(sentence)}
    assert len(sentences) > 5
    assert sorted(sentences - messages().keys()) == []


def test_what_the_log_says_on_the_way_is_said_in_chinese() -> None:
    sentences = set(logged(PACKAGE))
    assert len(sentences) > 20
    assert sorted(sentences - messages().keys()) == []


def test_every_kind_of_name_that_may_be_unknown_is_a_word() -> None:
    kinds = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in BUILT and node.args:
                kinds |= {kind for kind in patterns(node.args[0]) if kind != "{}" and "{}" not in kind}
    assert len(kinds) > 10
    assert sorted(kinds - words().keys() - messages().keys()) == []


def test_no_entry_has_outlived_its_sentence() -> None:
    known = written(PACKAGE) | {os.strerror(number) for number in range(1, 130)}
    entries = [*messages(), *words(), *places()]
    gone = [english for english in entries if english not in known and not PARSER.match(english)]
    # what the source puts together of several strings stands there by its pieces
    pieces = {piece for sentence in known for piece in sentence.split("{}")}
    assert [one for one in gone if not all(any(part in piece for piece in pieces) for part in one.split("{}"))] == []
    assert len(gone) < 40


def test_no_sentence_stands_in_two_files() -> None:
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("chinese/errors/*.toml")]
    entries = [english for table in tables for kind in table.values() for english in kind]
    assert len(entries) == len(set(entries)) == len(messages()) + len(words()) + len(places())


def test_every_entry_is_chinese_and_says_each_value_once_at_most() -> None:
    for english, chinese in messages().items():
        used = [name for _, name, *_ in string.Formatter().parse(chinese) if name is not None]
        assert len(set(used)) == len(used), chinese
        assert all(name.isdigit() and int(name) < count(english) for name in used), chinese
        assert set(marks(chinese).values()) <= {"", "word", "place", "list"}, chinese
        assert HAN.search(chinese) or english.startswith("--"), chinese
    assert all(HAN.search(chinese) for chinese in [*words().values(), *places().values()])


@pytest.mark.parametrize("value", ["⟨{}⟩", *VALUES])
def test_every_sentence_is_recognised_by_its_own_words(value: str) -> None:
    with speaking("zh"):
        for english, chinese in messages().items():
            if (
                english in NUMBERS
                or "{}{}" in english
                or any(piece and piece in value for piece in english.split("{}")[1:])
            ):
                continue  # nobody can tell where one value ends
            ours = {place for place, mark in marks(chinese).items() if mark in ("word", "list")}
            values = [value.format(place) for place in range(count(english))]
            said = ["interrupted" if place in ours else one for place, one in enumerate(values)]
            told = ["已中断" if place in ours else one for place, one in enumerate(values)]
            assert spoken(english.format(*said)) == chinese.format(*map(_Plain, told)), english


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


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        # what is ours is read in its turn
        ("stopped at step 5; go on with: ziggurat x", "已在第 5 步停止；要继续，请运行：ziggurat x"),
        ("a.txt: Permission denied", "a.txt：没有权限"),
        ("standard input:3: no sentence; each line is x", "标准输入:3：没有句子；每行应为 x"),
        (
            "the arrays do not fit config.json: 'a' is missing; 'b' is not known",
            "数组与 config.json 不符：'a' 缺失；'b' 未知",
        ),
        ("--out: unknown file ending '.x'; known: .png", "--out：没有名为 '.x' 的文件后缀；已有：.png"),
        # a key of the Python API, which the command line writes as its option
        ("--top-p: must be from 0 to 1, got 2", "--top-p：必须在 0 到 1 之间，实际为 2"),
        # what is the user's stays, whatever it is called
        ("unknown label 'it's'; known: a, b", "没有名为 'it's' 的标签；已有：a, b"),
        ("unknown key 'interrupted'; known: text", "没有名为 'interrupted' 的键；已有：text"),
        ("interrupted: no such file or folder", "interrupted：没有这个文件或文件夹"),
        ("interrupted", "已中断"),
        ("my: file.txt: no such file or folder", "my: file.txt：没有这个文件或文件夹"),
        ("from 2019 to 2020.csv: no such file or folder", "from 2019 to 2020.csv：没有这个文件或文件夹"),
        ("text: no text in it", "text：其中没有文本"),
        # what nobody of us wrote too
        ("a sentence that nobody wrote", "a sentence that nobody wrote"),
        ("here: a sentence that nobody wrote", "here: a sentence that nobody wrote"),
    ],
)
def test_what_is_ours_is_read_and_what_is_the_user_s_stays(english: str, chinese: str) -> None:
    with speaking("zh"):
        assert spoken(english) == chinese
    assert spoken(english) == english


def test_no_message_takes_long_to_read() -> None:
    began = time.perf_counter()
    with speaking("zh"):
        assert spoken(f"{'a: ' * 7}b: no such file or folder").endswith("b：没有这个文件或文件夹")
        assert spoken(": " * 900) == ": " * 900
        for part in ("a:b: c; ", "x: y; z (", "salt and ", "; ", "'"):
            spoken(f"unexpected ValueError: {part * 200}; ZIGGURAT_TRACEBACK=1 shows where")
            spoken(f"r.toml: parts: expected a list, got {part * 180}")
        assert spoken("x" * (LONGEST + 1)) == "x" * (LONGEST + 1)
    assert time.perf_counter() - began < 30  # a second or two; without end where each colon doubles the work
