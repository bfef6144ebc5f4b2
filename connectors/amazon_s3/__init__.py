"""Files of people and events in Amazon S3, and in anything that speaks like it."""
