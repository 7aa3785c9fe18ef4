"""Whether a claimed derivative is right, and what it is instead."""
