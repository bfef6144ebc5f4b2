"""File formats: how bytes become rows. Everything streams; nothing here knows where the bytes come from."""
