"""Configurations: checked, explained, and the same after a round trip through TOML."""

import tomllib
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ziggurat.core import config
from ziggurat.core.config import option
from ziggurat.core.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class Keys:
    """Keys of every type."""

    order: int = option(5, "Longest n-gram.", low=1, high=11)
    rate: float = option(0.5, "Share of units dropped.", low=0.0, high=1.0)
    kind: Literal["bpe", "words"] = option("bpe", "How text is cut.")
    tied: bool = option(True, "One matrix for both ends.")
    name: str = option("a", "")
    prune: tuple[int, ...] = option((0, 1), "Counts to drop, by order.")
    limit: int | None = option(None, "No limit where it is absent.", low=3)


def read(**mapping: Any) -> Keys:
    return config.from_mapping(Keys, mapping, where="my.toml [model]")


def test_nothing_given_gives_the_defaults() -> None:
    assert read() == Keys()


def test_values_arrive_with_their_types() -> None:
    keys = read(order=7, rate=1, kind="words", tied=False, name="b", prune=[2, 3], limit=13)
    assert keys == Keys(7, 1.0, "words", False, "b", (2, 3), 13)
    assert isinstance(keys.rate, float)
    assert isinstance(keys.prune, tuple)


def test_an_optional_key_may_be_none() -> None:
    assert read(limit=None).limit is None


@pytest.mark.parametrize(
    ("given_keys", "message"),
    [
        ({"ordr": 3}, "my.toml [model]: unknown key 'ordr'; did you mean 'order'?"),
        ({"kind": "word"}, "my.toml [model]: kind: unknown value 'word'; did you mean 'words'?"),
        ({"order": "3"}, "my.toml [model]: order: expected a whole number, got '3'"),
        ({"order": 3.0}, "my.toml [model]: order: expected a whole number, got 3.0"),
        ({"order": True}, "my.toml [model]: order: expected a whole number, got True"),
        ({"order": 0}, "my.toml [model]: order: must be from 1 to 11, got 0"),
        ({"order": 12}, "my.toml [model]: order: must be from 1 to 11, got 12"),
        ({"limit": 2}, "my.toml [model]: limit: must be at least 3, got 2"),
        ({"rate": "high"}, "my.toml [model]: rate: expected a number, got 'high'"),
        ({"rate": True}, "my.toml [model]: rate: expected a number, got True"),
        ({"tied": 1}, "my.toml [model]: tied: expected true or false, got 1"),
        ({"name": 1}, "my.toml [model]: name: expected text in quotes, got 1"),
        ({"prune": 1}, "my.toml [model]: prune: expected a list, got 1"),
        ({"prune": [1, "b"]}, "my.toml [model]: prune: expected a whole number, got 'b'"),
    ],
)
def test_a_mistake_is_one_line_that_says_where_and_what(given_keys: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(**given_keys)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_an_unknown_key_is_an_unknown_name() -> None:
    with pytest.raises(UnknownNameError) as caught:
        read(zzz=1)
    assert caught.value.known == ("kind", "limit", "name", "order", "prune", "rate", "tied")


def test_an_upper_limit_alone_is_said_as_such() -> None:
    @dataclass(frozen=True)
    class Capped:
        share: float = option(0.1, "", high=0.9)

    with pytest.raises(UsageError, match=r"share: must be at most 0\.9, got 1\.0"):
        config.from_mapping(Capped, {"share": 1}, where="here")


def test_options_come_in_the_order_of_declaration() -> None:
    listed = config.options(Keys)
    assert list(listed) == ["order", "rate", "kind", "tied", "name", "prune", "limit"]
    assert listed["order"] == (int, 5, "Longest n-gram.")
    assert listed["limit"][1] is None


def test_a_section_explains_every_key_and_is_toml() -> None:
    text = config.toml_section(Keys(order=7), name="model")
    assert text.splitlines()[:5] == [
        "[model]",
        "# Longest n-gram.",
        "order = 7",
        "# Share of units dropped.",
        "rate = 0.5",
    ]
    assert "# limit =" in text.splitlines()
    assert read(**tomllib.loads(text)["model"]) == Keys(order=7)


def test_a_section_without_comments_has_keys_alone() -> None:
    lines = config.toml_section(Keys(), name="model", comments=False).splitlines()
    assert [line for line in lines if line.startswith("#")] == ["# limit ="]


def test_to_mapping_leaves_out_what_is_none() -> None:
    assert config.to_mapping(Keys()) == {
        "order": 5,
        "rate": 0.5,
        "kind": "bpe",
        "tied": True,
        "name": "a",
        "prune": [0, 1],
    }


@given(
    order=st.integers(1, 11),
    rate=st.floats(0, 1),
    kind=st.sampled_from(["bpe", "words"]),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")),
    prune=st.lists(st.integers(-(2**63), 2**63 - 1)),
    limit=st.none() | st.integers(3, 2**31),
)
def test_a_round_trip_through_toml_changes_nothing(**values: Any) -> None:
    keys = read(**values)
    again = tomllib.loads(config.toml_section(keys, name="model"))["model"]
    assert read(**again) == keys
    assert read(**config.to_mapping(keys)) == keys


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("3e-4", 3e-4),
        ("true", True),
        ('"3"', "3"),
        ("bpe", "bpe"),
        ("[0, 1]", [0, 1]),
        ("", ""),
        ("a b", "a b"),
        ("汉字", "汉字"),
        ("3\nx = 4", "3\nx = 4"),
    ],
)
def test_a_value_from_the_command_line_is_toml_or_a_word(text: str, value: object) -> None:
    assert config.parse_value(text) == value
    assert type(config.parse_value(text)) is type(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (3, "3"), (0.5, "0.5"), ('say "a\\b"', '"say \\"a\\\\b\\""'), ((1, 2), "[1, 2]"), ([], "[]")],
)
def test_values_are_written_as_toml(value: object, text: str) -> None:
    assert config.toml_value(value) == text
    assert tomllib.loads(f"x = {text}")["x"] == (list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize("content", [3, "x", [], [1], None, True])
def test_what_has_no_keys_is_refused_where_it_stands(content: Any) -> None:
    with pytest.raises(UsageError) as caught:
        config.from_mapping(Keys, content, where="config.json")
    assert str(caught.value) == f"config.json: expected keys and values, got {content!r}"
