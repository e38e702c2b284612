"""Know before you spend: memory, time, energy and cost of a training, from what a model is made of and on what."""
