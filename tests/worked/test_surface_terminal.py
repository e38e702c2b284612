"""What a command says and where: data on one stream, words for people on the other, in the user's language."""

import json
import re
from types import SimpleNamespace

import pytest

from ziggurat.core.errors import UnknownNameError, UsageError
from ziggurat.surface import language
from ziggurat.surface.cli.settings import open_to_settings, split_settings
from ziggurat.surface.terminal import JSON_VERSION, Terminal, align, width_of

CONTEXT = SimpleNamespace(
    command=SimpleNamespace(params=[SimpleNamespace(opts=["--minutes"]), SimpleNamespace(opts=["words"])])
)


def test_data_and_words_go_to_their_own_streams(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.write("1.97")
    terminal.say("{count} documents", count=7)
    terminal.warn("{place} is odd", place="a.txt")
    terminal.next("ziggurat evaluate b")
    out, err = capsys.readouterr()
    assert out == "1.97\n"
    assert err == "7 documents\nwarning: a.txt is odd\nnext: ziggurat evaluate b\n"


def test_quiet_silences_words_but_neither_data_nor_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(quiet=True)
    terminal.write("1.97")
    terminal.say("so far")
    terminal.warn("odd")
    out, err = capsys.readouterr()
    assert (out, err) == ("1.97\n", "warning: odd\n")


def test_json_names_its_version_first(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().write_json({"text": "塔"})
    out = capsys.readouterr().out
    assert out == f'{{"version": {JSON_VERSION}, "text": "塔"}}\n'
    assert json.loads(out)["text"] == "塔"


def test_braces_in_values_are_not_places(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say("{text} read", text="{x}")
    assert capsys.readouterr().err == "{x} read\n"


def test_nothing_moves_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Terminal().lively  # pytest's standard error is no terminal
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert Terminal().lively
    assert not Terminal(quiet=True).lively
    monkeypatch.setenv("CI", "true")
    assert not Terminal().lively


def test_columns_align_and_wide_characters_count_as_two() -> None:
    # "困惑度" takes 6 columns, "bits per byte" 13, so seven spaces of filling and two between the columns
    assert align([("bits per byte", "1.97"), ("困惑度", "41")]) == "bits per byte  1.97\n困惑度" + " " * 11 + "41"
    assert align([]) == ""
    assert [width_of(text) for text in ("tower", "塔楼", "e\u0301", "ｗ")] == [5, 4, 1, 2]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "ZH_tw"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}, "zh"),
        ({"ZIGGURAT_LANG": "zh", "LC_ALL": "C"}, "zh"),
    ],
)
def test_the_first_variable_that_is_set_decides(environ: dict[str, str], expected: str) -> None:
    assert language.current(environ) == expected


def test_a_choice_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    language.choose("zh")
    try:
        assert language.translate("warning") == "警告"
        assert language.translate("no such sentence") == "no such sentence"
    finally:
        language.choose(None)
    assert language.translate("warning") == "warning"


def test_settings_are_taken_out_from_among_the_arguments() -> None:
    words = ["a.txt", "--model.layers", "6", "-", "--training.rate=-1e-3", "--seed", "7", "b/", "--gpt.model.width=8"]
    plain, settings = split_settings(words, CONTEXT)
    assert plain == ["a.txt", "-", "b/"]
    assert settings == {"model.layers": "6", "training.rate": "-1e-3", "seed": "7", "gpt.model.width": "8"}


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["--minuts", "5"], UnknownNameError, "unknown option '--minuts'; did you mean '--minutes'?"),
        (["-m", "5"], UnknownNameError, "unknown option '-m'"),
        (["--model.layers"], UsageError, "--model.layers: needs a value"),
    ],
)
def test_a_flag_that_is_none_is_named(words: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        split_settings(words, CONTEXT)


def test_a_command_is_opened_without_being_changed() -> None:
    def command() -> None:
        """Do nothing."""

    assert open_to_settings(command) is command
    assert vars(command)["context_settings"]["ignore_unknown_options"]
