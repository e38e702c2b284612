"""A plan of a training in words and tables."""
