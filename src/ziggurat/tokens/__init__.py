"""Text to ids with offsets and back: one kind of tokenizer a file, the token store, batches."""
