"""Which numbers products are made of, and memory that is kept: rules that a resumed run decides alike."""

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ziggurat.models.decoder import FAMILY
from ziggurat.training import allocator, precision
from ziggurat.training.precision import PAYS_FROM_PARAMETERS, has_bfloat16, trains_in_bfloat16, uses_bfloat16

# -- precision ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def forgotten() -> Any:
    """What is remembered of this processor is not remembered of another."""
    has_bfloat16.cache_clear()
    yield
    has_bfloat16.cache_clear()


def processor(monkeypatch: pytest.MonkeyPatch, flags: str | None) -> None:
    def read(path: Path, **options: Any) -> str:
        assert str(path) == "/proc/cpuinfo"
        if flags is None:
            raise FileNotFoundError(str(path))
        return f"processor\t: 0\nmodel name\t: some\nflags\t\t: fpu sse2 {flags}\n"

    monkeypatch.setattr(Path, "read_text", read)


@pytest.mark.parametrize(
    ("flags", "has"),
    [
        ("avx512f avx512_bf16", True),
        ("amx_bf16 amx_tile", True),
        ("avx512f avx512_fp16 amx_int8", False),
        ("", False),
        (None, False),  # no such file: another system
    ],
)
def test_a_processor_says_what_it_multiplies(flags: str | None, has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, flags)
    assert has_bfloat16() is has


@pytest.mark.parametrize("has", [True, False])
@pytest.mark.parametrize("parameters", [1, PAYS_FROM_PARAMETERS - 1, PAYS_FROM_PARAMETERS, 10**12])
def test_auto_is_for_large_networks_where_the_processor_has_it(
    has: bool, parameters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: has)
    assert trains_in_bfloat16("auto", parameters) is (has and parameters >= PAYS_FROM_PARAMETERS)
    # who says which has that one
    assert trains_in_bfloat16("bf16", parameters) is True
    assert trains_in_bfloat16("f32", parameters) is False


class Seen:
    """Whatever a network shows to those who choose its precision."""

    def __init__(self, device: str, parameter_count: int) -> None:
        self.device = torch.device(device)
        self.parameter_count = parameter_count


@pytest.mark.parametrize("supported", [True, False])
def test_on_a_gpu_auto_is_what_it_has_at_any_size(supported: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: supported)
    monkeypatch.setattr(precision, "has_bfloat16", lambda: not supported)
    there: Any = Seen("cuda", 1)
    assert uses_bfloat16("auto", there) is supported
    assert uses_bfloat16("bf16", there) is True
    assert uses_bfloat16("f32", there) is False
    large: Any = Seen("cpu", 10**9)
    assert uses_bfloat16("auto", large) is not supported


def test_a_network_is_asked_for_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    network = FAMILY.tiny(seed=3).network
    monkeypatch.setattr(precision, "PAYS_FROM_PARAMETERS", network.parameter_count)
    assert uses_bfloat16("auto", network)
    monkeypatch.setattr(precision, "PAYS_FROM_PARAMETERS", network.parameter_count + 1)
    assert not uses_bfloat16("auto", network)


# -- memory that is kept -----------------------------------------------------------------------------------------------

FAULTS = """
import resource, sys
from ziggurat.training.allocator import keep_memory
import numpy as np

kept = keep_memory() if sys.argv[1] == "keep" else False

def step():
    rows = [np.ones(300_000, np.float64) for _ in range(7)]  # 2.4 MB each: above what a C library keeps by itself
    return sum(float(row[-1]) for row in rows)

for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> tuple[bool, int]:
    """Whether a process of its own keeps memory, and the pages that the system had to clear for five steps."""
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    kept, pages = done.stdout.split()
    return kept == "1", int(pages)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other C libraries")
def test_pages_are_cleared_once_and_not_at_every_step() -> None:
    kept, pages = faults("keep")
    if not kept:
        pytest.skip("the C library is not glibc")
    # 7 arrays of 2.4 MB are 4,101 pages of 4 kB, which would otherwise come anew at each of the five steps
    assert pages < 500
    assert faults("leave")[1] > 5 * pages


class Library:
    """A C library that notes what it is told."""

    def __init__(self, answer: int = 1, *, glibc: bool = True) -> None:
        self.told: list[tuple[int, int]] = []
        self.answer = answer
        if glibc:
            self.gnu_get_libc_version = lambda: b"2.36"

    def mallopt(self, option: int, value: int) -> int:
        self.told.append((option, value))
        return self.answer


def test_both_thresholds_are_set_and_fit_an_int(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert allocator.keep_memory() is True
    # M_MMAP_THRESHOLD is −3 and M_TRIM_THRESHOLD −1 in <malloc.h>; mallopt takes an int, of 31 bits and a sign
    assert [option for option, _ in library.told] == [-3, -1]
    assert all(0 < value < 2**31 for _, value in library.told)


def test_a_library_that_refuses_is_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library(answer=0))
    assert allocator.keep_memory() is False


def test_other_libraries_and_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Library(glibc=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: other)
    assert allocator.keep_memory() is False

    def missing(name: str) -> Library:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert allocator.keep_memory() is False
    for system in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(ctypes, "CDLL", lambda name: pytest.fail("it was looked for"))
        assert allocator.keep_memory() is False
    assert other.told == []
