"""Providers: one folder each, written against `connectors.kit` and nothing else of the program."""
