"""The demo's workspace: made at the first start, its sandbox server up whenever its engine is open."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from app.authorizations import add_authorization, change_setting, list_authorizations
from app.demo.shop import SHOP, write_files
from app.engine import Engine
from app.errors import Refused
from app.jobs import JobDraft, create_job, list_jobs
from app.profiles import count_profiles
from app.workspace import create_workspace

SERVER, LOCAL = "sandbox-server", "demo-files"
SFTP_METHOD, FOLDER_METHOD = "file-service-sftp", "file-service-folder"
JOB_TYPE, EXPORT_TYPE = "file-service-csv-import", "file-service-sftp-csv-export"
SFTP_NAME = "Roastery SFTP (sandbox)"


@dataclass(frozen=True, slots=True)
class DemoResult:
    """How one job of the demo ended; one that `sends` moves people out."""

    job: str
    sends: bool
    status: str
    read: int
    added: int
    updated: int
    rejected: int
    message: str


def demo_folder() -> Path:
    """Where the demo lives when nobody says where."""
    return user_data_path("causeway", appauthor=False) / "demo"


def create_demo(folder: Path) -> None:
    """Make the demo's workspace with its files. Raises Refused where the folder holds something else."""
    create_workspace(folder, SHOP, demo=True).close()
    (folder / SERVER / "outgoing").mkdir(parents=True)
    (folder / LOCAL).mkdir()
    write_files(folder / SERVER / "outgoing", folder / LOCAL)


def open_demo(folder: Path, *, anew: bool = False) -> Engine:
    """Open the demo, made first where it does not exist yet (or `anew`), with its sandbox server up.

    Raises Refused for a folder that holds another workspace: a demo never touches a real one.
    """
    if anew and (folder / "workspace.db").exists():
        with Engine.open(folder) as engine:
            _require_demo(engine)
            engine.require_charge()
        shutil.rmtree(folder)
    if not (folder / "workspace.db").exists():
        create_demo(folder)
    engine = Engine.open(folder)
    try:
        _require_demo(engine)
        if engine.in_charge_elsewhere is None:
            start_sandbox(engine)
    except BaseException:
        engine.close()
        raise
    return engine


async def run_demo(engine: Engine) -> tuple[list[DemoResult], int]:
    """Run the demo's jobs one after the other to their ends; how each ended, and how many people there are."""
    if engine.supervisor is None:
        engine.require_charge()
        raise Refused("The engine was not started.")
    results = []
    for job in sorted(list_jobs(engine), key=lambda job: job.id):
        run = await engine.supervisor.finished(await engine.supervisor.run(job.id, "demo"))
        counts: dict[str, Any] = {key: asdict(run)[key] for key in ("read", "added", "updated", "rejected", "message")}
        results.append(DemoResult(job.name, job.kind == "export", run.status, **counts))
    return results, count_profiles(engine)


def _require_demo(engine: Engine) -> None:
    if not engine.workspace.is_demo:
        raise Refused(
            f"{engine.workspace.folder} is a workspace of its own, not the demo.", advice="Choose another folder."
        )


def start_sandbox(engine: Engine) -> None:
    """Bring the demo's server up, if it is not; it stops with the engine.

    Its port, key and password are new at each start and go into its authorization.
    """
    if engine.sandbox_is_up:
        return
    simulated = engine.catalog.sandbox("file-service")
    if simulated is None:
        raise Refused("File Service has no sandbox.")
    sandbox = simulated(engine.workspace.folder / SERVER)
    sandbox.start()
    engine.at_stop(sandbox.stop)
    engine.sandbox_is_up = True
    if engine.vault.state().kind == "none":
        # Without a keyring the throw-away password still gets a sealed file. Its passphrase is not kept: the next
        # start makes a new password and a new file.
        engine.vault.create_file(secrets.token_urlsafe(16))
    elif engine.vault.state().locked:
        engine.vault.replace_file(secrets.token_urlsafe(16))
    known = {info.name: info.id for info in list_authorizations(engine)}
    if SFTP_NAME not in known:
        _set_up(engine, {**sandbox.settings, **sandbox.secrets, "folder": "outgoing"})
        return
    for name, value in sandbox.settings.items():
        change_setting(engine, known[SFTP_NAME], name, value)
    engine.vault.store(known[SFTP_NAME], sandbox.secrets)


def _set_up(engine: Engine, values: dict[str, str]) -> None:
    """The demo's authorizations and jobs."""
    server = add_authorization(engine, SFTP_METHOD, SFTP_NAME, values)
    local = add_authorization(
        engine, FOLDER_METHOD, "Demo files on this computer", {"folder": str(engine.workspace.folder / LOCAL)}
    )
    for draft in (
        JobDraft(
            "Loyalty members from SFTP",
            JOB_TYPE,
            server,
            {
                "filename": "loyalty-members.csv",
                "stream": "loyalty_members",
                "timestamp_field": "updated_at",
                "identifiers": ["email", "member_id"],
                "targets": {
                    "member_id": "loyalty_id",
                    "first": "first_name",
                    "last": "last_name",
                    "points": "loyalty_points",
                    "tier": "loyalty_tier",
                    "updated_at": "",
                },
            },
            "Members of the loyalty programme, from the agency's server",
        ),
        JobDraft(
            "Orders of the web shop",
            JOB_TYPE,
            server,
            {
                "filename": "orders.csv.gz",
                "stream": "shop_orders",
                "timestamp_field": "Order date",
                "identifiers": ["Customer e-mail"],
                "types": {"Total": "number", "Order date": "date"},
                "targets": {
                    "Customer e-mail": "email",
                    "City": "town",
                    "Order no": "last_order",
                    "Product": "last_product",
                    "Total": "last_order_total",
                    "Order date": "last_order_at",
                },
            },
            "Semicolons and Windows-1252, packed as gz",
        ),
        JobDraft(
            "Guests of the tasting",
            JOB_TYPE,
            local,
            {
                "filename": "event-attendees.csv",
                "stream": "tasting_guests",
                "timestamp_field": "Checked in",
                "identifiers": ["E-Mail"],
                "targets": {"E-Mail": "email", "Checked in": "last_tasting_at", "Name": "name"},
            },
            "A list from a spreadsheet, with some broken rows",
        ),
        JobDraft(
            "Everybody for the newsletter",
            EXPORT_TYPE,
            server,
            {
                "segment_id": "all",
                "fields": ["email", "first_name", "last_name", "loyalty_tier", "town"],
                "filename": "newsletter/{segment_slug}_{TIMESTAMP}",
                "compress": "gz",
            },
            "A file for the agency, packed, with its name only once it is whole",
        ),
    ):
        create_job(engine, draft)
