"""What can go wrong in the engine, each told in a sentence for people.

    CausewayError          `str(error)` says what happened to which thing; `advice` what to do; `details` the rest
    ├── NotFound           no such job, person, authorization …
    ├── Refused            the act makes no sense or would harm; nothing was changed
    ├── WorkspaceInUse     another process is in charge of the workspace
    ├── WorkspaceReadOnly  the folder can't be written to
    ├── NewerWorkspace     written by a newer version of the program
    ├── DatabaseCorrupt    the workspace file is damaged
    ├── DatabaseBusy       another process kept the workspace file locked for too long
    ├── DiskFull           no space left
    ├── NoProcess          the system starts no other process
    ├── VaultLocked        the keyring or the secrets file is locked
    └── VaultMissing       no place to keep secrets

Connectors have a tree of their own with the same three attributes: `connectors.kit.errors`.
"""


class CausewayError(Exception):
    """A failure that is told to the user as it is."""

    def __init__(self, message: str, *, advice: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.details = details


class NotFound(CausewayError):
    """The thing asked for does not exist."""


class Refused(CausewayError):
    """The act was not done, on purpose."""


class WorkspaceInUse(CausewayError):
    """Another process is in charge of the workspace."""


class WorkspaceReadOnly(CausewayError):
    """The workspace folder or its file can't be written to."""


class NewerWorkspace(CausewayError):
    """The workspace was written by a newer version of the program."""


class DatabaseCorrupt(CausewayError):
    """The workspace file is damaged or is no workspace file."""


class DatabaseBusy(CausewayError):
    """The workspace file stayed locked by another process."""


class DiskFull(CausewayError):
    """There is no space left on the disk of the workspace."""


class NoProcess(CausewayError):
    """The system starts no other process: there are too many, or too little memory is left."""


class VaultLocked(CausewayError):
    """The place where secrets lie is locked, or the passphrase is wrong."""


class VaultMissing(CausewayError):
    """This computer offers no keyring and no secrets file was made yet."""
