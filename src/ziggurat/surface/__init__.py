"""What people touch: command line, report, Python API. Thin, no arithmetic."""
