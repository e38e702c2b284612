"""What a model is trained on: devices by name from data sheets, by numbers of one's own, or this machine, measured."""

import dataclasses
import functools
import json
import time
import tomllib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ziggurat.core.compiled import cache_folder, thread_count
from ziggurat.core.config import from_mapping, option
from ziggurat.core.errors import UnknownNameError, UsageError, ZigguratError
from ziggurat.core.files import write_text
from ziggurat.core.version import VERSION
from ziggurat.training.rates import Machine, of_mapping

__all__ = ["HERE", "OWN", "Device", "Hardware", "as_measured", "check_complete", "here", "named", "names"]

HERE = "here"
"""The name of this machine."""
OWN = "own"
"""The name of what is given by numbers alone."""
GIGA, TERA = 1e9, 1e12


@dataclass(frozen=True)
class Device:
    """One device and what joins it to others, in the units of data sheets."""

    title: str = option("", "what people call it")
    source: str = option("", "where its figures come from")
    memory_gb: float = option(0.0, "memory of a device in GB", low=0)
    bandwidth_gb: float = option(0.0, "GB/s of a device's memory", low=0)
    bf16_tflops: float = option(0.0, "TFLOP/s of 16-bit matrix products, dense", low=0)
    f32_tflops: float = option(0.0, "TFLOP/s of 32-bit matrix products", low=0)
    per_node: int = option(1, "devices of a node", low=1)
    link_gb: float = option(0.0, "GB/s between devices of a node, one direction", low=0)
    network_gb: float = option(0.0, "GB/s between nodes for each device, one direction", low=0)
    watts: float = option(0.0, "power of a device in watts", low=0)


@dataclass(frozen=True)
class Hardware:
    """So many devices of one kind."""

    name: str
    device: Device
    devices: int = 1
    machine: Machine | None = None
    """What was measured of a device, where it is this machine."""

    @property
    def nodes(self) -> int:
        """Nodes, the last one perhaps not full."""
        return -(-self.devices // self.device.per_node)

    @property
    def memory_bytes(self) -> float:
        """Bytes of a device's memory."""
        return GIGA * self.device.memory_gb

    @property
    def bandwidth(self) -> float:
        """Bytes a second of a device's memory."""
        return GIGA * self.device.bandwidth_gb

    def peak(self, precision: str) -> float:
        """Return the operations a second that are promised, or that the fastest product measured here reaches."""
        return TERA * (self.device.bf16_tflops if precision == "bf16" else self.device.f32_tflops)

    @property
    def link(self) -> float:
        """Bytes a second that a device sends to the next one of a ring over all of them: the slowest part of it.

        *Maths.* In a ring each device sends to one other. Where there are several nodes, some of these steps cross
        the network, and all wait for the slowest.
        """
        inside, outside = GIGA * self.device.link_gb, GIGA * self.device.network_gb
        if self.devices == 1:
            return float("inf")
        if self.nodes == 1:
            return inside
        return min(inside, outside) if self.device.per_node > 1 else outside


@functools.cache
def _sheets() -> dict[str, Device]:
    text = resources.files("ziggurat.study.planning").joinpath("hardware.toml").read_text(encoding="utf-8")
    return {
        name: from_mapping(Device, keys, where=f"hardware.toml [{name}]") for name, keys in tomllib.loads(text).items()
    }


def names() -> tuple[str, ...]:
    """Return the names of all hardware that there is a data sheet of."""
    return tuple(_sheets())


def named(name: str, *, devices: int = 1, changes: Mapping[str, Any] | None = None) -> Hardware:
    """Return ``devices`` devices by name, with ``changes`` in place of what their data sheet says.

    Raises:
        UnknownNameError: there is no data sheet of this name; the nearest is named.
        UsageError: `OWN` lacks a figure that a plan needs.
    """
    changes = changes or {}
    if name != OWN and name not in _sheets():
        raise UnknownNameError("hardware", name, [*_sheets(), HERE, OWN], where="--hardware")
    first = Device(title="numbers of your own", source="given") if name == OWN else _sheets()[name]
    return Hardware(name, dataclasses.replace(first, **changes), devices)


def here(
    *,
    devices: int = 1,
    changes: Mapping[str, Any] | None = None,
    again: bool = False,
    told: Callable[[], None] = lambda: None,
    measure: Callable[[], Machine] | None = None,
) -> Hardware:
    """Return this machine, measured now or as it was measured before.

    *Idea.* The figures are kept in the cache folder for each number of threads; ``again`` measures anew. ``told`` is
    called before a measurement, which takes some seconds.
    """
    machine = None if again else _remembered()
    if machine is None:
        told()
        machine = (measure or _measure)()
        _remember(machine)
    return as_measured(machine, devices=devices, changes=changes)


def as_measured(machine: Machine, *, devices: int = 1, changes: Mapping[str, Any] | None = None) -> Hardware:
    """Return a machine whose rates are known as hardware: ``devices`` of them share its memory.

    Processes on one machine hand each other what they send through its memory: written, read, and summed by being read
    and written once more, so a quarter of its bandwidth is what a ring has.
    """
    most = {
        name: max(value for _, curve in machine.of(name).products for _, value in curve) for name in ("f32", "bf16")
    }
    device = Device(
        title=f"this machine, {machine.threads} thread{'s' * (machine.threads > 1)}",
        source="measured here",
        memory_gb=machine.memory_bytes / GIGA / devices,
        bandwidth_gb=machine.bandwidth / GIGA,
        bf16_tflops=most["bf16"] / TERA,
        f32_tflops=most["f32"] / TERA,
        per_node=devices,
        link_gb=machine.bandwidth / GIGA / 4,
    )
    return Hardware(HERE, dataclasses.replace(device, **(changes or {})), devices, machine)


def _measure() -> Machine:
    from ziggurat.training.speed import measure

    return measure()


def _file() -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder.parent / f"machine-{VERSION}-{thread_count()}.json"


def _remembered() -> Machine | None:
    path = _file()
    with suppress(OSError, ValueError, ZigguratError):  # what can't be read is measured again
        if path is not None:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return of_mapping(kept["machine"]) if kept["processor"] == _processor() else None
    return None


def _remember(machine: Machine) -> None:
    path = _file()
    if path is not None:
        with suppress(OSError, ZigguratError):  # a plan without a cache is a plan all the same
            facts = {"processor": _processor(), "measured": time.time(), "machine": machine.to_mapping()}
            write_text(path, json.dumps(facts))


def _processor() -> str:
    """Return what the system says of its processor, so that a cache folder that moved does not speak for another."""
    import platform

    with suppress(OSError, StopIteration, UnicodeDecodeError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line for line in lines if line.startswith("model name")).partition(":")[2].strip()
    return platform.processor() or platform.machine()


def check_complete(hardware: Hardware, precision: str) -> None:
    """Refuse hardware that lacks what a plan is made of.

    Raises:
        UsageError: a figure is missing; the message names the option that gives it.
    """
    device = hardware.device
    needed = {
        "--memory": device.memory_gb,
        "--bandwidth": device.bandwidth_gb,
        f"--{precision}-tflops": hardware.peak(precision),
    }
    if hardware.devices > 1 and device.per_node > 1:
        needed["--link"] = device.link_gb
    if hardware.nodes > 1:
        needed["--network"] = device.network_gb
    for flag, value in needed.items():
        if not value:
            raise UsageError(f"{flag}: {hardware.name} does not say; give a number")
