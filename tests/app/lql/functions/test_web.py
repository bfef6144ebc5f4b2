"""E-mail addresses, URLs, user agents and network addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.lql.functions import FUNCTIONS, NOT_LITERAL, BadArgument

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.11 (KHTML, like Gecko) Chrome/23.0.1271.97 Safari/537.11"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 14_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/14.1 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/83.0.4103.61 Safari/537.36 Edg/83.0.478.37"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/41.0.2272.96 Mobile Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:29.0) Gecko/20100101 Firefox/29.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("email", ("Bob@Bob.com",), "bob@bob.com"),
        ("email", ("Bob <Bob@Bob.com>",), "bob@bob.com"),
        ("email", ("Bob<bob@bob.com>",), "bob@bob.com"),
        ("email", ('"Miller, Bob" <bob@bob.com>',), "bob@bob.com"),
        ("email", (" bob@bob.com (Bob)\n",), "bob@bob.com"),
        ("email", ("o'neil+news@mail.example.co.uk",), "o'neil+news@mail.example.co.uk"),
        ("email", ("jürgen@müller.de",), "jürgen@müller.de"),
        ("email", (["Ann@x.com", "bob@bob.com"],), "ann@x.com"),
        ("email", ("Bob <bob>",), None),
        ("email", ("nobody",), None),
        ("email", ("a@b.com, c@d.com",), None),
        ("email", ("a@b.com <c@d.com>",), None),
        ("email", ("a@b@c.com",), None),
        ("email", ("mailto:bob@bob.com",), None),
        ("email", ("bob@bob",), None),
        ("email", ("",), None),
        ("email", ([""],), None),
        ("email", (5,), None),
        ("email", (None,), None),
        ("email", ("a" * 1_000_000 + "@",), None),
        ("emailname", ("Bob<bob@bob.com>",), "Bob"),
        ("emailname", ('"Miller, \\"Bob\\"" <bob@bob.com>',), 'Miller, "Bob"'),
        ("emailname", ("=?utf-8?q?J=C3=BCrgen?= <j@x.com>",), "Jürgen"),
        ("emailname", ("bob@bob.com",), ""),
        ("emailname", ("Bob <bob@good",), None),
        ("emailname", (None,), None),
        ("emaildomain", ("bob@Gmail.com",), "gmail.com"),
        ("emaildomain", ("Bob <bob@good",), None),
        ("url", ("https://e.com/a",), "https://e.com/a"),
        ("url", ("e.com/a",), None),
        ("url", ("https://not a url",), None),
        ("url", ("https://e.com/%zz",), None),
        ("url", ("mailto:bob@bob.com",), None),
        ("url", (None,), None),
        ("urlmain", ("https://e.com/A/B?x=1#t",), "e.com/A/B"),
        ("urlmain", (["www.Google.com/?q=golang"],), "www.Google.com/"),
        ("urlmain", ("http://192.168.0.%31:8080/",), None),
        ("urlmain", ("",), None),
        ("urlminusqs", ("http://e.com/s?a=1&b=2", "a"), "http://e.com/s?b=2"),
        ("urlminusqs", ("http://e.com/s?b=x+y&a=1&c=2", "c"), "http://e.com/s?a=1&b=x+y"),
        ("urlminusqs", ("http://e.com/s?b=2&a=1", "q"), "http://e.com/s?b=2&a=1"),
        ("urlminusqs", ("http://e.com/s?a=1", "a"), "http://e.com/s"),
        ("urlminusqs", ("go.gl?q=abc", "q"), "http://go.gl"),
        ("urlminusqs", ("http://e.com/s?a=1", ""), None),
        ("urlminusqs", ("", "a"), None),
        ("urlminusqs", ("http://192.168.0.%31:8080/", "g"), None),
        ("url.matchqs", ("http://e.com/b?mc_id=1&p=2", "mc_*"), "e.com/b?mc_id=1"),
        ("url.matchqs", ("http://e.com/b?p=2&e=1&x=3", "^p$", "^e$"), "e.com/b?e=1&p=2"),
        ("url.matchqs", ("http://e.com/b?p=2",), "e.com/b"),
        ("url.matchqs", ("http://e.com/b?p=2", "x"), "e.com/b"),
        ("url.matchqs", ("http://not a url", "x"), None),
        ("url.matchqs", ("",), None),
        ("urldecode", ("a%20b+c",), "a b c"),
        ("urldecode", ("https%3A%2F%2Fe.com%2F%3Fq%3D1%26r",), "https://e.com/?q=1&r"),
        ("urldecode", (["hello", "world"],), "hello"),
        ("urldecode", ("50%",), None),
        ("urldecode", (None,), None),
        ("host", ("https://E.com:8080/a",), "e.com:8080"),
        ("host", ("www.Google.com/?q=golang",), "www.google.com"),
        ("host", ("http://user:secret@e.com/",), "e.com"),
        ("host", ("http://[::1]:80/",), "[::1]:80"),
        ("host", ("a b c  more",), None),
        ("host", ("http://e.com:port/",), None),
        ("host", ("http://",), None),
        ("host", ("",), None),
        ("hosts", (["www.Google.com/?q=1", "www.golang.org/"], "x.io"), ["www.google.com", "www.golang.org", "x.io"]),
        ("hosts", ("", None), None),
        ("domain", ("www.books.amazon.co.uk",), "amazon.co.uk"),
        ("domain", ("https://www.Google.com:443/search?q=1",), "google.com"),
        ("domain", (["Google.com/search", "www.ign.com"],), "google.com"),
        ("domain", ("http://localhost/",), None),
        ("domain", ("co.uk",), None),
        ("domain", ("http://192.168.0.1/",), None),
        ("domain", ("http://[::1]/",), None),
        ("domain", ("http://",), None),
        ("domain", (None,), None),
        ("domains", (["https://www.Google.com/", "http://www.example.io"],), ["google.com", "example.io"]),
        ("domains", (["abc", "def"],), None),
        ("path", ("https://e.com/A/B?x=1",), "/a/b"),
        ("path", ("www.Google.com/?q=golang",), "/"),
        ("path", ("/home/Ann",), "/home/ann"),
        ("path", ("https://e.com",), ""),
        ("path", ("http://192.168.0.%31:8080/",), None),
        ("path", (None,), None),
        ("qs", ("http://e.com/?Q=Big+News", "q"), "big news"),
        ("qsl", ("www.Google.com/?q=GOLANG", "q"), "golang"),
        ("qs", ("http://e.com/?q=1&q=2", "q"), "1"),
        ("qs", ("http://e.com/?q=", "q"), None),
        ("qs", ("http://e.com/?q=1", "r"), None),
        ("qs", ("http://e.com/?q=1", ""), None),
        ("qs", (None, "q"), None),
        ("qs2", ("http://e.com/?q=Big+News", "q"), "Big News"),
        ("qs2", ("http://e.com/?Q=1", "q"), None),
        ("qs2", ("http://e.com/?q=%zz&r=ok", "r"), "ok"),
        ("useragent", (CHROME, "browser"), "Chrome"),
        ("useragent", (CHROME, "browser_version"), "23.0.1271.97"),
        ("useragent", (CHROME, "OS"), "Linux x86_64"),
        ("useragent", (CHROME, "platform"), "X11"),
        ("useragent", (CHROME, "mozilla"), "5.0"),
        ("useragent", (CHROME, "engine"), "AppleWebKit"),
        ("useragent", (CHROME, "engine_version"), "537.11"),
        ("useragent", (CHROME, "bot"), "false"),
        ("useragent", (CHROME, "mobile"), "false"),
        ("useragent", ([CHROME], "browser"), "Chrome"),
        ("useragent", (IPHONE, "browser"), "Safari"),
        ("useragent", (IPHONE, "browser_version"), "14.1"),
        ("useragent", (IPHONE, "platform"), "iPhone"),
        ("useragent", (IPHONE, "mobile"), "true"),
        ("useragent", (EDGE, "browser"), "Edge"),
        ("useragent", (EDGE, "os"), "Windows 10"),
        ("useragent", (EDGE, "platform"), "Windows"),
        ("useragent", (ANDROID, "os"), "Android 6.0.1"),
        ("useragent", (ANDROID, "browser"), "Chrome"),
        ("useragent", (ANDROID, "mobile"), "true"),
        ("useragent", (FIREFOX, "browser"), "Firefox"),
        ("useragent", (FIREFOX, "os"), "Windows 7"),
        ("useragent", (FIREFOX, "engine"), "Gecko"),
        ("useragent", (GOOGLEBOT, "bot"), "true"),
        ("useragent", (GOOGLEBOT, "browser"), "Googlebot"),
        ("useragent", (GOOGLEBOT, "browser_version"), "2.1"),
        ("useragent", (CHROME, "colour"), None),
        ("useragent", (CHROME, ""), None),
        ("useragent", ("", "os"), None),
        ("useragent", ("(" * 100_000, "os"), ""),
        ("useragent.map", ("",), None),
        ("ipfilter", ("10.1.2.3", "10.0.0.0/8"), True),
        ("ipfilter", ("11.1.2.3", "10.0.0.0/8"), False),
        ("ipfilter", ("192.168.1.7", "192.168.1.5/24"), True),
        ("ipfilter", ("2001:db8::1", "2001:db8::/32"), True),
        ("ipfilter", ("::ffff:10.1.2.3", "10.0.0.0/8"), True),
        ("ipfilter", ("2001:db8::1", "10.0.0.0/8"), False),
        ("ipfilter", ("invalid.ip", "10.0.0.0/8"), None),
        ("ipfilter", ("10.1.2.3", "10.0.0.0/35"), None),
        ("ipfilter", ("10.1.2.3", "10.0.0.0"), None),
        ("ipfilter", (None, "10.0.0.0/8"), None),
    ],
)
def test_web(call: Callable[..., Any], name: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert call(name, *arguments) == answer


def test_every_feature_of_an_agent_at_once(call: Callable[..., Any]) -> None:
    assert len(call("useragent.map", CHROME)) == 9


def test_patterns_of_parameters_are_checked(call: Callable[..., Any]) -> None:
    url = "http://e.com/b?mc_id=1&p=2"
    assert call("url.matchqs", url, "mc_*", literal=True) == "e.com/b?mc_id=1"
    for pattern, complaint in (("n[", "can't be read"), ("", "can't be read"), (NOT_LITERAL, "must be texts")):
        with pytest.raises(BadArgument, match=complaint):
            call("url.matchqs", url, pattern, literal=True)


def test_an_address_is_ready_to_be_stored() -> None:
    assert FUNCTIONS["email"].stored is FUNCTIONS["email"].call
