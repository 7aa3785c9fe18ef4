"""Closed forms of problems: chosen, compared with the numbers, and attached to answers."""
