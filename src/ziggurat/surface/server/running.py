"""Serving an application on a port of this machine until somebody stops it."""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ziggurat.core.errors import MissingExtraError, UsageError

__all__ = ["listening", "run_server"]

OF_PORTS = (errno.EADDRINUSE, errno.EACCES)
"""Of the reasons not to listen on an address, those that another port may have not."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``; port 0 is any that is free.

    Raises:
        UsageError: the port is taken or not allowed, or the host is none of this machine's.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _refused(host, error) from error
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
    except OSError as error:
        opened.close()
        if error.errno not in OF_PORTS:
            raise _refused(host, error) from error
        raise UsageError(f"--port {port} of {host}: {error.strerror}; choose another one, or 0 for any") from error
    opened.listen()
    return opened


def _refused(host: str, error: OSError | UnicodeError) -> UsageError:
    said = getattr(error, "strerror", None) or "no name of a machine"
    return UsageError(f"--host {host}: {said}; 127.0.0.1 is this machine alone")


def run_server(application: Any, opened: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve an ASGI application on a listening socket until the process is told to stop; ``ready`` is told its address.

    Requests that have begun are answered before it ends, unless it is told twice.

    Raises:
        MissingExtraError: the extra ``serve`` is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("serving a model", "serve") from error
    host, port = opened.getsockname()[:2]
    ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    # without lifespan, whose task would log how it was cancelled; no application of ours has anything to do in it
    config = uvicorn.Config(application, log_level="warning", access_log=False, lifespan="off")
    logging.getLogger("uvicorn.error").addFilter(_of_interest)
    with opened, suppress(KeyboardInterrupt):  # which it passes on after it has ended
        uvicorn.Server(config).run(sockets=[opened])


def _of_interest(record: logging.LogRecord) -> bool:
    """Return whether an entry of the log tells more than that a request was cancelled, as the user wished."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
