"""How a command speaks: data on standard output, everything said to people on standard error.

*Idea.* What a command computes may be piped on, so nothing else may stand there. ``--quiet`` silences what is said,
not what is computed. JSON carries a version, which grows when a key changes its meaning or goes away.
"""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from ziggurat.surface.language import translate

__all__ = ["JSON_VERSION", "Terminal", "align", "one_line", "width_of"]

JSON_VERSION = 1


class Terminal:
    """The two streams of one command."""

    def __init__(self, *, quiet: bool = False) -> None:
        """Say nothing on standard error where ``quiet``, but for warnings."""
        self.quiet = quiet

    @property
    def lively(self) -> bool:
        """Whether a display that moves can be shown: a person looks at standard error."""
        dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("CI"))
        return not self.quiet and not dumb and sys.stderr.isatty()

    def say(self, sentence: str, **values: Any) -> None:
        """Say a sentence in the user's language; ``values`` fill its ``{places}``."""
        if not self.quiet:
            self._tell(translate(sentence).format(**values))

    def warn(self, sentence: str, **values: Any) -> None:
        """Say what the user must know even where quiet."""
        self._tell(f"{translate('warning')}: {translate(sentence).format(**values)}")

    def next(self, command: str) -> None:
        """Name the command that a user would run now."""
        self.say("next: {command}", command=command)

    def write(self, text: str, *, end: str = "\n") -> None:
        """Write data."""
        sys.stdout.write(text + end)
        sys.stdout.flush()

    def write_json(self, content: dict[str, Any]) -> None:
        """Write data as one JSON object that names its version."""
        self.write(json.dumps({"version": JSON_VERSION, **content}, ensure_ascii=False))

    def _tell(self, line: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


def align(rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """Return rows in columns; where the columns after the first hold ``numbers``, these stand to the right.

    Wide characters count as two columns of the terminal.

    >>> print(align([("bits per byte", "1.97"), ("困惑度", "41")]))
    bits per byte  1.97
    困惑度           41
    """
    table = [tuple(row) for row in rows]
    widths = [max(width_of(row[column]) for row in table) for column in range(len(table[0]))] if table else []
    lines = []
    for row in table:
        cells = [
            _pad(cell, width, left=not (column and numbers))
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def one_line(text: str) -> str:
    r"""Return ``text`` as one line without tabs: line ends, tabs and backslashes as in ``\\n``.

    >>> print(one_line("a\tb"))
    a\tb
    """
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - width_of(text))
    return text + space if left else space + text
