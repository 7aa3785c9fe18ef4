"""Graph to formula: the closed form in matrix notation, as a syntax tree that evaluates to the same numbers."""
