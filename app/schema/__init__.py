"""Fields that a person can hold, and the mappings that fill them from the events of a stream."""
