"""LiveRamp: files of people with a column for each audience, on S3 or an SFTP server."""
