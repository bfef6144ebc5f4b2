"""Alerts in a channel of Microsoft Teams, over a webhook of Workflows."""
