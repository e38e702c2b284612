"""Experiments over many models."""
