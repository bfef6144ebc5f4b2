"""E-mail addresses, URLs, user agents and network addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from app.lql.functions.base import NOT_LITERAL, BadArgument, Call, Function
from app.lql.values.agents import FEATURES, read_agent
from app.lql.values.patterns import searcher
from app.lql.values.reading import flat, text_of, written
from app.lql.values.urls import BAD_ESCAPE, Url, encode_query, parse_url, registrable_domain, with_scheme

PLAIN_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]+@[\w-]+(?:\.[\w-]+)+")
LONGEST_HEADER = 1_000
"""Characters of an address with its name; a longer text is something else."""

SHORTEST_DOMAIN = 4
LONGEST_NETWORK = 50

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def email(value: Any) -> str | None:
    """The address of a mail header, "Bob <Bob@Bob.com>", in lower case. None or several: None."""
    if value.__class__ is str:
        if PLAIN_EMAIL.fullmatch(value):
            return value.lower()
    elif value.__class__ is not list:
        return None
    found = _mailbox(value)
    return found[1].lower() if found else None


def email_name(value: Any) -> str | None:
    """The name in front of the address, an empty text when there is none."""
    found = _mailbox(value)
    return found[0] if found else None


def email_domain(value: Any) -> str | None:
    found = _mailbox(value)
    return found[1].rpartition("@")[2].lower() if found else None


def _mailbox(value: Any) -> tuple[str, str] | None:
    """Name and address of one mailbox: an address alone, name <address>, or address (name)."""
    text = text_of(value)
    if not text or len(text) > LONGEST_HEADER:
        return None
    text = text.strip()
    if text.endswith(")"):
        address, _, name = text[:-1].partition("(")
        name = name.strip()
    elif text.endswith(">"):
        name, _, address = text[:-1].rpartition("<")
        name = name.strip()
        if len(name) > 1 and name[0] == name[-1] == '"':
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        elif any(mark in name for mark in '@,;:<>"'):
            return None
    else:
        name, address = "", text
    address = address.strip()
    if ADDRESS.fullmatch(address) is None:
        return None
    return _decoded(name), address


def _decoded(name: str) -> str:
    """A name in the letters it stands for: headers write those beyond ASCII as =?utf-8?q?...?=."""
    if "=?" not in name:
        return name
    try:
        return str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, ValueError):
        return name


def url(value: Any) -> str | None:
    """The URL when it is one, with scheme and host."""
    text = (text_of(value) or "").strip()
    parsed = parse_url(text)
    return text if parsed is not None and parsed.scheme and parsed.host else None


def _parsed(value: Any) -> Url | None:
    text = text_of(value)
    return parse_url(text) if text else None


def _typed(text: str) -> Url | None:
    """A URL whose scheme may be missing; a text that begins like a path is one."""
    return parse_url(with_scheme(text) if len(text) > 6 and "/" not in text[:5] else text)


def url_main(value: Any) -> str | None:
    parsed = _parsed(value)
    return (parsed.host + parsed.plain_path or None) if parsed else None


def url_minus(value: Any, parameter: Any) -> str | None:
    text, name = text_of(value), text_of(parameter)
    parsed = _typed(text) if text and name else None
    if parsed is None or name is None:
        return None
    base = f"{parsed.scheme}://{parsed.host}{parsed.path}"
    parameters = parsed.parameters()
    query = parsed.query
    if name in parameters:
        del parameters[name]
        query = encode_query(parameters)
    return f"{base}?{query}" if query else base


def url_matching(value: Any, *patterns: Any) -> str | None:
    """Host and path, and the parameters whose names match one of the patterns, sorted."""
    parsed = _parsed(value)
    if parsed is None or not (base := parsed.host + parsed.plain_path):
        return None
    wanted = [found for pattern in patterns if pattern.__class__ is str and (found := searcher(pattern)) is not None]
    kept = {name: values for name, values in parsed.parameters().items() if any(match(name) for match in wanted)}
    return f"{base}?{encode_query(kept)}" if kept else base


def prepare_url_matching(arguments: Sequence[Any]) -> Call | None:
    for place, pattern in enumerate(arguments[1:], 1):
        if pattern is NOT_LITERAL:
            raise BadArgument(place, 'The patterns of url.matchqs() must be texts, such as "utm_.*".')
        if pattern.__class__ is not str or not pattern or searcher(pattern) is None:
            raise BadArgument(place, f"The pattern {written(pattern)} can't be read as a regular expression (RE2).")
    return None


def url_decode(value: Any) -> str | None:
    text = text_of(value)
    return unquote_plus(text) if text and not BAD_ESCAPE.search(text) else None


def _host_of(text: str) -> str | None:
    parsed = parse_url(with_scheme(text.strip()).lower())
    return (parsed.host or None) if parsed else None


def host(value: Any) -> str | None:
    text = text_of(value)
    return _host_of(text) if text else None


def hosts(*values: Any) -> list[str] | None:
    texts = (text_of(value) for value in flat(values))
    return [found for text in texts if text and (found := _host_of(text))] or None


def domain(value: Any) -> str | None:
    name = host(value)
    return registrable_domain(name) if name else None


def domains(*values: Any) -> list[str] | None:
    names = (host(value) for value in flat(values) if len(text_of(value) or "") >= SHORTEST_DOMAIN)
    return [found for name in names if name and (found := registrable_domain(name))] or None


def path(value: Any) -> str | None:
    """In lower case; an empty text when there is none."""
    text = text_of(value)
    parsed = _typed(text.lower()) if text else None
    return parsed.plain_path if parsed else None


def _parameter(text: str | None, name: str | None) -> str | None:
    parsed = _typed(text) if text and name else None
    if parsed is None or name is None:
        return None
    return parsed.parameters().get(name, [""])[0] or None


def query_lower(value: Any, parameter: Any) -> str | None:
    """A parameter of the whole URL in lower case."""
    text, name = text_of(value), text_of(parameter)
    return None if text is None or name is None else _parameter(text.lower(), name.lower())


def query_exact(value: Any, parameter: Any) -> str | None:
    return _parameter(text_of(value), text_of(parameter))


def user_agent(value: Any, feature: Any) -> str | None:
    text, name = text_of(value), text_of(feature)
    return read_agent(text).get(name.lower()) if text and name else None


def user_agent_map(value: Any) -> dict[str, str] | None:
    text = text_of(value)
    return dict(read_agent(text)) if text else None


def ip_filter(value: Any, network: Any) -> bool | None:
    """Whether an address lies in a range such as 10.0.0.0/8."""
    text, wanted = text_of(value), text_of(network)
    known = _network(wanted) if text and wanted and len(wanted) <= LONGEST_NETWORK else None
    if text is None or known is None or "%" in text:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address in known


@lru_cache(maxsize=1024)
def _network(text: str) -> Network | None:
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


WEB = (
    Function("email", email, 1, 1, "string", "The one address in a mail header, in lower case.", stored=email),
    Function("emailname", email_name, 1, 1, "string", "The name in front of an address."),
    Function("emaildomain", email_domain, 1, 1, "string", "What follows the @ of an address, in lower case."),
    Function("url", url, 1, 1, "string", "The URL, when it is a valid one."),
    Function("urlmain", url_main, 1, 1, "string", "Host and path of a URL."),
    Function("urlminusqs", url_minus, 2, 2, "string", "The URL without one parameter."),
    Function(
        "url.matchqs", url_matching, 1, None, "string",
        "Host and path, and the parameters whose names match a pattern.",
        prepare=prepare_url_matching,
    ),
    Function("urldecode", url_decode, 1, 1, "string", "The text with its percent escapes resolved."),
    Function("host", host, 1, 1, "string", "The host of a URL with its port, in lower case."),
    Function("hosts", hosts, 1, None, "[]string", "The hosts of several URLs."),
    Function("domain", domain, 1, 1, "string", "The registrable domain of a URL: amazon.co.uk."),
    Function("domains", domains, 1, None, "[]string", "The registrable domains of several URLs."),
    Function("path", path, 1, 1, "string", "The path of a URL, in lower case."),
    Function(
        "qs", query_lower, 2, 2, "string",
        "A parameter of a URL, name and value in lower case.",
        aliases=("qsl",),
    ),
    Function("qs2", query_exact, 2, 2, "string", "A parameter of a URL, name and value as they are written."),
    Function(
        "useragent", user_agent, 2, 2, "string",
        f"A feature of a user agent: {', '.join(FEATURES[:-1])} or {FEATURES[-1]}.",
    ),
    Function("useragent.map", user_agent_map, 1, 1, "map[string]string", "Every feature of a user agent."),
    Function("ipfilter", ip_filter, 2, 2, "bool", "Whether an address lies in a range such as 10.0.0.0/8."),
)  # fmt: skip
