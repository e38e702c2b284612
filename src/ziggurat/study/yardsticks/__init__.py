"""What a study can measure models by, one yardstick a file."""
