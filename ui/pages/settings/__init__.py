"""What can be set for a workspace and for the window."""
