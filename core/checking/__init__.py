"""Whether the numbers can be trusted: differences, comparisons, and warnings that name the place."""
