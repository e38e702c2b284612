"""The package's version, at the bottom of the house so that every room may write it into what it makes."""

__all__ = ["VERSION"]

VERSION = "0.1.0"
