"""One metric of labels a file: update, merge, value."""
