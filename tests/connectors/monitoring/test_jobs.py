"""Email alerts against a real SMTP server with TLS and sign-in."""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors.kit.errors import InputError, SignInError, Unreached, WaitError
from connectors.kit.types import AlertEvent, Answer, Credentials, Level
from connectors.monitoring.jobs import check_smtp, email_alert

# What a server without TLS is told off for is what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

FAILED = AlertEvent("2026-11-22T08:30:00.000000Z", "Job “Members”\nfailed", "The disk is full.", "job failed", bad=True)


@dataclass
class Mailbox:
    """What the server was sent, and whom it refuses with which words."""

    port: int = 0
    sent: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default)
        self.sent.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 Message accepted"


@dataclass
class Context:
    credentials: Credentials
    options: dict[str, Any]
    workspace: str = "Shop"
    lines: list[str] = field(default_factory=list)
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    def log(self, message: str, level: Level = "info") -> None:
        self.lines.append(message)

    def request(self, request: Mapping[str, Any]) -> None:
        self.requests.append(request)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@contextmanager
def mail_server(mailbox: Mailbox, certificate: Path, encryption: str) -> Iterator[Credentials]:
    """The server, and credentials that sign in to it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"maja", b"hunter22")
        return AuthResult(success=right, handled=False)

    extra: dict[str, Any] = {
        "starttls": {"tls_context": tls, "require_starttls": True},
        "tls": {"ssl_context": tls, "auth_require_tls": False},
        "none": {"auth_require_tls": False},
    }[encryption]
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=0, authenticator=authenticate, auth_required=True, **extra
    )
    controller.port = mailbox.port = free_port()
    controller.start()
    settings = {
        "host": "127.0.0.1",
        "port": str(controller.port),
        "encryption": encryption,
        "user": "maja",
        "sender": "Causeway <alerts@shop.example>",
    }
    try:
        yield Credentials("monitoring-smtp", settings, {"password": "hunter22"})
    finally:
        controller.stop()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def with_(credentials: Credentials, password: str = "hunter22", **settings: str) -> Credentials:
    return Credentials(credentials.method, {**credentials.settings, **settings}, {"password": password})


def send(credentials: Credentials, events: list[AlertEvent], to: str, log: Callable[[str], Any] = str) -> list[Answer]:
    context = Context(credentials, {"email_address": to})
    answers = asyncio.run(email_alert(context, events))
    for line in context.lines:
        log(line)
    return answers


@pytest.mark.parametrize("encryption", ["starttls", "tls", "none"])
def test_one_message_goes_to_all_addresses(certificate: Path, encryption: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    mailbox = Mailbox()
    with mail_server(mailbox, certificate, encryption) as credentials:
        assert "maja on 127.0.0.1" in asyncio.run(check_smtp(credentials)).description
        assert mailbox.sent == []
        events = [FAILED] * 30
        assert send(credentials, events, "a@shop.example, Bob <b@shop.example>") == [Answer("sent")] * 30
        assert send(credentials, [FAILED], "a@shop.example") == [Answer("sent")]
    many, one = mailbox.sent
    assert many["Subject"] == "[Shop] 30 events: 30 × job failed"
    assert one["Subject"] == "[Shop] Job “Members” failed"
    assert mailbox.recipients == [["a@shop.example", "b@shop.example"], ["a@shop.example"]]
    assert "and 10 earlier events" in many.get_content()
    assert "The disk is full." in one.get_content()
    assert one["Auto-Submitted"] == "auto-generated"
    assert "hunter22" not in str(many) + str(one)


def test_wrong_passwords_and_unknown_certificates_are_told_apart(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(Mailbox(), certificate, "starttls") as credentials:
        with pytest.raises(Unreached, match="can't prove that it is"):
            asyncio.run(check_smtp(credentials))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(SignInError, match="password of maja") as refused:
            asyncio.run(check_smtp(with_(credentials, "wrong-one")))
        assert "wrong-one" not in f"{refused.value} {refused.value.details}"
        with pytest.raises(InputError, match="does not speak TLS"):
            asyncio.run(check_smtp(with_(credentials, encryption="tls")))
    with pytest.raises(WaitError, match="can't be reached"):
        asyncio.run(check_smtp(credentials))
    with pytest.raises(InputError, match="could be read on the way"):
        asyncio.run(check_smtp(with_(credentials, host="smtp.shop.example", encryption="none")))


def test_what_the_server_does_not_take_is_rejected_or_tried_again(certificate: Path) -> None:
    mailbox = Mailbox(refuses={"gone@shop.example": "550 No such user", "full@shop.example": "452 Mailbox full"})
    said: list[str] = []
    with mail_server(mailbox, certificate, "none") as credentials:
        [gone] = send(credentials, [FAILED], "gone@shop.example")
        assert gone.state == "rejected"
        assert "No such user" in gone.reason
        [full] = send(credentials, [FAILED], "full@shop.example")
        assert full.state == "again"
        assert send(credentials, [FAILED], "gone@shop.example, a@shop.example", said.append) == [Answer("sent")]
    assert "gone@shop.example" in said[0]


@pytest.mark.parametrize("text", ["", "nobody", "a@b.example\nBcc: c@d.example", "a@b.example, x y"])
def test_what_is_no_address_is_refused_before_anything_is_sent(text: str) -> None:
    with pytest.raises(InputError, match="address"):
        send(Credentials("monitoring-smtp", {"sender": "a@b.example"}), [FAILED], text)
