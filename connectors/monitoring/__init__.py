"""Alerts by email, over a mail server of yours."""
