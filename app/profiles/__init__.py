"""People: how events become them, finding one, one's page and history, all of them as a file, erasing one."""

from app.profiles.access import event_document, export_person, history_document, person_document
from app.profiles.erasure import Erasure, erase_person
from app.profiles.erasure_plan import ErasurePlan, OtherPerson, plan_erasure
from app.profiles.export import export_profiles
from app.profiles.history import HistoryEntry, count_history, person_history
from app.profiles.person import (
    FieldValue,
    Identifier,
    PersonEvent,
    Profile,
    find_profile,
    get_profile,
    profile_events,
)
from app.profiles.search import ProfileRow, count_matches, count_profiles, search_profiles
from app.profiles.search_index import count_unindexed, index_everybody
from app.profiles.written import FileEffect

__all__ = [
    "Erasure",
    "ErasurePlan",
    "FieldValue",
    "FileEffect",
    "HistoryEntry",
    "Identifier",
    "OtherPerson",
    "PersonEvent",
    "Profile",
    "ProfileRow",
    "count_history",
    "count_matches",
    "count_profiles",
    "count_unindexed",
    "erase_person",
    "event_document",
    "export_person",
    "export_profiles",
    "find_profile",
    "get_profile",
    "history_document",
    "index_everybody",
    "person_document",
    "person_history",
    "plan_erasure",
    "profile_events",
    "search_profiles",
]
