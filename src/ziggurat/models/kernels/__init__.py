"""Compiled look-ups that families query with."""
