"""How other programs write our Transformers down, one form a file: their ``config.json`` and their arrays' names."""
