"""The one loop that trains every neural family, a part of it in each file; `ziggurat.training.gradient` runs it."""
