"""Graphs of tensors and everything that is read off them: derivatives, numbers, formulas and checks."""
