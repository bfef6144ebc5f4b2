"""Lotame: onboarding files of email addresses and segments on S3."""
