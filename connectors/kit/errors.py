"""What can go wrong in a connector, told by what to do next.

ConnectorError          a sentence for people; `advice` says what to do, `details` is for the curious
├── InputError          the file or the configuration is wrong: fix the input
│   └── SourceChanged   it is another file than the one that a run began with: begin anew
├── SignInError         the provider refuses the credentials: sign in again
│   ├── HostKeyUnknown  first contact with an SSH server: compare the fingerprint and confirm it
│   └── HostKeyChanged  the server shows another key than before: somebody must look into it
└── WaitError           the network or the provider is in trouble: try again later
    └── Unreached       something is in the way to the provider: a missing VPN, a page that wants a sign-in
"""


class ConnectorError(Exception):
    """A failure told in one sentence (`str(error)`), with `advice` and technical `details`, both possibly empty."""

    def __init__(self, message: str, *, advice: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.details = details


class InputError(ConnectorError):
    """The file or the configuration can't be used as it is."""


class SourceChanged(InputError):
    """What an interrupted run began with is not there any more: it can't go on, but another run can begin."""


class SignInError(ConnectorError):
    """The provider does not accept the credentials."""


class HostKeyUnknown(SignInError):
    """An SSH server was met for the first time; `key` is what to remember once the user confirmed `fingerprint`."""

    def __init__(self, host: str, port: int, key_type: str, fingerprint: str, key: str) -> None:
        super().__init__(
            f"{host} is not known yet. It shows the {key_type} key {fingerprint}.",
            advice="Compare the fingerprint with what the server's owner gave you, then confirm it.",
        )
        self.host, self.port, self.key_type, self.fingerprint, self.key = host, port, key_type, fingerprint, key


class HostKeyChanged(SignInError):
    """An SSH server shows another key than the one that was confirmed."""

    def __init__(self, host: str, port: int, expected: str, fingerprint: str, key: str) -> None:
        super().__init__(
            f"{host} shows another key than before: {fingerprint} instead of {expected}. Nothing was sent to it.",
            advice="Ask the server's owner whether the key was replaced. If so, confirm the new one; if not, "
            "somebody may be listening.",
        )
        self.host, self.port, self.expected, self.fingerprint, self.key = host, port, expected, fingerprint, key


class WaitError(ConnectorError):
    """The network or the provider is in trouble; `retry_after` seconds when the provider named them."""

    def __init__(self, message: str, *, advice: str = "", details: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, advice=advice, details=details)
        self.retry_after = retry_after


class Unreached(WaitError):
    """This computer is online, but no way leads to the provider: what it needs is another network, or a person at it.

    Not for a provider that was met and is in trouble, nor for one that just does not answer: that is a WaitError.
    """
