"""Which pages the window has, where each stands in the rail, and how it is made at its first visit.

Each page's module is imported when the page is made, so that a start pays for the first page only.
"""

from __future__ import annotations

from app.engine import Engine
from ui.shell.pages import PageSpec, Shell
from ui.widgets import Page


def page_specs(engine: Engine) -> list[PageSpec]:
    """The pages over `engine`; the first one is shown at a first start."""

    def jobs(shell: Shell) -> Page:
        from ui.pages.jobs.page import JobsPage

        return JobsPage(engine, shell)

    def job(shell: Shell) -> Page:
        from ui.pages.jobs.summary import JobPage

        return JobPage(engine, shell)

    def new_job(shell: Shell) -> Page:
        from ui.pages.new_job.page import NewJobPage

        return NewJobPage(engine, shell)

    def authorizations(shell: Shell) -> Page:
        from ui.pages.authorizations.page import AuthorizationsPage

        return AuthorizationsPage(engine, shell)

    def profiles(shell: Shell) -> Page:
        from ui.pages.profiles.page import ProfilesPage

        return ProfilesPage(engine, shell)

    def profile(shell: Shell) -> Page:
        from ui.pages.profiles.person import PersonPage

        return PersonPage(engine, shell)

    def schema(shell: Shell) -> Page:
        from ui.pages.schema.page import SchemaPage

        return SchemaPage(engine, shell)

    def streams(shell: Shell) -> Page:
        from ui.pages.streams.page import StreamsPage

        return StreamsPage(engine, shell)

    def transfer(shell: Shell) -> Page:
        from ui.pages.transfer.page import TransferPage

        return TransferPage(engine, shell)

    def notifications(shell: Shell) -> Page:
        from ui.pages.notifications.page import NotificationsPage

        return NotificationsPage(engine, shell)

    def settings(shell: Shell) -> Page:
        from ui.pages.settings.page import SettingsPage

        return SettingsPage(engine, shell)

    return [
        PageSpec("jobs", "Jobs", "workflow", jobs),
        PageSpec("job", "Job", build=job, under="jobs"),
        PageSpec("new_job", "New job", build=new_job, under="jobs"),
        PageSpec("authorizations", "Authorizations", "key-round", authorizations),
        PageSpec("transfer", "Quick transfer", "arrow-right-left", transfer),
        PageSpec("profiles", "Profiles", "users", profiles, group=1),
        PageSpec("profile", "Person", build=profile, under="profiles"),
        PageSpec("schema", "Schema", "table", schema, group=1),
        PageSpec("streams", "Streams", "waves", streams, group=1),
        PageSpec("notifications", "Notifications", "bell", notifications, group=2),
        PageSpec("settings", "Settings", "settings", settings, group=2),
    ]
