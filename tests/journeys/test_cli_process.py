"""The command line as a process: exit codes, streams, languages, signals, and never a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.conftest import Ziggurat
from ziggurat import __version__
from ziggurat.surface import cli
from ziggurat.surface.cli import COMMANDS, main, parser

ENVIRON = {**os.environ, "OMP_NUM_THREADS": "1"}
COMMAND = [sys.executable, "-m", "ziggurat"]


def test_the_overview_lists_every_command_and_its_line(ziggurat: Ziggurat) -> None:
    for arguments in ([], ["--help"], ["-h"], ["help"]):
        ended = ziggurat(*arguments)
        assert (ended.code, ended.err) == (0, "")
        listed = re.findall(r"(?m)^  ([\w-]+)  +\S", ended.out.partition("Commands")[2])
        assert tuple(listed) == COMMANDS.names()


def test_a_group_lists_its_commands(ziggurat: Ziggurat) -> None:
    for arguments in (["vectors"], ["vectors", "--help"], ["vectors", "help"], ["help", "vectors"]):
        ended = ziggurat(*arguments)
        assert (ended.code, ended.err) == (0, "")
        assert ended.out.startswith("Ask word vectors")
        listed = re.findall(r"(?m)^  ([\w-]+)  +\S", ended.out.partition("Commands")[2])
        assert tuple(listed) == COMMANDS.get("vectors").names()
        assert "odd-one-out" in listed


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS.functions()])
def test_every_command_explains_itself_and_its_options(name: str, ziggurat: Ziggurat) -> None:
    ended = ziggurat(*name.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == ziggurat("help", *name.split()).out
    command = parser(name)
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name} is not explained"


def test_the_version(ziggurat: Ziggurat) -> None:
    assert ziggurat("--version").out == f"ziggurat {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["genrate"], "error: unknown command 'genrate'; did you mean 'generate'?"),
        (["--versoin"], "error: unknown option '--versoin'; did you mean '--version'?"),
        (["generate"], "error: missing argument 'bundle'"),
        (["generate", "b", "--promt", "x"], "error: unknown option '--promt'; did you mean '--prompt'?"),
        (["generate", "b", "--samples", "many"], "error: invalid value for '--samples'"),
        (["generate", "b", "--temperature", "-1"], "error: --temperature: must be at least 0.0, got -1.0"),
        (["score", "b", "--by", "tokens"], "error: --by: unknown value 'tokens'; did you mean 'token'?"),
        (["generate", "b", "c"], "error: got unexpected extra argument(s) (c)"),
        (["recipe", "gpt", "ngram"], "error: one recipe at a time, not 2"),
        (["--lang", "de"], "error: --lang: unknown language 'de'; known: en, zh"),
        (["train"], "error: no text was named"),
        (["vectors", "nearst"], "error: ziggurat vectors: unknown command 'nearst'; did you mean 'nearest'?"),
        (["vectors", "--cuont", "3"], "error: ziggurat vectors: unknown option '--cuont'; known: --help"),
        (["vectors", "nearest", "b", "w", "--cuont", "3"], "error: unknown option '--cuont'; did you mean '--count'?"),
        (["vectors", "nearest", "b"], "error: missing argument 'WORD…'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_two(arguments: list[str], message: str, ziggurat: Ziggurat) -> None:
    ended = ziggurat(*arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert ended.err.startswith(message)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(28, "No space left on device"), 1, "error: the disk is full; make room and run the command again"),
        (PermissionError(13, "Permission denied", "a.txt"), 1, "error: a.txt: Permission denied"),
        (MemoryError(), 1, "error: not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), 1, "error: not enough memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 1, "error: not enough memory"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
        (ZeroDivisionError("by\nzero"), 1, "error: unexpected ZeroDivisionError: by zero; ZIGGURAT_TRACEBACK=1 shows"),
    ],
)
def test_whatever_happens_is_one_line(
    error: BaseException, code: int, message: str, ziggurat: Ziggurat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(cli, "command_line", fail)
    ended = ziggurat("recipe")
    assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1)
    assert ended.err.startswith(message)


def test_who_looks_for_a_cause_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIGGURAT_TRACEBACK", "1")
    with pytest.raises(Exception, match="unknown command"):
        main(["genrate"])


# -- languages --------------------------------------------------------------------------------------------------------


def test_a_language_holds_for_one_command_only(ziggurat: Ziggurat) -> None:
    assert "命令" in ziggurat("--lang=zh").out
    assert "Commands" in ziggurat().out


def test_after_two_dashes_lang_is_an_argument_like_others(ziggurat: Ziggurat) -> None:
    ended = ziggurat("recipe", "--", "--lang", "zh")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: unknown option '--lang'")


# -- real processes ---------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_no_failure(counted: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "generate", str(counted), "--samples", "40", "--max-tokens", "200", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRON,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 0)


def test_a_process_answers_with_code_and_streams(texts: Path, counted: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "evaluate", str(counted), str(texts), "--json"], capture_output=True, check=False, env=ENVIRON
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["version"] == 1
    failed = subprocess.run([*COMMAND, "describe", "nowhere"], capture_output=True, check=False, env=ENVIRON)
    assert (failed.returncode, failed.stdout) == (2, b"")
    assert failed.stderr == b"error: nowhere: no such folder; a bundle is the folder that 'ziggurat train' leaves\n"


def test_a_terminated_preparation_leaves_nothing_half_done(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "train", "-", "--recipe", "ngram", "--out", str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRON,
    )
    assert process.stderr is not None
    while "reading text" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == f"error: interrupted; go on with: ziggurat train --resume {tmp_path / 'run'}\n"
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["recipe.toml"]
