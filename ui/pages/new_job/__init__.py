"""Making a job, step by step."""
