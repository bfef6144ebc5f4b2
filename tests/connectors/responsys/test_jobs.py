"""Event files of Responsys, from a real SSH server into people."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.authorizations import add_authorization, check_authorization, open_credentials
from app.engine import Engine
from app.jobs import JobDraft, create_job, list_files
from app.profiles import count_profiles, search_profiles
from app.workspace import create_workspace
from connectors.kit.errors import InputError
from connectors.kit.types import Credentials
from connectors.responsys.jobs import activity_preview, check, list_accounts

if TYPE_CHECKING:
    from peers.pgp import PgpPeer
    from peers.secret_service import SecretService
    from peers.sshd import Sshd

HEAD = "EVENT_TYPE_ID,ACCOUNT_ID,LIST_ID,RIID,CUSTOMER_ID,EVENT_CAPTURED_DT,CAMPAIGN_ID,{more}\n"
SENT = HEAD.format(more="EMAIL,SEGMENT_INFO") + (
    "1,1234,90,501,,03-Jan-2019 13:05:00,77,ann@x.example,vip\n1,1234,90,502,,03-Jan-2019 13:06:00,77,bob@x.example,\n"
)
CLICK = HEAD.format(more="OFFER_NAME,OFFER_URL") + (
    "5,1234,90,501,,03-Jan-2019 14:00:00,77,Shoes,https://shop.example/shoes?id=1\n"
    "5,1234,90,501,,04-Jan-2019 15:00:00,77,Shoes,https://shop.example/shoes?id=2\n"
)
SMS = HEAD.format(more="mobile_number") + "27,1234,90,502,,05-Jan-2019 10:00:00,78,+46700000000\n"
OTHER = HEAD.format(more="EMAIL") + "1,99,90,900,,03-Jan-2019 13:05:00,77,else@x.example\n"


@pytest.fixture
def engine(tmp_path: Path, secret_service: SecretService) -> Iterator[Engine]:
    create_workspace(tmp_path / "workspace", "Test").close()
    with Engine.open(tmp_path / "workspace") as opened:
        yield opened


def put(sshd: Sshd, name: str, data: str | bytes, minutes: int) -> None:
    """A file that was complete so many minutes after 13:00."""
    path = Path(sshd.put(f"ced/{name}", data.encode() if isinstance(data, str) else data))
    os.utime(path, (1_546_520_400 + 60 * minutes,) * 2)


def zipped(name: str, text: str) -> bytes:
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, text)
    return data.getvalue()


def test_event_files_of_an_account_become_what_people_did(engine: Engine, sshd: Sshd) -> None:
    put(sshd, "1234_SENT_20190103_130532.txt", SENT, 5)
    put(sshd, "1234_CLICK_20190104_150532.zip", zipped("1234_CLICK_20190104_150532.txt", CLICK), 200)
    put(sshd, "99_SENT_20190103_130532.txt", OTHER, 6)
    put(sshd, "1234_SENT_20190103_130532.ready", "", 7)
    values = {
        "host": sshd.host, "port": str(sshd.port), "user": sshd.user, "privatekey": sshd.private_key,
        "folder": str(sshd.files), "host_key": sshd.host_key,
    }  # fmt: skip
    authorization = add_authorization(engine, "responsys-sftp", "Responsys", values)
    check_authorization(engine, authorization)
    credentials = open_credentials(engine, authorization)
    accounts = asyncio.run(list_accounts(credentials, {"folder": "ced"}, ""))
    assert [one.value for one in accounts] == ["1234", "99"]

    options = {"folder": "ced", "account_ids": ["1234"], "stream": "responsys_events", "identifiers": []}
    preview = asyncio.run(activity_preview(credentials, options))
    assert [column.name for column in preview.columns][-3:] == ["offer_url", "event", "channel"]
    assert preview.rows[0][-2:] == ("email_click", "email")
    assert preview.timestamp == "event_captured_dt"

    job = create_job(engine, JobDraft("Activity", "responsys-import-activity-data", authorization, options))

    async def scenario() -> None:
        await engine.start()
        supervisor = engine.supervisor
        assert supervisor is not None
        for _ in range(2):
            ended = await supervisor.finished(await supervisor.run(job))
            assert ended.status == "completed", ended.message
            put(sshd, "1234_SMS_DELIVERED_20190105_100532.txt", SMS, 3000)
        await supervisor.stop()

    asyncio.run(scenario())
    assert count_profiles(engine) == 2
    ann = search_profiles(engine, "ann@x.example")[0].fields
    assert (ann["rs_user_id"], ann["email_sent_ct"], ann["email_click_ct"]) == ("501", 1, 2)
    assert ann["email_first_click_ts"].startswith("2019-01-03T14:00:00")
    assert ann["email_last_click_ts"].startswith("2019-01-04T15:00:00")
    assert (ann["rs_segments"], ann["channels"], ann["email_domain"]) == ('["vip"]', '["email"]', "x.example")
    bob = search_profiles(engine, "bob@x.example")[0].fields
    assert (bob["email_sent_ct"], bob["sms_open_ct"]) == (1, 1)
    assert (bob["phone"], bob["channels"]) == ("+46700000000", '["email","sms"]')
    assert sorted(file.path for file in list_files(engine, job)) == [
        "ced/1234_CLICK_20190104_150532.zip",
        "ced/1234_SENT_20190103_130532.txt",
        "ced/1234_SMS_DELIVERED_20190105_100532.txt",
    ]


def test_files_are_decrypted_with_the_authorizations_key(
    sftp_account: Callable[..., Credentials], sshd: Sshd, pgp: PgpPeer
) -> None:
    put(sshd, "5678_OPT_OUT_20190103_130532.gpg", pgp.encrypt(SENT.encode(), pgp.curve), 5)
    account = sftp_account("responsys-sftp-pgp")
    keyed = Credentials(account.method, account.settings, {**account.secrets, "pgpprivatekey": pgp.curve.private})
    asyncio.run(check(keyed))
    preview = asyncio.run(activity_preview(keyed, {"folder": "ced", "account_ids": ["5678", "90"]}))
    assert preview.rows[0][-4:] == ("ann@x.example", "vip", "email_opt_out", "email")


def test_without_an_account_nothing_is_read(sftp_account: Callable[..., Credentials]) -> None:
    with pytest.raises(InputError, match="No account is chosen"):
        asyncio.run(activity_preview(sftp_account("responsys-sftp"), {"folder": ""}))
