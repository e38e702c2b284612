"""Fitting models: counting, the one gradient loop, blending."""
