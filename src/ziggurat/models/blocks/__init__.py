"""What neural families are made of: attention, positions, normalisation, feed-forward, cache."""
