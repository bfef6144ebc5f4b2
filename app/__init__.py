"""The engine of Causeway: everything a person can do, without a window."""

__version__ = "0.1.0"
