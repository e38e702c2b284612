"""Measuring models: evaluation, metrics, significance. Bits appear here and in the surface only."""
