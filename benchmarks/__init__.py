"""Measurements against peers: ``python -m benchmarks.NAME [--quick] [--data DIR]``, ours and theirs alternating."""
