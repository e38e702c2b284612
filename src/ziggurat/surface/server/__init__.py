"""Models behind HTTP: what other programs ask them, and what comes back."""
