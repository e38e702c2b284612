"""Bundles, run folders and the way from a recipe to a bundle. No pickle; every write is atomic."""
