"""A real Secret Service for tests: gnome-keyring on a D-Bus of its own, with an empty, unlocked keyring.

The bus knows no services to start by itself, so nothing can ask for a password on a screen: a locked keyring
stays locked.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
</busconfig>
"""


@dataclass(frozen=True)
class SecretService:
    """A running service; `address` is its bus."""

    address: str
    daemon: subprocess.Popen[bytes]

    def lock(self) -> None:
        """Lock the keyring, as a desktop does after a while."""
        import secretstorage

        with closing(secretstorage.dbus_init()) as connection:
            secretstorage.get_default_collection(connection).lock()

    def holds(self) -> list[str]:
        """Every secret in the keyring."""
        import secretstorage

        with closing(secretstorage.dbus_init()) as connection:
            items = secretstorage.get_default_collection(connection).get_all_items()
            return sorted(item.get_secret().decode() for item in items)

    def end(self) -> None:
        """Kill the keyring's process, as a crash does."""
        self.daemon.kill()
        self.daemon.wait()


@contextmanager
def run_secret_service() -> Iterator[SecretService]:
    """A service for the length of the block."""
    for program in ("dbus-daemon", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            raise RuntimeError(f"{program} is missing: apt-get install dbus gnome-keyring")
    # /tmp itself: the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="causeway-bus-", dir="/tmp"))
    (folder / "bus.conf").write_text(BUS.format(folder=folder))
    processes: list[subprocess.Popen[bytes]] = []
    try:
        bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        processes.append(bus)
        assert bus.stdout is not None
        with bus.stdout:
            address = bus.stdout.readline().decode().strip()
        daemon = _start_keyring(address, folder)
        processes.append(daemon)
        yield SecretService(address, daemon)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _start_keyring(address: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start the daemon and return when it has its name on the bus."""
    from jeepney import MatchRule, message_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    places = ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
    environment = os.environ | dict.fromkeys(places, str(folder)) | {"DBUS_SESSION_BUS_ADDRESS": address}
    with closing(open_dbus_connection(bus=address)) as connection:
        rule = MatchRule(
            type="signal", sender=message_bus.bus_name, interface=message_bus.interface, member="NameOwnerChanged"
        )
        rule.add_arg_condition(0, "org.freedesktop.secrets")
        Proxy(message_bus, connection).AddMatch(rule)
        with connection.filter(rule) as owned:
            daemon = subprocess.Popen(
                ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            assert daemon.stdin is not None
            with daemon.stdin:
                daemon.stdin.write(b"test")
            try:
                connection.recv_until_filtered(owned, timeout=20)
            except BaseException:
                daemon.kill()
                daemon.wait()
                raise
    return daemon


@pytest.fixture
def secret_service(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretService]:
    """This process uses a private Secret Service for the length of a test, by keyring's own backend."""
    import keyring
    from keyring.backends.SecretService import Keyring

    before = keyring.get_keyring()
    with run_secret_service() as service:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", service.address)
        keyring.set_keyring(Keyring())
        try:
            yield service
        finally:
            keyring.set_keyring(before)
            # keyring leaves its connection to the bus open when it fails; no later test shall hear of it.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()
