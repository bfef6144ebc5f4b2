"""Streams: raw events as they came, and what is known of their fields."""

from app.streams.queries import (
    EventInfo,
    StreamField,
    StreamInfo,
    StreamRate,
    event_place,
    list_streams,
    stream_events,
    stream_fields,
    stream_rates,
)

__all__ = [
    "EventInfo",
    "StreamField",
    "StreamInfo",
    "StreamRate",
    "event_place",
    "list_streams",
    "stream_events",
    "stream_fields",
    "stream_rates",
]
