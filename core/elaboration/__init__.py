"""Syntax tree to graph: names find their values, calls their operators, shapes are checked and inferred."""
