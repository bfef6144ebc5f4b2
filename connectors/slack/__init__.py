"""Alerts in a channel of Slack, over an incoming webhook."""
