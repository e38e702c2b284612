"""A configuration's keys as options of a command: names, types, lists, choices, limits and the errors they give."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
import typer

from ziggurat.core.config import option
from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.surface.cli.options import with_options


@dataclass(frozen=True)
class Keys:
    """Every type that a key may have."""

    top_k: int = option(3, "how many are kept", low=0, high=9)
    rate: float | None = option(None, "softmax(·/T): a formula keeps its small letters")
    stop: tuple[str, ...] = option((), "strings")
    mode: Literal["fast", "exact"] = option("fast", "how it is done")
    place: Literal["here", "there"] | None = option(None, "where")
    whole: bool = option(False, "all of it")


def run(*arguments: str) -> tuple[str, Keys]:
    heard: list[Any] = []

    @with_options(Keys, name="keys")
    def command(name: Annotated[str, typer.Argument(help="A name")], keys: Keys) -> None:
        """Keep what came."""
        heard.append((name, keys))

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(command)
    typer.main.get_command(app).main(["it", *arguments], standalone_mode=False)
    return heard[0]  # type: ignore[no-any-return]


def test_what_is_not_given_has_its_default() -> None:
    assert run() == ("it", Keys())


@pytest.mark.parametrize(
    ("arguments", "key", "value"),
    [
        (["--top-k", "7"], "top_k", 7),
        (["--top-k=0"], "top_k", 0),
        (["--rate", "2"], "rate", 2.0),
        (["--rate", "-1e-3"], "rate", -0.001),
        (["--stop", "a b", "--stop", "塔"], "stop", ("a b", "塔")),
        (["--mode", "exact"], "mode", "exact"),
        (["--place", "there"], "place", "there"),
        (["--whole"], "whole", True),
    ],
)
def test_what_is_given_arrives_with_its_type(arguments: list[str], key: str, value: object) -> None:
    _, keys = run(*arguments)
    assert getattr(keys, key) == value
    assert type(getattr(keys, key)) is type(value)
    assert keys == Keys(**{key: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--top-k", "10"], UsageError, "--top-k: must be from 0 to 9, got 10"),
        (["--top-k", "-1"], UsageError, "--top-k: must be from 0 to 9, got -1"),
        (["--mode", "exakt"], UnknownNameError, "--mode: unknown value 'exakt'; did you mean 'exact'?"),
        (["--place", "where"], UnknownNameError, "--place: unknown value 'where'"),
        (["--top-k", "x"], typer.TyperException, "Invalid value for '--top-k'"),
        (["--topk", "3"], typer.TyperException, "No such option"),
    ],
)
def test_what_is_wrong_is_said_by_the_options_own_name(
    arguments: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        run(*arguments)
    told = caught.value
    assert message in (told.format_message() if isinstance(told, typer.TyperException) else str(told))


def test_help_has_a_line_for_each_key(capsys: pytest.CaptureFixture[str]) -> None:
    @with_options(Keys, name="keys")
    def command(keys: Keys) -> None:
        """Do it."""

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(command)
    typer.main.get_command(app).main(["--help"], standalone_mode=False)
    page = capsys.readouterr().out
    assert "--top-k <int>" in page
    assert "How many are kept" in page
    assert "softmax(·/T)" in page
    assert "[default: 3]" in page
    assert "--whole" in page
    assert "keys" not in page.lower()  # the configuration itself is no argument
