"""Which events belong to the same person, and which of several values counts."""
