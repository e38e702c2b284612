"""Ask word vectors: near words, analogies, the odd one out, a map."""

from ziggurat.surface.commands import Commands

__all__ = ["COMMAND"]

COMMAND = Commands(__name__, group="vectors")
