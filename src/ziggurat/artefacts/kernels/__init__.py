"""Compiled loops over the text of foreign formats."""
