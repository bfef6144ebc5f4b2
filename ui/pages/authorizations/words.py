"""An authorization in words, as the table says it."""

from __future__ import annotations

from app.authorizations import AuthorizationInfo, KeyInfo
from ui.widgets import words

STATUS = {"works": "ok", "failing": "bad"}


def state_word(info: AuthorizationInfo) -> str:
    """The pill: "Works", "Failing since 21 Nov", "Not checked yet"."""
    if info.state == "works":
        return "Works"
    if info.state == "failing":
        return f"Failing since {_within(words.when(info.state_since))}"
    return "Not checked yet"


def state_meaning(info: AuthorizationInfo) -> str:
    """The line under the pill: when it was checked, or what is wrong."""
    if info.state == "failing":
        return info.state_message
    if info.state == "works" and info.checked_at:
        return f"checked {_within(words.ago(info.checked_at))}"
    return ""


def state_tip(info: AuthorizationInfo) -> str:
    """Everything that is known about the last check."""
    if not info.checked_at:
        return ""
    return f"{info.state_message}\nChecked {words.exact(info.checked_at)}".strip()


def used_by(info: AuthorizationInfo) -> str:
    """ "2 jobs"."""
    return words.count_of(info.used_by, "job") if info.used_by else "No job"


def settings_tip(info: AuthorizationInfo) -> str:
    """Where it leads to, without secrets: "agency@sftp.example"."""
    place = info.settings.get("host") or info.settings.get("folder", "")
    user = info.settings.get("user", "")
    return f"{user}@{place}" if user else place


def key_line(info: KeyInfo) -> str:
    """A PGP key in a line: "RSA 4096 · Maja Holm <maja@…> · expires 2027-03-01"."""
    names = info.names[:1] or ("no name",)
    end = f"expires {info.expires.isoformat()}" if info.expires is not None else "never expires"
    return " · ".join((info.algorithm, *names, end))


def listed(names: list[str], most: int = 5) -> str:
    """Names in quotation marks: "“A”, “B” and 3 more"."""
    shown = [f"“{name}”" for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _within(time: str) -> str:
    """A day's name inside a sentence: "yesterday"."""
    return time.lower() if time in ("Yesterday", "Tomorrow") else time
