"""Compiled kernels for counting and sorting."""
