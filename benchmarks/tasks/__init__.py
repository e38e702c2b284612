"""Benchmarks of tasks: how right answers are, beside a floor that was set."""
