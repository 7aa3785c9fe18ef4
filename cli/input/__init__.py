"""Inputs: files, standard input and values on the command line, as arrays."""
