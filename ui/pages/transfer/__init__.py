"""Quick transfer: a file from one place to another in one form."""
