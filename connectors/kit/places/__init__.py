"""Places that hold files: a folder on this computer, an SFTP server. All look the same from outside."""
