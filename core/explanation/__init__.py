"""How a derivative comes about, step by step."""
