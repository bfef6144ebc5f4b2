"""Omeda: files of people on its SFTP site."""
