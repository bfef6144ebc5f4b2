"""The settings of a workspace, each declared once: name, kind of value, default, one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import Refused


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `choices` limits a text, `least` and `most` a number."""

    name: str
    default: str | int | bool
    sentence: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0

    def checked(self, value: object) -> str | int | bool:
        """The value if the setting can have it. Raises Refused."""
        if type(value) is not type(self.default) or not isinstance(value, (str, int, bool)):
            raise Refused(f"{self.name} can't be {value!r}.")
        if self.choices and value not in self.choices:
            raise Refused(f"{self.name} can't be {value!r}.", advice=f"Choose one of: {', '.join(self.choices)}.")
        if self.most and isinstance(value, int) and not self.least <= value <= self.most:
            raise Refused(f"{self.name} can't be {value}.", advice=f"Choose {self.least} to {self.most}.")
        return value


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("theme", "system", "The colours of the window.", choices=("system", "light", "dark")),
        Setting("workers", 4, "How many jobs run at once; the others wait for their turn.", least=1, most=16),
        Setting(
            "run_memory_mb",
            2_048,
            "Megabytes of memory that one run may use; a run that needs more is stopped, the others go on.",
            least=512,
            most=65_536,
        ),
        Setting("fail_after_hours", 10, "After so many hours of nothing but errors a job gives up.", least=1, most=168),
        Setting(
            "keep_ended_days",
            90,
            "Jobs that are paused, failed or completed are removed so many days after their last change.",
            least=7,
            most=3650,
        ),
        Setting(
            "keep_log_lines",
            20_000,
            "So many lines of its log are kept of each job; the oldest ones are let go.",
            least=1_000,
            most=100_000,
        ),
        Setting("check_hours", 24, "Authorizations are tried so many hours after their last check.", least=1, most=720),
        Setting(
            "proxy",
            "",
            "Address of the proxy through which requests go, such as http://proxy.agency.example:3128; empty for what "
            "the system says.",
        ),
        Setting("notify_failed", True, "The desktop says when a job fails or a quota is reached."),
        Setting("notify_completed", False, "The desktop says when a job is completed."),
        Setting("notify_authorizations", True, "The desktop says when an authorization fails or works again."),
    )
}
