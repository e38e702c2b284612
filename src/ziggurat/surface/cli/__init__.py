"""The command line: one command a file, found by listing the folder, imported when it is called.

A command's module has a docstring whose first line is its line in ``ziggurat --help``, and ``COMMAND = function``, a
typer function. A folder is a group of commands (see `ziggurat.surface.commands`).

Exit codes: 0 done, 1 failed, 2 bad usage or input, 3 a gate not met, 130 interrupted.
"""

import errno
import functools
import os
import re
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from ziggurat.core.errors import DiskFullError, UnknownNameError, UsageError, ZigguratError
from ziggurat.core.version import VERSION
from ziggurat.surface import language  # the module: a command named translate would hide its function
from ziggurat.surface.commands import Commands
from ziggurat.surface.errors import spoken

__all__ = ["COMMANDS", "command_line", "main", "overview", "parser"]

COMMANDS = Commands(__name__)
NO_MEMORY = (
    "not enough memory; give less text or a smaller model, or make batches smaller: --training.rows, with "
    "--training.accumulate for as many together, or --training.recompute true"
)
HELP = ("--help", "-h", "help")
PARSER_WORDS = ("Usage:", "Arguments:", "Options:", "Show this message and exit.", "[required]", "[default: ")
"""What the parser itself puts into the help of every command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error is one line on standard error, never a traceback.

    ``ZIGGURAT_TRACEBACK=1`` in the environment lets errors through, for those who look for their cause.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None and not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' warnings are for developers, who ask for them by -W
    try:
        code = _dispatch(_without_language(arguments))
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
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail("the disk is full; make room and run the command again", DiskFullError.exit_code)
        return _fail(f"{error.filename or ''}: {error.strerror or error}".removeprefix(": "), 1)
    except MemoryError:
        return _fail(NO_MEMORY, 1)
    except Exception as error:
        if isinstance(error, RuntimeError) and re.search(r"(?i)out of memory|n't allocate memory", str(error)):
            return _fail(NO_MEMORY, 1)  # torch has errors of its own for it, on the processor and on GPUs
        return _fail(f"unexpected {type(error).__name__}: {_first_words(error)}; ZIGGURAT_TRACEBACK=1 shows where", 1)
    finally:
        language.choose(None)
    return code


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in HELP:
        if len(arguments) > 1:
            return command_line(arguments[1], [*arguments[2:], "--help"])
        sys.stdout.write(overview() + "\n")
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(f"ziggurat {VERSION}\n")
        return 0
    return command_line(arguments[0], arguments[1:])


def _without_language(arguments: list[str]) -> list[str]:
    """Take ``--lang zh``, which every command has, out of the arguments, and speak that language from now on."""
    kept: list[str] = []
    waiting = iter(arguments)
    for word in waiting:
        if word == "--":
            return [*kept, word, *waiting]
        flag, given, value = word.partition("=")
        if flag != "--lang":
            kept.append(word)
            continue
        value = value if given else next(waiting, "")
        if value not in language.LANGUAGES:
            raise UnknownNameError("language", value, language.LANGUAGES, where="--lang")
        language.choose(value)
    return kept


def command_line(name: str, arguments: Sequence[str]) -> int:
    """Import the command ``name``, or the one of its group that ``arguments`` begin with, and run it; return its exit
    code.
    """
    if name.startswith("-"):
        raise UnknownNameError("option", name, ("--help", "--lang", "--version"))
    given = list(arguments)
    command = COMMANDS.get(name)
    while isinstance(command, Commands):
        if not given or given[0] in HELP:
            sys.stdout.write(overview(command, of=name) + "\n")
            return 0
        command, name = command.get(given[0]), f"{name} {given.pop(0)}"
    import typer

    from ziggurat.surface.cli.process import prepared

    built = _in_language(parser(name))
    try:
        # not `main`, which would end the process by itself where a pipe breaks
        with prepared(quiet="--quiet" in given), built.make_context(f"ziggurat {name}", given) as context:
            result = built.invoke(context)
    except typer.Abort:
        return _fail("interrupted", 130)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        raise UsageError(_one_line(error)) from error
    return result if isinstance(result, int) else 0


def parser(name: str) -> Any:
    """Return what reads the arguments of the command ``name`` (``"vectors nearest"`` of one in a group)."""
    import typer

    function: Any = COMMANDS
    for word in name.split():
        function = function.get(word)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, context_settings=getattr(function, "context_settings", None))(function)
    return typer.main.get_command(app)


def overview(commands: Commands = COMMANDS, *, of: str = "") -> str:
    """Return what ``ziggurat --help``, or with a group ``ziggurat GROUP --help``, prints."""
    lines = {name: language.translate(line) for name, line in commands.lines().items()}
    width = max(map(len, lines))
    listed = "\n".join(f"  {name:<{width}}  {line}" for name, line in lines.items())
    if of:
        title = language.translate(commands.title)
        heading = language.translate("Commands (ziggurat {group} COMMAND --help):").format(group=of)
        return f"{title}\n\n{heading}\n{listed}"
    title = language.translate("Ziggurat: the tower of language models on your own text.")
    example = language.translate("train all families, rank them, write a report")
    heading = language.translate("Commands (ziggurat COMMAND --help):")
    footer = language.translate("Every command takes --lang en or --lang zh.")
    return f"{title}\n\n  ziggurat climb my_texts/ --minutes 10    {example}\n\n{heading}\n{listed}\n\n{footer}"


def _in_language(command: Any) -> Any:
    """Let a command's help speak the user's language."""
    command.help = "\n\n".join(
        language.translate(" ".join(part.split())) for part in (command.help or "").split("\n\n")
    )
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = language.translate(parameter.help)
    plain = command.get_help
    command.get_help = lambda context: functools.reduce(_translated, PARSER_WORDS, plain(context))
    return command


def _translated(page: str, words: str) -> str:
    chinese = language.translate(words)
    if chinese == words:
        return page
    return page.replace(words, chinese).replace(words.rstrip(), chinese)  # a line may end where the words have a space


def _one_line(error: Any) -> str:
    option = getattr(error, "option_name", None)
    if option and error.ctx is not None:
        known = [flag for parameter in error.ctx.command.params for flag in parameter.opts if flag.startswith("-")]
        if option not in known:
            return str(UnknownNameError("option", option, known))
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{message[:1].lower()}{message[1:]}"


def _first_words(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _fail(message: str, code: int) -> int:
    if os.environ.get("ZIGGURAT_TRACEBACK") == "1" and sys.exc_info()[0] is not None:
        raise  # noqa: PLE0704 - called from an except block
    sys.stderr.write(f"{language.translate('error')}: {spoken(message)}\n")
    return code
