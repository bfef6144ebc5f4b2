"""The parts of a URL, read strictly: what no server could be asked for is no URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_plus, unquote, unquote_plus

from publicsuffixlist import PublicSuffixList

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
HOST = re.compile(r"[^\s\x00-\x20\"#%/<>?@\\^`{|}\[\]:]*(?::[0-9]*)?|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?")
ADDRESS = re.compile(r"[0-9.]+|\[.*")
LONGEST_DOMAIN = 253


@dataclass(frozen=True, slots=True)
class Url:
    """A URL taken apart; `path` and `query` as they are written, `host` with its port."""

    scheme: str
    host: str
    path: str
    query: str

    @property
    def plain_path(self) -> str:
        """The path with its escapes resolved."""
        return unquote(self.path) if "%" in self.path else self.path

    def parameters(self) -> dict[str, list[str]]:
        """The values of each parameter in their order; what is badly escaped is left out."""
        found: dict[str, list[str]] = {}
        for part in self.query.split("&"):
            if not part or ";" in part or BAD_ESCAPE.search(part):
                continue
            name, _, value = part.partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
        return found


def parse_url(text: str) -> Url | None:
    """None for what is no URL: blanks in the host, a port of letters, a broken escape. A scheme may be missing."""
    if CONTROL.search(text):
        return None
    rest = text.partition("#")[0]
    scheme = ""
    if found := SCHEME.match(rest):
        scheme, rest = found[1].lower(), rest[found.end() :]
    rest, _, query = rest.partition("?")
    host = ""
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        host = authority.rpartition("@")[2]
        if HOST.fullmatch(host) is None:
            return None
    elif rest[:1] != "/":
        if scheme:
            return Url(scheme, "", "", query)
        if ":" in rest.partition("/")[0]:
            return None
    return None if BAD_ESCAPE.search(rest) else Url(scheme, host, rest, query)


def with_scheme(text: str) -> str:
    """The URL as it is typed into a browser, with http:// in front when it names no scheme of the web."""
    return text if text[:7].lower() == "http://" or text[:8].lower() == "https://" else f"http://{text}"


def encode_query(parameters: dict[str, list[str]]) -> str:
    """Sorted by name."""
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}" for name in sorted(parameters) for value in parameters[name]
    )


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # Reading the list takes a moment, and most mappings need none.
    return PublicSuffixList()


def registrable_domain(host: str) -> str | None:
    """The domain below a public suffix: "amazon.co.uk" of "www.amazon.co.uk:80". Addresses and suffixes have none."""
    name = host.partition(":")[0].removesuffix(".").lower()
    if not name or len(name) > LONGEST_DOMAIN or ".." in name or ADDRESS.fullmatch(name):
        return None
    return _registrable(name)


@lru_cache(maxsize=8192)
def _registrable(name: str) -> str | None:
    return _suffixes().privatesuffix(name)
