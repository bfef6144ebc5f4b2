"""What is in the way to a server: told apart, in words, by real connections where a loopback address has them."""

from __future__ import annotations

import asyncio
import errno

import pytest
from peers.webhook import webhook_server

from connectors.kit.errors import Unreached
from connectors.kit.http import Http
from connectors.kit.network import obstacle, through_proxy
from connectors.kit.places.ssh import connect_ssh


async def ask(url: str) -> None:
    async with Http() as http:
        await http.post_json(url, {})


def reach(host: str, port: int = 22) -> None:
    connect_ssh(host, port, "maja", password="secret", timeout=5).close()


@pytest.mark.parametrize(
    ("always_there", "sentence", "advice"),
    [
        (
            "localhost",
            "nowhere.invalid can't be found; is a VPN needed, or is the name wrong?",
            "Other names are found",
        ),
        ("nothing.invalid", "nowhere.invalid can't be found, and no other name either.", "sign in first"),
    ],
)
def test_a_name_that_alone_is_not_found_may_need_a_vpn(
    monkeypatch: pytest.MonkeyPatch, always_there: str, sentence: str, advice: str
) -> None:
    monkeypatch.setattr("connectors.kit.network.ALWAYS_THERE", always_there)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unreached) as told:
        reach("nowhere.invalid")
    assert (str(told.value), advice in told.value.advice) == (sentence, True)
    with pytest.raises(Unreached) as told:
        asyncio.run(ask("https://nowhere.invalid/x"))
    assert (str(told.value), advice in told.value.advice) == (sentence, True)
    # Behind a proxy it is the proxy that is looked for.
    with through_proxy("http://nowhere.invalid:3128"), pytest.raises(Unreached) as told:
        asyncio.run(ask("https://shop.example/x"))
    assert str(told.value) == sentence


def test_no_way_and_a_private_address_are_told_and_nothing_is_guessed() -> None:
    unreached = ExceptionGroup("several", [OSError(errno.EHOSTUNREACH, "no route")])
    outer = OSError("All connection attempts failed")
    outer.__cause__ = unreached
    found = obstacle("10.8.0.7", outer)
    assert found is not None
    assert found.message == "No network that this computer is in leads to 10.8.0.7; is a VPN needed?"
    private = obstacle("10.8.0.7", TimeoutError())
    assert private is not None
    assert private.message == "10.8.0.7 does not answer; is a VPN needed?"
    for host in ("127.0.0.1", "8.8.8.8", "nowhere.invalid"):
        assert obstacle(host, TimeoutError()) is None
    assert obstacle("10.8.0.7", ConnectionRefusedError()) is None


def test_the_page_of_a_network_is_not_taken_for_the_server() -> None:
    with webhook_server() as portal:
        portal.answer = (511, "<html>Welcome aboard</html>", {})
        with pytest.raises(Unreached, match="a network that wants you to sign in first") as told:
            asyncio.run(ask(portal.url))
        assert "browser" in told.value.advice
        with pytest.raises(Unreached, match=r"does not speak TLS answers in place of .*; nothing was sent") as told:
            asyncio.run(ask(portal.url.replace("http:", "https:")))
        assert "browser" in told.value.advice
        port = int(portal.url.split(":")[2].split("/")[0])
        with pytest.raises(Unreached, match="A web page answers in place of the SFTP server") as told:
            reach("127.0.0.1", port)
        assert "browser" in told.value.advice
