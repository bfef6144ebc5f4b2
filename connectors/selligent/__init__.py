"""Selligent: files for the recurring imports of Message Studio."""
