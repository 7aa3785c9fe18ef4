"""A question with its inputs: what is asked, over which shapes, and the answer as plain records."""
