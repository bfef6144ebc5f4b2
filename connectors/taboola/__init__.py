"""Taboola: files of Taboola ids and audiences on S3."""
