"""One metric a file: update, merge, value."""
