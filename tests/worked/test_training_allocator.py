"""Memory that is kept from step to step: fewer page faults where the C library is glibc, and nothing elsewhere."""

import ctypes
import json
import platform
import subprocess
import sys
from typing import Any

import pytest

from ziggurat.training.allocator import keep_memory

STEPS = """
import json, resource, torch
from ziggurat.training.allocator import keep_memory
torch.set_num_threads(1)
weight = torch.nn.Parameter(torch.ones(61, 61))
given = torch.ones(150_001, 61)
def faults():
    for step in range(11):
        if step == 6:  # until then the heap grows to what steps need
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.relu(given @ weight).square().sum().backward()
        weight.grad = None
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 5
before = faults()
print(json.dumps([before, keep_memory(), faults()]))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory by rules of their own")
def test_pages_are_faulted_in_once_and_not_at_every_step() -> None:
    found = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, check=True, text=True)
    before, kept, after = json.loads(found.stdout)
    assert kept
    # each product, activation or gradient of 37 MB is some 9,000 pages
    assert before > 9000
    assert after < before / 4


class Library:
    """A C library that takes thresholds up to ``most`` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken: dict[int, int] = {}

    gnu_get_libc_version = "2.0"

    def mallopt(self, parameter: int, value: int) -> int:
        if parameter == -3 and value > self.most:
            return 0
        self.taken[parameter] = value
        return 1


@pytest.mark.parametrize("most", [1 << 40, 32 << 20, 1000])
def test_a_library_is_asked_for_what_it_can_do(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(most)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert keep_memory() == (most > 1000)
    wanted = {-1: (1 << 31) - 1}  # never trim
    if most > 1000:
        wanted[-3] = min(most, 1 << 30)
    assert library.taken == wanted


def refuse(_: str) -> Any:
    raise OSError("no such library")


@pytest.mark.parametrize("found", [refuse, lambda _: object()])
def test_other_libraries_are_left_alone(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", found)
    assert not keep_memory()


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_left_alone(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not keep_memory()
