"""The model families that there are, by the names of the files in this folder."""

from typing import TYPE_CHECKING

from ziggurat.core.registry import Registry

if TYPE_CHECKING:
    from ziggurat.core.protocols import Family

__all__ = ["FAMILIES"]

FAMILIES: Registry["Family"] = Registry("ziggurat.models", "FAMILY", kind="model family")
"""Every module here that assigns ``FAMILY``; a family is imported when it is asked for by name, and not before."""
