"""Email alerts: sign in to a mail server, and send one message for what happened."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from connectors.kit.alerts import headline, moment, rejected, sent, shortened, told
from connectors.kit.errors import ConnectorError, InputError, SignInError, Unreached, WaitError
from connectors.kit.network import BROWSER, SECONDS, is_this_computer, obstacle, trusted
from connectors.kit.types import Account, AlertContext, AlertEvent, Answer, Credentials

ADDRESS = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@[^@\s,;:<>()\[\]\\\"]+")


async def check_smtp(credentials: Credentials) -> Account:
    """Sign in to the mail server; nothing is sent."""
    settings = credentials.settings
    address(settings["sender"])
    with _server(credentials) as server:
        server.noop()
    who = settings.get("user") or "nobody in particular"
    return Account(f"{who} on {settings['host']}, as {settings['sender']}")


async def email_alert(context: AlertContext, events: Sequence[AlertEvent]) -> list[Answer]:
    """One message to all addresses. A mail server that refuses some of them is told of in the log."""
    recipients = addresses(str(context.options.get("email_address") or ""))
    message = _message(context, events, recipients)
    with _server(context.credentials) as server:
        settings = context.credentials.settings
        context.request(
            {"action": "send mail", "host": settings["host"], "port": settings["port"], "recipients": recipients}
        )
        try:
            refused = server.send_message(message, to_addrs=recipients)
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(events, error.recipients)
        except smtplib.SMTPSenderRefused as error:
            return _answered(
                events, error.smtp_code, f"The mail server does not send as {error.sender}", error.smtp_error
            )
        except smtplib.SMTPDataError as error:
            return _answered(events, error.smtp_code, "The mail server does not take the message", error.smtp_error)
    for recipient, (_, reason) in refused.items():
        context.log(f"The mail server does not take mail for {recipient}: {_said(reason)}", "warning")
    return sent(events)


def addresses(text: str) -> list[str]:
    """Addresses parted by commas. Raises InputError for one that is none, and for none at all."""
    found = [address(part) for part in re.split(r"[,;\n]", text) if part.strip()]
    if not found:
        raise InputError("There is no address to send to.", advice="Enter one, or several separated by commas.")
    return found


def address(text: str) -> str:
    """The bare address in "Maja <maja@shop.example>". Raises InputError."""
    found = parseaddr(" ".join(text.split()))[1]
    # With a colon it would be a group, or a header.
    if ":" in text or not ADDRESS.fullmatch(found):
        raise InputError(f"“{text.strip()}” is no email address.", advice="Write it like maja@shop.example.")
    return found


def _message(context: AlertContext, events: Sequence[AlertEvent], recipients: list[str]) -> EmailMessage:
    sender = context.credentials.settings["sender"]
    message = EmailMessage()
    message["Subject"] = f"[{shortened(context.workspace, 40)}] {headline(events)}"
    message["From"] = " ".join(sender.split())
    message["To"] = ", ".join(recipients)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=address(sender).partition("@")[2])
    # So that nobody's "I am on holiday" answers it.
    message["Auto-Submitted"] = "auto-generated"
    shown, others = told(events)
    lines = []
    for event in shown:
        lines += [f"{event.title}", f"    {moment(event)}"]
        if event.message:
            lines.append(f"    {shortened(event.message)}")
        lines.append("")
    if others:
        lines += [others, ""]
    lines.append(f"Sent by Causeway, workspace “{context.workspace}”. Pause or edit the alert there to change this.")
    message.set_content("\n".join(lines))
    return message


@contextmanager
def _server(credentials: Credentials) -> Iterator[smtplib.SMTP]:
    """A signed-in connection. Raises SignInError, InputError, WaitError."""
    settings = credentials.settings
    host, user = settings["host"], settings.get("user", "")
    port = _port(settings["port"])
    encryption = settings.get("encryption", "starttls")
    if encryption == "none" and user and not is_this_computer(host):
        raise InputError(
            "Without encryption the password could be read on the way; nothing was sent.",
            advice="Choose STARTTLS or TLS.",
        )
    try:
        if encryption == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=trusted())
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        with server:
            if encryption == "starttls":
                server.starttls(context=trusted())
            if user:
                server.login(user, credentials.secrets.get("password", ""))
            yield server
    except ConnectorError:
        raise
    except (smtplib.SMTPException, OSError) as error:
        raise _problem(error, host, encryption, user) from None


def _problem(error: Exception, host: str, encryption: str, user: str) -> ConnectorError:
    match error:
        case smtplib.SMTPAuthenticationError() if error.smtp_code < 500:
            return WaitError(f"{host} can't check the password now.", details=_said(error.smtp_error))
        case smtplib.SMTPAuthenticationError():
            return SignInError(
                f"{host} does not accept the password of {user}.",
                advice="Check both. Some providers want a password made for programs (“app password”).",
                details=_said(error.smtp_error),
            )
        case smtplib.SMTPNotSupportedError() if encryption == "starttls":
            return InputError(f"{host} does not offer STARTTLS at this port.", advice="Choose TLS, usually port 465.")
        case smtplib.SMTPNotSupportedError():
            return InputError(f"{host} does not let anybody sign in at this port.", advice="Check port and encryption.")
        case ssl.SSLCertVerificationError():
            # Often a hotel's sign-in page, which is over tomorrow.
            return Unreached(
                f"{host} can't prove that it is {host}; nothing was sent to it.",
                advice=f"{BROWSER} If not, check the name of the server; the certificate of your company's own must be "
                "known here.",
                details=error.verify_message,
            )
        case ssl.SSLError():
            return InputError(f"{host} does not speak TLS at this port.", advice="Choose STARTTLS, usually port 587.")
        case smtplib.SMTPResponseException():
            return WaitError(f"{host} is in trouble (error {error.smtp_code}).", details=_said(error.smtp_error))
    found = obstacle(host, error)
    if found is not None:
        return found
    return WaitError(
        f"{host} can't be reached, or hung up.", advice="Check host and port.", details=type(error).__name__
    )


def _refused(events: Sequence[AlertEvent], recipients: dict[str, tuple[int, bytes]]) -> list[Answer]:
    """Nobody gets it: for good, unless the server says of somebody that it is only for now."""
    first, (_, reason) = next(iter(recipients.items()))
    lowest = min(code for code, _ in recipients.values())
    return _answered(events, lowest, f"The mail server does not take mail for {first}", reason)


def _answered(events: Sequence[AlertEvent], code: int, sentence: str, reason: bytes | str) -> list[Answer]:
    said = f"{sentence}: {_said(reason)}"
    return rejected(events, said) if code >= 500 else [Answer("again", said) for _ in events]


def _said(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return shortened(text)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise InputError(f"{text} is no port.", advice="Enter a number from 1 to 65535, usually 587 or 465.")
    return int(text)
