"""People: how events become them, finding one, one's page, and all of them as a file."""

from app.profiles.access import export_person, person_document
from app.profiles.export import export_profiles
from app.profiles.person import (
    FieldValue,
    PersonEvent,
    Profile,
    delete_profile,
    find_profile,
    get_profile,
    profile_events,
)
from app.profiles.search import ProfileRow, count_matches, count_profiles, search_profiles

__all__ = [
    "FieldValue",
    "PersonEvent",
    "Profile",
    "ProfileRow",
    "count_matches",
    "count_profiles",
    "delete_profile",
    "export_person",
    "export_profiles",
    "find_profile",
    "get_profile",
    "person_document",
    "profile_events",
    "search_profiles",
]
