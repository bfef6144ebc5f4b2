"""Files of people and events in a folder: on an SFTP server or on this computer."""
