"""Files of people and events in Azure Blob Storage."""
