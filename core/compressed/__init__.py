"""Derivatives kept in compressed form: few arrays are stored, and their structure is never multiplied out."""
