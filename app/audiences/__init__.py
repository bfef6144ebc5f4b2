"""Sets of people: what an export's options name, and who belongs to them."""

from app.audiences.selection import EVERYBODY, SEARCH, Selection, read_selection

__all__ = ["EVERYBODY", "SEARCH", "Selection", "read_selection"]
