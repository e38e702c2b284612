"""The command line: one command a file, found by listing the folder."""
