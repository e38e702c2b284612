"""What recipes say of themselves, by their names, and of their keys, by the English of the source: in Chinese."""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

__all__ = ["heads", "keys"]


@functools.cache
def heads() -> Mapping[str, str]:
    """Return by name what each recipe that comes with Ziggurat says of itself."""
    return _read("heads")


@functools.cache
def keys() -> Mapping[str, str]:
    """Return what stands for the explanation of each key."""
    return _read("keys")


def _read(name: str) -> dict[str, str]:
    return tomllib.loads(resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
