"""Formulas as code and LaTeX, with the functions that libraries lack."""
