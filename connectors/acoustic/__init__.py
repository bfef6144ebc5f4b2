"""Acoustic Campaign: contacts and what they did, by its XML API and the files on its SFTP server."""
