"""Text to syntax tree and back; no mathematics."""
