"""Authorizations over a real SSH server, their secrets in a real Secret Service or in a file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from peers.secret_service import SecretService
from peers.sshd import Sshd

from app.authorizations import (
    add_authorization,
    check_authorization,
    check_values,
    confirm_host_key,
    delete_authorization,
    edit_authorization,
    get_authorization,
    jobs_using,
    list_authorizations,
    open_credentials,
    scan_for_secrets,
)
from app.changes import Change
from app.engine import Engine
from app.errors import NotFound, Refused, VaultLocked, VaultMissing, WorkspaceInUse
from app.jobs import JobDraft, create_job
from app.workspace import back_up, restore
from connectors.kit.errors import HostKeyChanged, HostKeyUnknown, SignInError

MakeJob = Callable[..., int]
WriteCsv = Callable[[str, list[list[str]]], Path]

# keyring leaves its connection to the bus open when it fails.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def values(sshd: Sshd) -> dict[str, str]:
    """What a person enters for the test server."""
    return {
        "host": f" {sshd.host} ",
        "port": str(sshd.port),
        "user": sshd.user,
        "privatekey": sshd.private_key,
        "folder": str(sshd.files),
    }


@pytest.fixture
def heard(engine: Engine) -> Iterator[list[Change]]:
    """The changes that were announced."""
    changes: list[Change] = []
    unsubscribe = engine.changes.subscribe(changes.append)
    yield changes
    unsubscribe()


def test_from_the_first_meeting_to_failing_and_back(
    engine: Engine, secret_service: SecretService, sshd: Sshd, values: dict[str, str], heard: list[Change]
) -> None:
    added = add_authorization(engine, "file-service-sftp", "Agency SFTP", values)
    assert heard == [Change("authorizations", added)]
    info = get_authorization(engine, added)
    assert (info.state, info.state_since, info.checked_at, info.used_by) == ("untested", None, None, 0)
    assert info.settings["host"] == sshd.host
    assert info.secret_names == ("privatekey",)
    assert info.where == "Private key: GNOME Keyring"

    with pytest.raises(HostKeyUnknown) as unknown:
        check_authorization(engine, added)
    assert unknown.value.fingerprint == sshd.fingerprint
    assert get_authorization(engine, added).state == "untested"
    confirm_host_key(engine, added, unknown.value.key)
    assert sshd.user in check_authorization(engine, added).description
    works = get_authorization(engine, added)
    assert works.state == "works"
    assert works.checked_at is not None

    edit_authorization(engine, added, values=values | {"user": "nobody-here"})
    assert get_authorization(engine, added).state == "untested"
    sentences = []
    for _ in range(2):
        with pytest.raises(SignInError) as refused:
            check_authorization(engine, added)
        failing = get_authorization(engine, added)
        assert (failing.state, failing.state_message) == ("failing", refused.value.message)
        sentences.append((failing.state_since, failing.checked_at))
    assert sentences[0][0] == sentences[1][0]
    assert str(sentences[0][1]) < str(sentences[1][1])

    # The key of the server is kept, and a blank secret stays as it is.
    edit_authorization(engine, added, name="Agency", values=values | {"privatekey": ""})
    check_authorization(engine, added)
    assert [(entry.name, entry.state) for entry in list_authorizations(engine)] == [("Agency", "works")]
    credentials = open_credentials(engine, added)
    assert credentials.secrets == {"privatekey": sshd.private_key}
    assert "PRIVATE KEY" not in repr(credentials)
    assert get_authorization(engine, added).last_used_at is not None


def test_another_server_or_another_key_is_not_trusted(
    engine: Engine, secret_service: SecretService, sshd: Sshd, values: dict[str, str]
) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJm3ArZXk3bM5Wv4U0d3kz1yqfJxZk2mZ5dYQ0e2m5aS"
    added = add_authorization(engine, "file-service-sftp", "Agency", values | {"host_key": other})
    with pytest.raises(HostKeyChanged):
        check_authorization(engine, added)
    assert get_authorization(engine, added).state == "failing"
    # Another address is another server: what was confirmed for the first says nothing of it.
    edit_authorization(engine, added, values=values | {"host": "localhost"})
    with pytest.raises(HostKeyUnknown):
        check_authorization(engine, added)


def test_values_are_tried_before_they_are_saved(
    engine: Engine, secret_service: SecretService, sshd: Sshd, values: dict[str, str]
) -> None:
    account = check_values(engine, "file-service-sftp", values | {"host_key": sshd.host_key})
    assert sshd.user in account.description
    assert list_authorizations(engine) == []
    assert secret_service.holds() == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"host": " "}, "“Host” is missing"),
        ({"user": ""}, "“User name” is missing"),
        ({"port": "twenty-two"}, "“Port” must be a number, not “twenty-two”"),
        ({"color": "red"}, "has no field “color”"),
    ],
)
def test_wrong_values_are_refused_by_their_label(
    engine: Engine, values: dict[str, str], changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        add_authorization(engine, "file-service-sftp", "Agency", values | changed)
    with pytest.raises(Refused, match="needs a name"):
        add_authorization(engine, "file-service-sftp", "  ", values)
    assert list_authorizations(engine) == []


def test_nothing_is_half_made_when_the_keyring_is_locked(
    engine: Engine, secret_service: SecretService, values: dict[str, str], heard: list[Change]
) -> None:
    kept = add_authorization(engine, "file-service-sftp", "Kept", values)
    before = get_authorization(engine, kept)
    heard.clear()
    secret_service.lock()
    for act in (
        lambda: add_authorization(engine, "file-service-sftp", "New", values),
        lambda: edit_authorization(engine, kept, values=values | {"password": "another", "user": "someone"}),
        lambda: check_authorization(engine, kept),
        lambda: delete_authorization(engine, kept),
    ):
        with pytest.raises(VaultLocked, match="GNOME Keyring is locked"):
            act()
    assert list_authorizations(engine) == [before]
    assert heard == []


def test_without_a_keyring_nothing_is_made_until_there_is_a_secrets_file(
    engine: Engine, values: dict[str, str]
) -> None:
    with pytest.raises(VaultMissing):
        add_authorization(engine, "file-service-sftp", "Agency", values)
    assert list_authorizations(engine) == []
    engine.vault.create_file("four words of mine")
    added = add_authorization(engine, "file-service-sftp", "Agency", values)
    assert get_authorization(engine, added).where == "Private key: encrypted secrets file"
    assert scan_for_secrets(engine) == []


def test_an_authorization_without_secrets_needs_no_keyring(engine: Engine, files: Path) -> None:
    added = add_authorization(engine, "file-service-folder", "Files", {"folder": str(files)})
    assert get_authorization(engine, added).where == "No secret"
    check_authorization(engine, added)
    delete_authorization(engine, added)
    with pytest.raises(NotFound):
        get_authorization(engine, added)


def test_deleting_forgets_the_secrets_and_says_which_jobs_stop(
    engine: Engine, secret_service: SecretService, values: dict[str, str], heard: list[Change]
) -> None:
    added = add_authorization(engine, "file-service-sftp", "Agency", values | {"password": "hunter22"})
    draft = JobDraft("Members", "file-service-csv-import", added, {"filename": "a.csv", "stream": "s"})
    job = create_job(engine, draft)
    assert jobs_using(engine, added) == ["Members"]
    assert get_authorization(engine, added).used_by == 1
    heard.clear()
    delete_authorization(engine, added)
    assert {change.what for change in heard} == {"authorizations", "jobs"}
    assert secret_service.holds() == []
    assert jobs_using(engine, added) == []
    with engine.workspace.database.read() as connection:
        assert connection.execute("select authorization_id from jobs where id = ?", (job,)).fetchone()[0] is None
    with pytest.raises(Refused, match="no authorization any more"):
        open_credentials(engine, None)


def test_a_running_job_keeps_its_authorization(engine: Engine, import_job: MakeJob, write_csv: WriteCsv) -> None:
    write_csv("a.csv", [["email"], ["maja@shop.example"]])
    job = import_job("a.csv")
    [info] = list_authorizations(engine)

    async def delete_meanwhile() -> None:
        await engine.start()
        assert engine.supervisor is not None
        run = await engine.supervisor.run(job)
        with pytest.raises(Refused, match=r"“Import a\.csv” uses it and is running"):
            delete_authorization(engine, info.id)
        assert (await engine.supervisor.finished(run)).status == "completed"
        delete_authorization(engine, info.id)
        await engine.stop()

    asyncio.run(delete_meanwhile())


def test_secrets_of_another_computer_are_asked_for_again(
    engine: Engine, secret_service: SecretService, values: dict[str, str], tmp_path: Path, sshd: Sshd
) -> None:
    added = add_authorization(engine, "file-service-sftp", "Agency", values | {"host_key": sshd.host_key})
    archive = back_up(engine.workspace, tmp_path / "shop.causeway")
    # This computer's keyring forgets, as another computer's never knew.
    engine.vault.forget(added, ["privatekey"])
    restore(archive, tmp_path / "elsewhere").close()
    with Engine.open(tmp_path / "elsewhere") as elsewhere:
        with pytest.raises(VaultMissing, match="“Private key” of the authorization “Agency” is not kept on this"):
            open_credentials(elsewhere, added)
        with pytest.raises(VaultMissing):
            check_authorization(elsewhere, added)
        assert get_authorization(elsewhere, added).state == "failing"
        edit_authorization(elsewhere, added, values=values)
        check_authorization(elsewhere, added)


def test_a_second_process_can_look_and_not_change(
    engine: Engine, secret_service: SecretService, sshd: Sshd, values: dict[str, str]
) -> None:
    added = add_authorization(engine, "file-service-sftp", "Agency", values | {"host_key": sshd.host_key})
    with Engine.open(engine.workspace.folder) as second:
        for act in (
            lambda: add_authorization(second, "file-service-sftp", "New", values),
            lambda: edit_authorization(second, added, name="Other"),
            lambda: confirm_host_key(second, added, "x"),
            lambda: delete_authorization(second, added),
        ):
            with pytest.raises(WorkspaceInUse):
                act()
        check_authorization(second, added)
        assert get_authorization(second, added).state == "untested"


def write_to_log(folder: Path, secret: str) -> str:
    (folder / "causeway.log").write_text(f"signed in with {secret!r}")
    return "causeway.log"


def write_to_database(folder: Path, secret: str) -> str:
    with closing(sqlite3.connect(folder / "workspace.db")) as connection:
        connection.execute("create table wrong as select ? as text", ("x" * 5_000 + secret,))
        connection.commit()
    return "workspace.db"


def write_across_blocks(folder: Path, secret: str) -> str:
    (folder / "recipes").mkdir()
    (folder / "recipes" / "a.json").write_bytes(b" " * ((1 << 22) - 3) + secret.encode() + b" " * 100)
    return str(Path("recipes", "a.json"))


@pytest.mark.parametrize("write", [write_to_log, write_to_database, write_across_blocks])
@pytest.mark.parametrize("secret", ["password", "privatekey"])
def test_a_secret_in_plain_text_is_found_wherever_it_stands(
    engine: Engine,
    secret_service: SecretService,
    values: dict[str, str],
    write: Callable[[Path, str], str],
    secret: str,
) -> None:
    long = values["privatekey"] + "".join(f"{line:064x}\n" for line in range(7, 107))
    entered = values | {"password": "hunter22", "privatekey": long}
    added = add_authorization(engine, "file-service-sftp", "Agency", entered)
    assert get_authorization(engine, added).where == (
        "Password: GNOME Keyring; Private key: encrypted file, key in GNOME Keyring"
    )
    with engine.workspace.database.read() as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    assert scan_for_secrets(engine) == []
    engine.workspace.database.close()
    name = write(engine.workspace.folder, entered[secret])
    assert any(found.startswith(name) for found in scan_for_secrets(engine))
