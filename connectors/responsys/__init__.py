"""Responsys: files of what became of messages, by account, on an SFTP server."""
