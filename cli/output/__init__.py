"""Outputs: screens, tables, documents and JSON."""
