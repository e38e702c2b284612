"""Write word vectors as a file that other software reads."""

from ziggurat.surface.cli.export import export

__all__ = ["COMMAND"]

COMMAND = export
