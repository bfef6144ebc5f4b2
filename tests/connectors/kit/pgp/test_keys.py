"""Keys as people paste them, whole and broken, good and bad."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from peers.pgp import PASSPHRASE, KeyPair, PgpPeer

from connectors.kit.errors import InputError
from connectors.kit.pgp import gpg
from connectors.kit.pgp.gpg import GpgMissing, advice, find_gpg, gpg_version
from connectors.kit.pgp.keys import check_private_key, check_public_key

TODAY = datetime.now(UTC).date()


def test_a_key_is_described(pgp: PgpPeer) -> None:
    info = check_public_key(pgp.rsa.public)
    assert (info.fingerprint, info.algorithm, info.names) == (
        pgp.rsa.fingerprint,
        "RSA 4096",
        ("Rosa <rosa@example.com>",),
    )
    assert (info.private, info.expires, info.can_encrypt) == (False, None, True)
    assert abs((info.created - TODAY).days) <= 1
    assert check_private_key(pgp.rsa.private, PASSPHRASE).private
    curve = check_private_key(pgp.curve.private, None)
    assert (curve.algorithm, curve.names) == ("Curve 25519", ("Käthe <käthe@example.com>",))
    assert check_private_key(pgp.curve.private, "none is needed") == curve


def in_one_line(text: str) -> str:
    return " ".join(text.split())


PASTED: dict[str, Callable[[str], str]] = {
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "indented": lambda text: re.sub("^", " \t ", text, flags=re.MULTILINE),
    "blanks at the ends": lambda text: text.replace("\n", "  \n"),
    "HTML line breaks": lambda text: text.replace("\n", "<br>"),
    "HTML paragraphs": lambda text: "".join(f"<p>{html.escape(line)}</p>" for line in text.splitlines()),
    "quoted in a mail": lambda text: re.sub("^", "> ", text, flags=re.MULTILINE),
    "from a JSON file": lambda text: text.replace("\n", "\\n"),
    "in one line": in_one_line,
    "in one line with headers": lambda text: in_one_line(
        text.replace("BLOCK-----\n", "BLOCK-----\nVersion: GnuPG v2\nComment: made by Rosa\n", 1)
    ),
    "headers, no empty line": lambda text: text.replace("BLOCK-----\n\n", "BLOCK-----\nVersion: BCPG v1.58\n", 1),
    "no checksum": lambda text: re.sub(r"\n=....\n", "\n", text),
    "hard blanks and marks": lambda text: "\ufeff" + text.replace("\n", "\u00a0\n\u200b"),
    "dashes of a word processor": lambda text: text.replace("-----", "—–"),
    "text around": lambda text: f"Hello,\nhere is my key:\n{text}\nBest, Rosa",
    "twice": lambda text: text + text,
}


@pytest.mark.parametrize("pasted", PASTED.values(), ids=PASTED)
def test_what_pasting_does_to_a_key_is_mended(pgp: PgpPeer, pasted: Callable[[str], str]) -> None:
    assert check_public_key(pasted(pgp.curve.public)).fingerprint == pgp.curve.fingerprint
    assert check_private_key(pasted(pgp.curve.private), None).fingerprint == pgp.curve.fingerprint


def test_of_both_halves_the_private_one_is_taken(pgp: PgpPeer) -> None:
    assert check_private_key(pgp.curve.public + pgp.curve.private, None).private


def cut_line(text: str) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:4], *lines[5:]])


FAULTS: dict[str, tuple[Callable[[KeyPair], str], str]] = {
    "empty": (lambda _: " \n", "No public key is entered"),
    "nothing like it": (lambda _: "hello", "This is no PGP key: the line with BEGIN PGP is missing"),
    "first line": (lambda key: key.public.split("\n", 1)[1], "The first line of the key, -----BEGIN PGP PUBLIC KEY"),
    "last line": (lambda key: key.public.rsplit("-----END", 1)[0], "The last line of the key, -----END PGP PUBLIC"),
    "cut off": (lambda key: key.public[:300], "is missing: it was cut off"),
    "a line is missing": (lambda key: cut_line(key.public), "The key is damaged: some of its characters"),
    "a letter is wrong": (lambda key: key.public.replace("A", "B", 1), "The key is damaged: some of its characters"),
    "strange letters": (lambda key: key.public.replace("/", "§"), "The key is damaged: some of its characters"),
    "private": (lambda key: key.private, "This is a private key, and the public key is asked for"),
    "both": (lambda key: key.public + key.private, "This is a private key, and the public key is asked for"),
    "message": (
        lambda _: "-----BEGIN PGP MESSAGE-----\n\nabcd\n-----END PGP MESSAGE-----",
        "This is an encrypted message and no key",
    ),
    "SSH": (lambda _: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@here", "it is a key for SSH"),
    "TLS": (lambda _: "-----BEGIN RSA PRIVATE KEY-----\nabcd", "it is a key or certificate for TLS"),
    "binary": (lambda _: "\x99\x01\x0d\x04\0\0", "was exported in binary form"),
    "not base64 of a key": (
        lambda _: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\naGVsbG8=\n-----END PGP PUBLIC KEY BLOCK-----",
        "GnuPG can't read this public key",
    ),
    "endless": (lambda key: key.public + "x" * 2_000_000, "far too long for a key"),
}


@pytest.mark.parametrize(("made", "sentence"), FAULTS.values(), ids=FAULTS)
def test_each_fault_of_a_pasted_key_is_a_sentence(pgp: PgpPeer, made: Callable[[KeyPair], str], sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        check_public_key(made(pgp.curve))
    assert caught.value.advice


def test_a_public_key_does_not_decrypt(pgp: PgpPeer) -> None:
    with pytest.raises(InputError, match="This is a public key, and it takes the private key"):
        check_private_key(pgp.curve.public, None)


def test_a_key_must_be_able_to_encrypt_today(pgp: PgpPeer) -> None:
    with pytest.raises(InputError, match=r"Signe <signe@example.com> can't encrypt: it is for signing only"):
        check_public_key(pgp.signing.public)
    with pytest.raises(InputError, match="can't decrypt: it is for signing only"):
        check_private_key(pgp.signing.private, None)
    with pytest.raises(InputError, match=r"Alma <alma@example.com> expired on 2020-12-31"):
        check_public_key(pgp.expired.public)
    assert check_public_key(pgp.expired.public, now=date(2020, 6, 1)).expires == date(2020, 12, 31)
    assert check_private_key(pgp.expired.private, None).expires == date(2020, 12, 31)
    with pytest.raises(InputError, match=r"Rita <rita@example.com> was revoked"):
        check_public_key(pgp.revoked.public)


def test_of_two_keys_none_is_chosen_in_silence(pgp: PgpPeer) -> None:
    with pytest.raises(InputError, match=r"holds 2 keys .*Käthe.*Otto.*only one can be used"):
        check_public_key(pgp.curve.public + pgp.other.public)


def test_the_passphrase_is_tried(pgp: PgpPeer) -> None:
    with pytest.raises(InputError, match="The passphrase does not open the private key of Rosa"):
        check_private_key(pgp.rsa.private, "wrong")
    with pytest.raises(InputError, match="protected by a passphrase, and none was given"):
        check_private_key(pgp.rsa.private, None)
    with pytest.raises(InputError, match="contains a line break"):
        check_private_key(pgp.rsa.private, f"{PASSPHRASE}\n")


def test_gpg_that_is_missing_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert gpg_version().startswith("2.")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GpgMissing, match="need GnuPG, which is not on this computer") as caught:
        find_gpg()
    assert caught.value.advice == advice()
    old = tmp_path / "gpg"
    old.write_text("#!/bin/sh\necho 'gpg (GnuPG) 1.4.23'\n")
    old.chmod(0o755)
    with pytest.raises(GpgMissing, match=r"is 1\.4\.23, but 2\.1 or newer is needed"):
        gpg_version()


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=debian", "apt install gnupg"),
        ("NAME=x\nID=linuxmint\nID_LIKE=ubuntu", "apt install gnupg"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install gnupg2"),
        ("ID=arch", "pacman -S gnupg"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', "zypper install gpg2"),
        ("ID=nixos", "with your package manager"),
    ],
)
def test_each_system_has_its_own_way(tmp_path: Path, release: str, command: str) -> None:
    file = tmp_path / "os-release"
    file.write_text(release, encoding="utf-8")
    assert command in gpg.advice("linux", file)
    assert "brew install gnupg" in advice("darwin")
    assert "gpg4win.org" in advice("win32")
