"""What training minimises, one objective a file; ``loss`` is the mean nats per predicted token in every family."""
