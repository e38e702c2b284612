"""Make a bundle of word vectors in a foreign format."""  # noqa: N999 - the command is called import

import importlib

__all__ = ["COMMAND"]

COMMAND = importlib.import_module("ziggurat.surface.cli.import").COMMAND
