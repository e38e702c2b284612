"""Model families: ids to log-probabilities, never a string. One family a file."""
