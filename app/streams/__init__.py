"""Streams: raw events as they came, and what is known of their fields."""

from app.streams.queries import (
    EventInfo,
    StreamField,
    StreamInfo,
    event_place,
    list_streams,
    stream_events,
    stream_fields,
)

__all__ = [
    "EventInfo",
    "StreamField",
    "StreamInfo",
    "event_place",
    "list_streams",
    "stream_events",
    "stream_fields",
]
