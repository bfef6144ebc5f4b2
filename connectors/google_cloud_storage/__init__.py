"""Files of people and events in Google Cloud Storage."""
