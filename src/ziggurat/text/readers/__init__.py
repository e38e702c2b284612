"""Formats that text is read from, one a file."""
