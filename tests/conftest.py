"""What every test stands on: one thread, one seed, no network, none of the user's settings; and where the data is."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: the same sums in the same order everywhere

import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

# how fast a machine is, is no property of the code; the usual run draws the same examples each time, so that it says
# the same of the same code; --hypothesis-profile=thorough draws anew, and as many as the library would
hypothesis.settings.register_profile("usual", deadline=None, max_examples=19, derandomize=True)
hypothesis.settings.register_profile("thorough", deadline=None)
hypothesis.settings.load_profile("usual")

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = ("127.", "localhost", "::1")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder that holds pyproject.toml."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets that stands beside the repository; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("ZIGGURAT_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets at {folder} (set ZIGGURAT_SHARED_DATA to their folder)")
    return folder


@pytest.fixture(autouse=True)
def _same_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test from one seed and without settings of the user's; compiled kernels keep the user's cache."""
    for name in [name for name in os.environ if name.startswith("ZIGGURAT_") and name != "ZIGGURAT_SHARED_DATA"]:
        monkeypatch.delenv(name)
    for name in ("COLUMNS", "FORCE_COLOR", "LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 — for code of others; ours is given its generator
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(0)  # that of the processor alone: all take 2 ms a test


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a test that is not marked ``network`` reach this machine only."""
    if request.node.get_closest_marker("network"):
        yield
        return
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not str(address[0]).startswith(LOOPBACK):
            pytest.fail(f"the test tried to reach {address[0]}; mark it 'network' if it must")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    yield
