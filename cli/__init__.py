"""The command line: commands, inputs and screens; the only part that knows the terminal."""
