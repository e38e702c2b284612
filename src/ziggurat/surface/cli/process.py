"""The process around one command: signals and log lines, as a person wants to meet them."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ziggurat.surface.errors import spoken
from ziggurat.surface.language import translate

__all__ = ["prepared"]


@contextmanager
def prepared(*, quiet: bool) -> Iterator[None]:
    """Let the process of a command behave for the length of a ``with`` block; leave everything as it was.

    SIGTERM interrupts like Ctrl-C, so that what is half done is cleaned up. What the rooms below log goes to standard
    error in one line each (only warnings where ``quiet``).
    """
    log = logging.getLogger("ziggurat")
    handler = _ToStandardError()
    level, propagate = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if in_main else None
    try:
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


class _ToStandardError(logging.Handler):
    """Writes a record's message to standard error as it is at that moment: a live display may stand in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        head = f"{translate('warning')}: " if record.levelno >= logging.WARNING else ""
        sys.stderr.write(f"{head}{spoken(record.getMessage())}\n")


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of handlers
    raise KeyboardInterrupt
