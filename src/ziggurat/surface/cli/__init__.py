"""The command line: one command a file, found by listing the folder, imported when it is called.

A command's module has a docstring whose first line is its line in ``ziggurat --help``, and ``COMMAND = function``, a
typer function. Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 a gate not met, 130 interrupted.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import resources
from typing import Any

from ziggurat import __version__
from ziggurat.core.errors import DiskFullError, UnknownNameError, ZigguratError
from ziggurat.core.registry import Registry

__all__ = ["COMMANDS", "command_line", "main", "overview"]

COMMANDS: Registry[Any] = Registry(__name__, "COMMAND", kind="command")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line on standard error, never a traceback.

    ``ZIGGURAT_TRACEBACK=1`` in the environment lets errors through, for those who look for their cause.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # the reader of a pipe went away (`| head`): not a failure, and nothing more can be said to it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except ZigguratError as error:
        return _fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail("the disk is full; make room and run the command again", DiskFullError.exit_code)
        return _fail(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "), 1)
    return code


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        if len(arguments) > 1:
            return command_line(arguments[1], ["--help"])
        sys.stdout.write(overview() + "\n")
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(f"ziggurat {__version__}\n")
        return 0
    return command_line(arguments[0], arguments[1:])


def command_line(name: str, arguments: Sequence[str]) -> int:
    """Import the command ``name`` and run it with ``arguments``; return its exit code."""
    command = COMMANDS.get(name)
    import typer

    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, context_settings=getattr(command, "context_settings", None))(command)
    try:
        result = typer.main.get_command(app).main(
            args=list(arguments), prog_name=f"ziggurat {name}", standalone_mode=False
        )
    except typer.Abort:
        return _fail("interrupted", 130)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        return _fail(_one_line(error), error.exit_code)
    return result if isinstance(result, int) else 0


def overview() -> str:
    """Return what ``ziggurat --help`` prints, from the first line of each command's file."""
    lines = {name: _first_line(name) for name in COMMANDS.names()}
    width = max(map(len, lines))
    commands = "\n".join(f"  {name:<{width}}  {line}" for name, line in lines.items())
    return (
        "Ziggurat: the tower of language models on your own text.\n\n"
        "  ziggurat climb my_texts/ --minutes 10    train all families, rank them, write a report\n\n"
        f"Commands (ziggurat COMMAND --help):\n{commands}"
    )


def _first_line(name: str) -> str:
    text = resources.files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
    return text.split("\n", 1)[0].strip('"').rstrip(".")


def _one_line(error: Any) -> str:
    message = " ".join(error.format_message().split())
    possibilities = getattr(error, "possibilities", None)
    option = getattr(error, "option_name", None)
    if option and not possibilities and error.ctx is not None:
        known = [flag for parameter in error.ctx.command.params for flag in parameter.opts]
        return str(UnknownNameError("option", option, known))
    return f"{message[:1].lower()}{message[1:]}"


def _fail(message: str, code: int) -> int:
    if os.environ.get("ZIGGURAT_TRACEBACK") == "1" and sys.exc_info()[0] is not None:
        raise  # noqa: PLE0704 - called from an except block
    sys.stderr.write(f"error: {message}\n")
    return code
