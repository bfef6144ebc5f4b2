"""Mapp: files of people with Mapp's own column names."""
