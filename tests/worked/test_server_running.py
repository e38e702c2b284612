"""Serving on a port of this machine: which it is, when it is told, what is refused, and how it ends."""

import asyncio
import errno
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from typing import Any

import pytest

from ziggurat.core.errors import UsageError
from ziggurat.surface.server.running import listening, run_server

pytest.importorskip("uvicorn")


async def echo(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """An application that says what it was asked for, as little as one can be."""
    if scope["type"] != "http":
        raise RuntimeError("only requests")
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps([scope["method"], scope["path"]]).encode()})


def asked(address: str, path: str) -> Any:
    """What comes back from an address."""
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection:
        connection.request("GET", path)
        return json.load(connection.getresponse())


def served(host: str) -> tuple[str, Any]:
    """The address that is told, and what it answered, of a server that is interrupted after that."""
    told: list[str] = []
    answers: list[Any] = []

    def ask(address: str) -> None:
        told.append(address)
        threading.Thread(target=stop_after_one, daemon=True).start()

    def stop_after_one() -> None:
        answers.append(asked(told[0], "/one"))
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    run_server(echo, listening(host, 0), ask)
    return told[0], answers[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_it_serves_on_a_free_port_until_it_is_interrupted(host: str) -> None:
    address, answer = served(host)
    assert answer == ["GET", "/one"]
    host_part, _, port = address.removeprefix("http://").rpartition(":")
    assert host_part in ("127.0.0.1", "[::1]")
    assert int(port) > 0
    with pytest.raises(OSError, match="refused"):
        asked(address, "/after")


def test_told_twice_it_ends_at_once_and_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    fastapi = pytest.importorskip("fastapi")
    application, begun = fastapi.FastAPI(), threading.Event()

    async def slow() -> None:
        begun.set()
        await asyncio.sleep(60)

    application.add_api_route("/slow", slow)

    def stop(address: str) -> None:
        threading.Thread(target=ask_slowly, args=[address], daemon=True).start()
        assert begun.wait(30)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)  # two that come together are one

    def ask_slowly(address: str) -> None:
        with suppress(OSError, HTTPException, ValueError):
            asked(address, "/slow")

    started = time.monotonic()
    run_server(
        application, listening("127.0.0.1", 0), lambda address: threading.Thread(target=stop, args=[address]).start()
    )
    assert time.monotonic() - started < 50
    assert capfd.readouterr() == ("", "")


def test_an_address_of_six_parts_is_written_in_brackets() -> None:
    try:
        opened = listening("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    opened.close()
    address, answer = served("::1")
    assert address.startswith("http://[::1]:")
    assert answer == ["GET", "/one"]


def test_two_do_not_share_a_port() -> None:
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UsageError, match=rf"^--port {port} of 127\.0\.0\.1: .*; choose another one, or 0 for any$"):
            listening("127.0.0.1", port)
    listening("127.0.0.1", port).close()  # and it is free again at once


@pytest.mark.parametrize("host", ["256.0.0.1", "no such host", "192.0.2.1"])
def test_a_host_that_is_none_of_this_machine_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def here(name: str, *rest: Any, **more: Any) -> Any:
        if name != "192.0.2.1":  # a number needs nobody to look it up; a name would
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(name, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    with pytest.raises(UsageError, match=rf"^--host {re.escape(host)}: .*; 127\.0\.0\.1 is this machine alone$"):
        listening(host, 0)


@pytest.mark.parametrize(
    ("number", "option"),
    [(errno.EADDRINUSE, "--port 80 of"), (errno.EACCES, "--port 80 of"), (errno.EADDRNOTAVAIL, "--host")],
)
def test_what_is_wrong_is_the_port_or_the_host(number: int, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    class Refusing(socket.socket):
        def bind(self, address: Any) -> None:
            raise OSError(number, os.strerror(number))

        def close(self) -> None:
            closed.append(self)
            super().close()

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(UsageError, match=rf"^{option} 127\.0\.0\.1: {os.strerror(number)}; "):
        listening("127.0.0.1", 80)
    assert len(closed) == 1


@pytest.mark.parametrize("host", ["a..b", "x" * 80])
def test_what_is_no_name_of_a_machine_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match=rf"^--host {host}: .*; 127\.0\.0\.1 is this machine alone$"):
        listening(host, 0)
