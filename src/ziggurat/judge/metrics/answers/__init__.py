"""One metric of answers a file: update, merge, value, an interval, and what each example is worth."""
