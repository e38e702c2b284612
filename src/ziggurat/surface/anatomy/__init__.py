"""What a model is made of, drawn: in the terminal, as a picture, as a page."""
