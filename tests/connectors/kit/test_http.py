"""Addresses, waiting times and proxies."""

import asyncio
from datetime import UTC, datetime

import pytest
from peers.webhook import webhook_server

from connectors.kit.errors import InputError, WaitError
from connectors.kit.http import Http, checked_address, retry_after
from connectors.kit.network import is_this_computer, through_proxy

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("Sun, 22 Nov 2026 08:01:30 GMT", 90),
        ("Sun, 22 Nov 2026 07:00:00 GMT", 0),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_a_time_to_wait_is_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/x",
        "ftp://127.0.0.1/x",
        "https://",
        "https://shop.example:port/",
        "https://a b/",
        "http://[::",
    ],
)
def test_only_safe_addresses_are_used(url: str) -> None:
    with pytest.raises(InputError):
        checked_address(url)


def test_plain_http_stays_on_this_computer() -> None:
    assert checked_address("http://127.0.0.1:80/x") == "127.0.0.1"
    assert checked_address("https://shop.example/x") == "shop.example"
    assert [is_this_computer(host) for host in ("localhost", "::1", "192.0.2.1", "127.0.0.1.example")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_request_goes_through_the_proxy_that_was_set() -> None:
    async def ask(url: str) -> int:
        async with Http() as http:
            return (await http.post_json(url, {"a": 1})).status

    with through_proxy("proxy.shop.example 3128"), pytest.raises(InputError, match="proxy"):
        asyncio.run(ask("http://127.0.0.1:9/never-there"))
    with webhook_server() as proxy:
        with through_proxy(proxy.url.split("/services")[0]):
            assert asyncio.run(ask("http://127.0.0.1:9/never-there")) == 200
        assert proxy.posts == [{"a": 1}]
        with pytest.raises(WaitError, match="can't be reached"):
            asyncio.run(ask("http://127.0.0.1:9/never-there"))
