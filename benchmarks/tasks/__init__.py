"""What models are good for when they are done: tasks, each measured as its field does."""
