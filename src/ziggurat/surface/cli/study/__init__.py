"""Experiments over many models: how large should word vectors be?"""

from ziggurat.surface.commands import Commands

__all__ = ["COMMAND"]

COMMAND = Commands(__name__, group="study")
