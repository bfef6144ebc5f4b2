"""Streams: what came in, as it came."""
