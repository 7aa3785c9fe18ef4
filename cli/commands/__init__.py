"""The commands: their names, options and texts, and what each of them does."""
