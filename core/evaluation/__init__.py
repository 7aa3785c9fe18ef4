"""Evaluation: from graphs to NumPy calls, in a good order and in memory that is used again."""
