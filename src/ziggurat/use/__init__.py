"""Using models: sampling, stopping, completion."""
