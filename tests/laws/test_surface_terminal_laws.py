"""Laws of what is shown: columns, counts, lengths of time, languages and settings, whatever the values are."""

import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ziggurat.core.config import parse_value
from ziggurat.surface import language
from ziggurat.surface.api import run_name
from ziggurat.surface.chinese import SENTENCES
from ziggurat.surface.cli.settings import split_settings
from ziggurat.surface.progress import duration, thousands
from ziggurat.surface.report.page import size
from ziggurat.surface.terminal import Terminal, align, width_of

few = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

CELLS = st.text(st.sampled_from("ab 7.塔楼，é\u0301ｗ"), max_size=9).map(str.strip)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    columns = draw(st.integers(1, 5))
    return draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), min_size=1, max_size=7))


@few
@given(tables())
def test_the_last_column_of_numbers_ends_at_one_place(rows: list[list[str]]) -> None:
    lines = align(rows).split("\n")
    assert len(lines) == len(rows)
    columns = len(rows[0])
    if columns > 1:
        ends = {width_of(line) for line, row in zip(lines, rows, strict=True) if row[-1]}
        assert len(ends) <= 1
    for line, row in zip(lines, rows, strict=True):
        assert line == line.rstrip()
        assert re.sub(r"\s+", "", line) == re.sub(r"\s+", "", "".join(row))


@few
@given(tables())
def test_columns_of_words_begin_at_one_place(rows: list[list[str]]) -> None:
    lines = align(rows, numbers=False).split("\n")
    place = 0
    for column in range(len(rows[0])):
        widest = max(width_of(row[column]) for row in rows)
        for line, row in zip(lines, rows, strict=True):
            if row[column]:
                head = next(line[:n] for n in range(len(line) + 1) if width_of(line[:n]) == place)
                # a combining mark takes no column: it may stand on either side of the border
                assert line.removeprefix(head).lstrip("\u0301").startswith(row[column].lstrip("\u0301"))
        place += widest + 2


@few
@given(st.text(st.sampled_from("ab塔楼\u0301ｗ")), st.text(st.sampled_from("ab塔楼\u0301ｗ")))
def test_widths_add_up(one: str, other: str) -> None:
    assert width_of(one + other) == width_of(one) + width_of(other)


@few
@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_a_longer_time_never_reads_shorter(one: int, other: int) -> None:
    def seconds(shown: str) -> int:
        units = {"h": 3600, "min": 60, "s": 1}
        return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+) (h|min|s)", shown))

    low, high = sorted((one, other))
    assert seconds(duration(low)) <= seconds(duration(high))
    # nothing but seconds below a minute is left out where hours are told
    assert 0 <= low - seconds(duration(low)) < (60 if low >= 3600 else 1)


@few
@given(st.floats(0, 1e12))
def test_counts_are_right_to_a_digit(value: float) -> None:
    shown = thousands(value)
    number, _, unit = shown.replace(",", "").partition(" ")
    factor = {"": 1.0, "M": 1e6, "G": 1e9}[unit]
    assert float(number) * factor == pytest.approx(value, abs=0.51 * factor / (1 if not unit else 10))


@few
@given(st.floats(0, 1e14))
def test_sizes_are_right_to_a_digit(value: float) -> None:
    number, unit = size(value).split()
    factor = {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
    assert float(number) * factor == pytest.approx(value, abs=0.51 * factor / (1 if unit == "B" else 10))
    assert unit == "GB" or float(number) <= 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc塔", min_size=1), inner, max_size=3),
    max_leaves=9,
)  # fmt: skip


@few
@given(st.dictionaries(st.sampled_from(["text", "塔", "rows"]), JSON))
def test_what_is_written_as_json_is_one_line_that_reads_back(
    capsys: pytest.CaptureFixture[str], content: dict[str, object]
) -> None:
    Terminal().write_json(content)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert found.pop("version") >= 1
    assert found == content


KEYS = st.from_regex(r"[a-z]{1,7}\.[a-z_]{1,9}", fullmatch=True)
VALUES = st.sampled_from(["3", "-1", "1e-3", "true", "bpe", "[1, 2]", "a b", "塔", "x=y"])
PLAIN_NAMES = ("a.txt", "-", "b/", "塔.txt", "a=b")
PLAIN = st.sampled_from(PLAIN_NAMES)


@few
@given(st.dictionaries(KEYS, VALUES, max_size=5), st.lists(PLAIN, max_size=4), st.data())
def test_settings_are_found_wherever_they_stand(flags: dict[str, str], plain: list[str], data: st.DataObject) -> None:
    written = [
        [f"--{key}={value}"] if data.draw(st.booleans()) else [f"--{key}", value] for key, value in flags.items()
    ]
    parts = [*written]
    for name in plain:  # the order among the plain ones is kept, the flags stand anywhere
        after = [index for index, part in enumerate(parts) if part[0] in PLAIN_NAMES]
        parts.insert(data.draw(st.integers(after[-1] + 1 if after else 0, len(parts))), [name])
    words = [word for part in parts for word in part]
    found, settings_found = split_settings(words, SimpleNamespace(command=SimpleNamespace(params=[])))
    assert (found, settings_found) == (plain, flags)


@few
@given(st.one_of(st.integers(), st.booleans(), st.lists(st.integers(), max_size=3)))
def test_values_given_as_toml_are_read_as_toml(value: object) -> None:
    assert parse_value(str(value).lower()) == value


@few
@given(st.text("abc塔-.*/: ", min_size=1, max_size=13), st.sampled_from(["gpt", "climb"]))
def test_a_new_runs_name_is_a_name_and_not_a_path(source: str, recipe: str) -> None:
    name = run_name([source], recipe)
    assert name.endswith(f"-{recipe}")
    assert "/" not in name
    assert not name.startswith(("-", "*", "."))


LOCALES = st.sampled_from(
    ["", "C", "C.UTF-8", "POSIX", "en_GB.UTF-8", "zh_CN.UTF-8", "zh_TW", "zh-Hant", "de_DE", "zu"]
)


@few
@given(st.dictionaries(st.sampled_from(["ZIGGURAT_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"]), LOCALES))
def test_the_language_is_that_of_the_first_variable_that_says_anything(environ: dict[str, str]) -> None:
    order = ["ZIGGURAT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
    first = next((environ[name] for name in order if environ.get(name)), "")
    assert language.current(environ) == ("zh" if first.startswith("zh") else "en")


@few
@given(st.sampled_from(sorted(SENTENCES)))
def test_every_sentence_of_the_catalogue_is_found_with_and_without_its_full_stop(sentence: str) -> None:
    language.choose("zh")
    try:
        told = language.translate(sentence)
        assert told == SENTENCES[sentence]
        if not sentence.endswith("."):
            assert language.translate(f"{sentence}.") == SENTENCES.get(f"{sentence}.", told)
    finally:
        language.choose(None)
    assert language.translate(sentence) == sentence
