"""A Ray cluster as workers (extra ``cluster``): the one file that knows Ray.

*What is assumed of the machines.* The same Ziggurat, and the same Python, on all of them; no folder that they share.
Functions, items and results travel through Ray's object store. A function with what it holds (a tokenizer, the tokens
of a text) travels once to each machine.
"""

import functools
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from ziggurat.core.errors import MissingExtraError, UsageError, ZigguratError
from ziggurat.core.processes import SINGLE_THREADED
from ziggurat.core.version import VERSION
from ziggurat.core.workers import Outcome, attempt, in_order

__all__ = ["RayCluster"]

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 2
_PATIENCE_SECONDS = 10.0
_LONGEST_PLACE = 30
"""Characters of a temporary folder below which Ray's sockets still have a name that the system takes (107 bytes)."""
_ALIKE = (VERSION, sys.version_info[:2], unicodedata.unidata_version)
"""What decides the bytes of a prepared text beside the text, and may differ between machines."""


class RayCluster:
    """The processors of a Ray cluster, one task on each; reached at the first task.

    A task whose worker or machine dies is done again elsewhere. Nothing about its use is sent to Ray's makers.

    *Cost.* Five seconds for a cluster of this machine alone, one to reach another.
    """

    def __init__(self, address: str = "", *, cores: int | None = None) -> None:
        """Use the cluster at ``address`` (``ray://host:port``, or ``host:port`` on one of its machines).

        Where there is none, that of the variable ``RAY_ADDRESS``; where that is not set either, one of this machine
        alone is started, with ``cores`` processors (all, unless told), and stopped at the end.

        Raises:
            MissingExtraError: Ray is not installed.
        """
        self.address = address or os.environ.get("RAY_ADDRESS", "")
        self._cores = cores
        self._ray: Any = None
        self._task: Any = None
        self._folder = ""
        self._before: dict[str, str] | None = None
        self._on_term: Any = signal.SIG_DFL
        self._maps = 0
        if not _installed():
            raise MissingExtraError("a Ray cluster", "cluster")

    @property
    def count(self) -> int:
        """The processors of the cluster.

        Raises:
            UsageError: no cluster answers at the address.
        """
        return max(1, int(self._started().cluster_resources().get("CPU", 1)))

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield ``function(item)`` of each item in order.

        Raises:
            UsageError: no cluster answers at the address, or its machines have another Ziggurat or Python.
            ZigguratError: Ray gave a task up: its machines died again and again, or memory ran out.
        """
        ray = self._started()
        self._maps += 1
        key, box = f"{secrets.token_hex(4)}-{self._maps}", [ray.put(function)]

        def begin(item: T) -> Any:
            return self._task.remote(_ALIKE, key, box, item)

        return in_order(begin, self._ended, items, most=_AHEAD * self.count, drop=functools.partial(ray.cancel))

    def __enter__(self) -> Self:
        """Begin; the cluster is reached with the first task."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the cluster; one of this machine alone is stopped, and its files are removed."""
        if self._ray is not None:
            self._ray.shutdown()
            self._ray = None
        if self._before is not None:
            for name in _ray_settings():
                del os.environ[name]
            os.environ.update(self._before)
            self._before = None
            with suppress(ValueError):  # set by Ray; another thread than the main one may not
                signal.signal(signal.SIGTERM, self._on_term)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    def _started(self) -> Any:
        if self._ray is None:
            _check_that_somebody_answers(self.address)
            settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
            if not self.address:  # a token of its own, so that nobody else can use it, and Ray leaves none at home
                settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
            self._before = _ray_settings()
            self._on_term = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
            os.environ.update(settings)
            import ray

            said = {"log_to_driver": False, "logging_level": logging.CRITICAL}
            self._ray = ray
            try:
                if self.address:
                    ray.init(self.address, **said)
                else:
                    self._folder = tempfile.mkdtemp(prefix="zg-", dir=_short_place())
                    ray.init("local", num_cpus=self._cores, include_dashboard=False, _temp_dir=self._folder, **said)
            except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
                where = self.address or "this machine"
                self.__exit__(None, None, None)
                raise UsageError(f"{where}: no Ray cluster could be reached ({_first_line(error)})") from error
            except BaseException:
                self.__exit__(None, None, None)
                raise
            self._task = ray.remote(_do)
        return self._ray

    def _ended(self, reference: Any) -> Any:
        errors = self._ray.exceptions
        try:
            outcome: Outcome[Any] = self._ray.get(reference)
        except errors.RayTaskError:
            raise  # a defect in the task: its own traceback says where
        except errors.RayError as error:
            raise ZigguratError(
                f"the Ray cluster gave a task up ({_first_line(error)}); "
                f"are all its machines well, and is Ziggurat {VERSION} installed on each?"
            ) from error
        return outcome.unwrap()


def _do(alike: tuple[Any, ...], key: str, box: list[Any], item: Any) -> Outcome[Any]:
    """Do a task, on whatever machine this is."""
    if tuple(alike) != _ALIKE:
        theirs, ours = (f"Ziggurat {v}, Python {'.'.join(map(str, p))}, Unicode {u}" for v, p, u in (_ALIKE, alike))
        return Outcome(None, UsageError(f"a machine of the Ray cluster has {theirs}; here is {ours}: install the same"))
    os.environ.update(SINGLE_THREADED)
    return attempt(_function(key, box), item)


def _function(key: str, box: list[Any]) -> Callable[[Any], Any]:
    """Return the function in ``box``; it is unpacked once in each worker."""
    if key not in _UNPACKED:
        import ray

        _UNPACKED.clear()  # what the last function held need not stay
        _UNPACKED[key] = ray.get(box[0])
    return _UNPACKED[key]


_UNPACKED: dict[str, Callable[[Any], Any]] = {}


@functools.cache
def _token() -> str:
    """Return this process' token: Ray remembers the first that it is given."""
    return secrets.token_hex(32)


def _installed() -> bool:
    from importlib.util import find_spec

    with suppress(ImportError, ValueError):
        return find_spec("ray") is not None
    return False


def _check_that_somebody_answers(address: str) -> None:
    """Ask at ``host:port``, because Ray itself would try for minutes.

    Raises:
        UsageError: nobody answers.
    """
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_SECONDS).close()
        except (OSError, OverflowError) as error:
            raise UsageError(f"{address}: no Ray cluster answers there ({error}); is it running?") from error


def _ray_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("RAY_")}


def _short_place() -> str | None:
    """Return where Ray's folder may be: the temporary folder, or ``/tmp`` where its name is too long for sockets."""
    return None if len(tempfile.gettempdir()) <= _LONGEST_PLACE else "/tmp"  # noqa: S108 - `mkdtemp` makes its own


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
