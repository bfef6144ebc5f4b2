"""Signing in to an SSH server: reach it, make sure it is the right one, then show who we are."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import re
import socket

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from connectors.kit.errors import (
    ConnectorError,
    HostKeyChanged,
    HostKeyUnknown,
    InputError,
    SignInError,
    Unreached,
    WaitError,
)
from connectors.kit.network import BROWSER, obstacle
from connectors.kit.places.transfer import BufferedPacketizer

KEEPALIVE_SECONDS = 20
UNANSWERED_SECONDS = 60

_AGENT_KEYS = 5
"""Servers hang up after six wrong ones."""

_HOST_KEY_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}
_KEY_CLASSES: tuple[tuple[type, type[paramiko.PKey]], ...] = (
    (ed25519.Ed25519PrivateKey, paramiko.Ed25519Key),
    (ec.EllipticCurvePrivateKey, paramiko.ECDSAKey),
    (rsa.RSAPrivateKey, paramiko.RSAKey),
)
_OPENSSH_MARK = "-----BEGIN OPENSSH PRIVATE KEY-----"


def fingerprint(key: str) -> str:
    """`SHA256:…` as OpenSSH prints it, of a host key written as "type base64"."""
    return _fingerprint(base64.b64decode(key.split()[1]))


def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def connect_ssh(
    host: str,
    port: int,
    username: str,
    *,
    password: str | None = None,
    private_key: str | None = None,
    passphrase: str | None = None,
    known_host_key: str | None = None,
    timeout: float = 15,
) -> paramiko.Transport:
    """A signed-in connection. `known_host_key` is "type base64" as it was confirmed; `timeout` seconds a step.

    Nothing secret is sent before the server has shown the known key. With a key and a password the key is tried
    first; with neither, the keys that the ssh-agent of this computer holds.
    Raises SignInError (HostKeyUnknown, HostKeyChanged among them) and WaitError.
    """
    key = load_private_key(private_key, passphrase) if private_key and private_key.strip() else None
    sock = _reach(host, port, timeout)
    # Without this each small request waits some 40 ms for the confirmation of the one before.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Else a connection that takes nothing any more is given up after a quarter of an hour.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_SECONDS * 1000)
    transport = paramiko.Transport(sock, packetizer_class=BufferedPacketizer)
    try:
        silence(transport)
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = timeout
        options = transport.get_security_options()
        # GCM costs half of what counter mode with its separate checksum costs.
        options.ciphers = sorted(options.ciphers, key=lambda name: "gcm" not in name)
        if known_host_key:
            expected = known_host_key.split()[0]
            wanted = _HOST_KEY_ALGORITHMS.get(expected, (expected,))
            options.key_types = sorted(options.key_types, key=lambda name: name not in wanted)
        _check_host_key(_greet(transport, host, port, timeout), host, port, known_host_key)
        _sign_in(transport, host, username, key, password)
        transport.set_keepalive(KEEPALIVE_SECONDS)
    except BaseException:
        transport.close()
        raise
    return transport


def silence(transport: paramiko.Transport) -> None:
    """Keep paramiko's tracebacks off the screen: what matters of them is raised as an exception as well."""
    name = "connectors.kit.places.paramiko"
    logging.getLogger(name).disabled = True
    transport.set_log_channel(name)


def _reach(host: str, port: int, timeout: float) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout=timeout)
    except ConnectionRefusedError as error:
        raise WaitError(
            f"{host} does not answer on port {port}.",
            advice="Check the port; if it is right, the SFTP server may be switched off for the moment.",
            details=str(error),
        ) from error
    except TimeoutError as error:
        _raise_obstacle(host, error)
        raise WaitError(
            f"{host} did not answer on port {port} within {timeout:g} seconds.",
            advice="Check the host and port; a firewall may ask for your address to be allowed first.",
            details=str(error),
        ) from error
    except (OSError, UnicodeError, OverflowError) as error:
        _raise_obstacle(host, error)
        raise WaitError(
            f"{host} can't be reached on port {port}.",
            advice="Check the host and port and whether this computer is online.",
            details=str(error),
        ) from error


def _raise_obstacle(host: str, error: Exception) -> None:
    found = obstacle(host, error)
    if found is not None:
        raise found from error


def _greet(transport: paramiko.Transport, host: str, port: int, timeout: float) -> paramiko.PKey:
    """Exchange greetings and keys with the server; the key it shows."""
    try:
        transport.start_client(timeout=timeout)
        # After a timeout the start just returns, and this says that there is no session.
        return transport.get_remote_server_key()
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise InputError(
            f"{host} only speaks outdated kinds of encryption, which are not safe any more.",
            advice="Ask its owner to update the server.",
            details=str(error),
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        first = getattr(transport.packetizer, "first_line", "")
        if first.startswith(("HTTP/", "<")):
            raise Unreached(
                f"A web page answers in place of the SFTP server {host}.",
                advice=f"{BROWSER} If not, check the port (usually 22).",
                details=first[:200],
            ) from error
        raise WaitError(
            f"What answers on port {port} of {host} is no SFTP server, or it hung up.",
            advice="Check the port (usually 22) and try again later.",
            details=str(error),
        ) from error


def _check_host_key(shown: paramiko.PKey, host: str, port: int, known: str | None) -> None:
    key = f"{shown.get_name()} {shown.get_base64()}"
    if not known:
        kind = shown.get_name().removeprefix("ssh-").split("-")[0].upper()
        raise HostKeyUnknown(host, port, kind, _fingerprint(shown.asbytes()), key)
    if known.split()[:2] != key.split():
        raise HostKeyChanged(host, port, fingerprint(known), _fingerprint(shown.asbytes()), key)


def _sign_in(
    transport: paramiko.Transport, host: str, username: str, key: paramiko.PKey | None, password: str | None
) -> None:
    """Try the key, then the password; a server may want both."""
    if key is None and not password:
        _sign_in_by_agent(transport, host, username)
        return
    refused: list[str] = []
    allowed: list[str] = []
    for what in ("private key", "password"):
        try:
            if what == "private key" and key is not None:
                allowed = transport.auth_publickey(username, key)
            elif what == "password" and password:
                allowed = transport.auth_password(username, password)
            else:
                continue
            if transport.is_authenticated():
                return
        except paramiko.BadAuthenticationType as error:
            refused.append(what)
            allowed = error.allowed_types
        except paramiko.AuthenticationException:
            refused.append(what)
        except (paramiko.SSHException, EOFError, OSError) as error:
            if not refused:
                raise _hung_up(host, error) from error
            refused.append(what)
            break
    if not refused:
        raise SignInError(
            f"{host} wants more than a {'private key' if key else 'password'} from {username}: {', '.join(allowed)}.",
            advice="Enter what is missing in the authorization, or ask the server's owner.",
        )
    advice = "Check the user name and the " + " and the ".join(refused) + "."
    if allowed and "password" in refused and not {"password", "keyboard-interactive"} & set(allowed):
        advice = "This server takes no passwords; enter a private key in the authorization."
    elif allowed and refused == ["private key"] and "publickey" not in allowed:
        advice = "This server takes no keys; enter a password in the authorization."
    elif refused == ["private key"]:
        advice = f"Check the user name, and that the public half of the key was added for {username} on the server."
    raise SignInError(
        f"{host} does not accept the {' or the '.join(refused)} of {username}.",
        advice=advice,
        details=f"The server takes: {', '.join(allowed)}" if allowed else "",
    )


def _sign_in_by_agent(transport: paramiko.Transport, host: str, username: str) -> None:
    """Try the keys that an ssh-agent holds."""
    try:
        agent = paramiko.Agent()
        keys = agent.get_keys()
    except (paramiko.SSHException, OSError, EOFError):
        agent, keys = None, ()
    try:
        if not keys:
            raise SignInError(
                f"Neither a password nor a private key is given for {username} on {host}.",
                advice="Enter one of them in the authorization, or add your key to the ssh-agent of this computer.",
            )
        for key in keys[:_AGENT_KEYS]:
            try:
                allowed = transport.auth_publickey(username, key)
            except paramiko.AuthenticationException:
                continue
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise _hung_up(host, error) from error
            if transport.is_authenticated():
                return
            raise SignInError(
                f"{host} wants more than a private key from {username}: {', '.join(allowed)}.",
                advice="Enter what is missing in the authorization, or ask the server's owner.",
            )
    finally:
        if agent is not None:
            agent.close()
    tried = f"the first {_AGENT_KEYS} keys" if len(keys) > _AGENT_KEYS else "any key"
    raise SignInError(
        f"{host} does not accept {tried} of the ssh-agent for {username}.",
        advice="Enter a password or a private key in the authorization.",
    )


def _hung_up(host: str, error: Exception) -> ConnectorError:
    return WaitError(f"{host} broke off the connection during sign-in.", advice="Try again later.", details=str(error))


def load_private_key(text: str, passphrase: str | None) -> paramiko.PKey:
    """A private key in OpenSSH or PEM form (RSA, ECDSA, Ed25519). Raises SignInError that says what to do."""
    text = "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
    if text.startswith("PuTTY-User-Key-File"):
        raise SignInError(
            "The private key is in PuTTY's format, which can't be read here.",
            advice="Open it in PuTTYgen, choose Conversions → Export OpenSSH key, and use the exported key.",
        )
    if re.match(r"(ssh-|ecdsa-|-----BEGIN PUBLIC|---- BEGIN SSH2 PUBLIC)", text):
        raise SignInError(
            "This is the public half of a key; signing in needs the private one.",
            advice="Use the file of the same name without .pub at its end.",
        )
    key = _open_key(text, passphrase)
    for kind, reader in _KEY_CLASSES:
        if isinstance(key, kind):
            plain = key.private_bytes(  # type: ignore[attr-defined]
                serialization.Encoding.PEM,
                serialization.PrivateFormat.OpenSSH,
                serialization.NoEncryption(),
            )
            try:
                return reader.from_private_key(io.StringIO(plain.decode("ascii")))
            except paramiko.SSHException as error:
                raise _unreadable(error) from error
    raise SignInError(
        "The private key is of a kind that is not safe or not known any more.",
        advice="Make a new one, for instance with ssh-keygen -t ed25519.",
        details=type(key).__name__,
    )


def _open_key(text: str, passphrase: str | None) -> object:
    load = serialization.load_ssh_private_key if text.startswith(_OPENSSH_MARK) else serialization.load_pem_private_key
    data = text.encode("utf-8")
    try:
        return load(data, None)
    except TypeError:
        # Only a protected key lets it complain about the type of a missing password.
        pass
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(error) from error
    if not passphrase:
        raise SignInError(
            "The private key is protected by a passphrase.", advice="Enter its passphrase in the authorization."
        )
    try:
        return load(data, passphrase.encode("utf-8"))
    except (ValueError, TypeError) as error:
        raise SignInError(
            "The passphrase does not open the private key.",
            advice="Check the passphrase; capitals count.",
            details=str(error),
        ) from error
    except UnsupportedAlgorithm as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> SignInError:
    return SignInError(
        "The private key can't be read: it is damaged or incomplete.",
        advice="Copy the whole file, from the BEGIN line to the END line.",
        details=str(error),
    )
