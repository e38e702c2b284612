"""Everything that Ziggurat raises on purpose, one tree.

::

    ZigguratError                  exit code 1: the command failed
    ├── UsageError                 exit code 2: an option, key or name is wrong
    │   ├── UnknownNameError           … and here is the nearest one
    │   └── MissingExtraError          … or an optional package is not installed
    ├── InputError                 exit code 2: the user's text or file is wrong (names file and line)
    │   └── TooLittleTextError         … there is not enough of it
    ├── ArtefactError              exit code 2: a bundle, store or checkpoint can't be used (names the file)
    │   ├── DamagedError               … its bytes are not what its manifest says
    │   └── NewerVersionError          … it was written by a newer Ziggurat
    ├── DiskFullError              exit code 1: nothing was half written
    ├── GateNotMetError            exit code 3: a threshold that the user set was not reached
    └── InterruptedRunError        exit code 130: stopped by the user, state saved

A message is one line: what is wrong, where (file, line, key), and what to do. The command line prints it
and exits with the class's code; no other exception is expected to reach the user.
"""

import difflib
import json
from collections.abc import Iterable
from typing import Any

__all__ = [
    "ArtefactError",
    "DamagedError",
    "DiskFullError",
    "GateNotMetError",
    "InputError",
    "InterruptedRunError",
    "MissingExtraError",
    "NewerVersionError",
    "TooLittleTextError",
    "UnknownNameError",
    "UsageError",
    "ZigguratError",
    "nearest",
    "shown",
]


SHOWN = 60
"""Characters of what is refused that an error shows."""


class ZigguratError(Exception):
    """The root of all errors that Ziggurat raises on purpose."""

    exit_code = 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as what it is: message and facts, however its constructor makes them."""
        return _again, (type(self), self.args, vars(self))


class UsageError(ZigguratError):
    """An option, key, value or name is wrong; the message says which and what is allowed."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that does not exist, answered with the nearest that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "") -> None:
        """Say that ``name`` is no ``kind`` (for example "family"), and which of ``known`` was probably meant."""
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"{where + ': ' if where else ''}unknown {kind} '{name}'{nearest(name, self.known)}")


class MissingExtraError(UsageError):
    """A feature needs an optional package that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        """Say that ``feature`` needs ``pip install 'ziggurat[extra]'``."""
        super().__init__(f"{feature} needs an optional package: pip install 'ziggurat[{extra}]'")


class InputError(ZigguratError):
    """The user's text or file can't be used; the message names the file and, where there is one, the line."""

    exit_code = 2


class TooLittleTextError(InputError):
    """There is too little text for what was asked; the message says how much there is and how much is needed."""


class ArtefactError(ZigguratError):
    """A bundle, token store or checkpoint can't be used; the message names the file."""

    exit_code = 2


class DamagedError(ArtefactError):
    """A file's bytes are not what its manifest or header says."""


class NewerVersionError(ArtefactError):
    """An artefact was written by a newer version of Ziggurat than this one."""


class DiskFullError(ZigguratError):
    """The disk is full; what was complete before is kept and nothing half written remains."""


class GateNotMetError(ZigguratError):
    """A threshold that the user set was not reached."""

    exit_code = 3


class InterruptedRunError(ZigguratError):
    """The user stopped the run; the message says how to resume it."""

    exit_code = 130


def _again(kind: type[ZigguratError], arguments: tuple[Any, ...], facts: dict[str, Any]) -> ZigguratError:
    error = kind.__new__(kind, *arguments)
    error.args = arguments
    vars(error).update(facts)
    return error


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a clause that names the nearest of ``known``, or all of them where none is near.

    >>> nearest("decodr", ["decoder", "ngram"])
    "; did you mean 'decoder'?"
    """
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(choices)}" if choices else ""


def shown(value: Any) -> str:
    r"""Return the beginning of a value of JSON as people read it; halves of characters are escaped.

    >>> print(shown(["北京"]), shown("\ud800"))
    ["北京"] "\ud800"
    """
    whole = json.dumps(value, ensure_ascii=False)[:SHOWN]
    return whole.encode("utf-8", "backslashreplace").decode("utf-8")
