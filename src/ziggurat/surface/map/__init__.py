"""Maps of words: where labels go, what is drawn, and the files that come of it."""
