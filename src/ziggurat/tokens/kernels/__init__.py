"""Compiled loops of the tokens room."""
