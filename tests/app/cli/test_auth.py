"""Authorizations and imports over a real SSH server, on a computer without a keyring."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PASSPHRASE = "four words of mine"
ON_TERMINAL = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from app.cli import main; sys.exit(main(None, lambda engine: 0))"
)


@pytest.fixture
def add(start, workspace, sshd):
    """`auth add` for the test server as a script calls it: passphrase and secrets by standard input."""

    def run(secrets: dict[str, str], *arguments: str, name: str = "Agency SFTP"):
        started = start(
            *("auth", "add", "file-service-sftp", "--name", name, "--value", f"host={sshd.host}"),
            *("--value", f"port={sshd.port}", "--value", f"user={sshd.user}", "--value", f"folder={sshd.files}"),
            *("--secrets-stdin", "--passphrase-stdin", "--json", *arguments),
        )
        return started.ended(f"{PASSPHRASE}\n{json.dumps(secrets)}")

    return run


def test_import_over_sftp_merges_people_by_email(call, start, workspace, sshd, add) -> None:
    sshd.put(
        "members.csv",
        b"email,name,city\nmaja@shop.example,Maja,Utrecht\nteo@shop.example,Teo,Lille\n"
        b"Maja@Shop.Example,Maja K.,Gent\n",
    )
    added = add({"privatekey": sshd.private_key}, "--accept-host-key", sshd.fingerprint)
    assert added.code == 0, added.err
    assert added.document["authorization"]["state"] == "works"
    assert "encrypted secrets file" in added.document["authorization"]["where"]
    imported = start(
        *("import", "members.csv", "--stream", "members", "--authorization", "Agency SFTP"),
        *("--passphrase-stdin", "--json"),
    ).ended(f"{PASSPHRASE}\n")
    assert imported.code == 0, imported.err
    assert (imported.document["run"]["read"], imported.document["people"]) == (3, 2)
    person = call("profile", "get", "maja@shop.example", "--json").document
    assert {field["name"]: field["value"] for field in person["fields"]} == {
        "email": "maja@shop.example",
        "name": "Maja K.",
        "city": "Gent",
    }
    assert {field["job"] for field in person["fields"]} == {"members.csv"}
    key = sshd.private_key.splitlines()[1].encode()
    for file in workspace.rglob("*"):
        assert not file.is_file() or key not in file.read_bytes(), file


def test_an_unknown_server_is_not_trusted_by_itself(call, workspace, sshd, add) -> None:
    answer = add({"privatekey": sshd.private_key})
    assert (answer.code, answer.document["error"]["kind"]) == (1, "HostKeyUnknown")
    assert f"--accept-host-key {sshd.fingerprint}" in answer.err
    answer = add({"privatekey": sshd.private_key}, "--accept-host-key", "SHA256:another")
    assert answer.code == 1
    assert "not SHA256:another" in answer.err
    assert call("auth", "list", "--json").document["authorizations"] == []


def test_a_wrong_password_is_told_and_nothing_kept(call, workspace, sshd, add) -> None:
    answer = add({"password": "Tr0ubadour"}, "--accept-host-key", sshd.fingerprint)
    assert (answer.code, answer.document["error"]["kind"]) == (1, "SignInError")
    assert "password" in answer.err
    assert "Tr0ubadour" not in answer.out + answer.err
    assert call("auth", "list", "--json").document["authorizations"] == []


def test_a_locked_secrets_file_wants_its_passphrase(call, start, workspace, sshd, add) -> None:
    assert add({"privatekey": sshd.private_key}, "--accept-host-key", sshd.fingerprint).code == 0
    locked = start("auth", "test", "Agency SFTP", "--json").ended("")
    assert (locked.code, locked.document["error"]["kind"]) == (1, "VaultLocked")
    assert "--passphrase-stdin" in locked.err
    wrong = start("auth", "test", "Agency SFTP", "--json", "--passphrase-stdin").ended("another one\n")
    assert (wrong.code, wrong.document["error"]["kind"]) == (1, "VaultLocked")
    right = start("auth", "test", "Agency SFTP", "--json", "--passphrase-stdin").ended(f"{PASSPHRASE}\n")
    assert right.code == 0, right.err
    assert sshd.user in right.document["account"]


def test_edit_keeps_what_is_not_named(call, start, workspace, sshd, add) -> None:
    assert add({"privatekey": sshd.private_key}, "--accept-host-key", sshd.fingerprint).code == 0
    sshd.put("sub/members.csv", b"email\nmaja@shop.example\n")
    edited = start(
        *("auth", "edit", "Agency SFTP", "--name", "Agency", "--value", f"folder={sshd.files}/sub"),
        *("--passphrase-stdin", "--json"),
    ).ended(f"{PASSPHRASE}\n")
    assert edited.code == 0, edited.err
    kept = call("auth", "list", "--json").document["authorizations"][0]
    assert (kept["name"], kept["settings"]["user"], kept["state"]) == ("Agency", sshd.user, "works")
    refused = start("auth", "edit", "Agency", "--secrets-stdin", "--passphrase-stdin", "--json").ended(
        f'{PASSPHRASE}\n{{"privatekey": "no key"}}'
    )
    assert refused.code == 1
    assert call("auth", "list", "--json").document["authorizations"][0]["state"] == "failing"


def test_a_person_is_asked_for_what_is_missing(call, workspace, sshd, tmp_path) -> None:
    """A terminal of its own: passphrase and key are asked for, and the server's fingerprint is confirmed."""
    terminal, child_end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, "auth", "add", "file-service-sftp", "--name", "Agency SFTP", "--json"],
        stdin=child_end,
        stdout=subprocess.PIPE,
        stderr=child_end,
        start_new_session=True,
        cwd=Path(__file__).parents[3],
    )
    os.close(child_end)
    said = ""
    for question, answer in (
        ("Host", sshd.host),
        ("Port [22]", str(sshd.port)),
        ("User name", sshd.user),
        ("Folder", str(sshd.files)),
        ("Password (empty for none)", ""),
        ("Private key: file to read it from (empty for none)", str(sshd.key_file)),
        ("Passphrase of the key (empty for none)", ""),
        ("New passphrase", PASSPHRASE),
        ("Repeat for confirmation", PASSPHRASE),
        ("Trust this key? [y/N]", "y"),
    ):
        begin = len(said)
        while question not in said[begin:]:
            said += os.read(terminal, 1 << 16).decode()
        os.write(terminal, f"{answer}\n".encode())
    out, _ = process.communicate(timeout=60)
    os.close(terminal)
    assert process.returncode == 0, said
    assert json.loads(out)["authorization"]["state"] == "works"
    assert sshd.fingerprint in said
    assert PASSPHRASE not in said
