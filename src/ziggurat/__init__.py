"""Ziggurat: the tower of language models on your own text, from counting words to the Transformer."""

__version__ = "0.1.0"
