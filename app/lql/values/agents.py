"""What a browser says of itself in its User-Agent text."""

from __future__ import annotations

import re
from functools import lru_cache

FEATURES = (
    "bot", "mobile", "mozilla", "platform", "os", "engine", "engine_version", "browser", "browser_version",
)  # fmt: skip

LONGEST = 2_000
TOKEN = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)|([^\s()]+)")
ROBOT = re.compile(r"bot|crawl|sp[iy]der|slurp|fetch|nutch|facebookexternalhit|search|worm", re.IGNORECASE)
SITE = re.compile(r"https?://")
HANDHELD = (
    "Mobile",
    "Tablet",
    "Android",
    "iPhone",
    "iPod",
    "IEMobile",
    "Windows Phone",
    "BlackBerry",
    "BB10",
    "webOS",
    "Symbian",
)
NO_SYSTEM = frozenset({"U", "compatible", "Mobile", "Tablet", "arm_64", "X11"})

WINDOWS = {
    "5.0": "Windows 2000",
    "5.1": "Windows XP",
    "5.2": "Windows XP x64 Edition",
    "6.0": "Windows Vista",
    "6.1": "Windows 7",
    "6.2": "Windows 8",
    "6.3": "Windows 8.1",
    "10.0": "Windows 10",
}
"""What Windows NT 11 calls itself is 10.0, too."""

BROWSERS = (
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("Edge", "Edge"),
    ("OPR", "Opera"),
    ("Opera", "Opera"),
    ("YaBrowser", "YaBrowser"),
    ("coc_coc_browser", "Coc Coc"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Browser"),
    ("Electron", "Electron"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("PhantomJS", "PhantomJS"),
    ("HeadlessChrome", "Headless Chrome"),
    ("Chromium", "Chromium"),
    ("CriOS", "Chrome"),
    ("GSA", "Google App"),
    ("FxiOS", "Firefox"),
    ("SeaMonkey", "SeaMonkey"),
    ("Chrome", "Chrome"),
    ("Firefox", "Firefox"),
)
"""The product that tells a browser, which comes before those whose names it also carries."""


def read_agent(text: str) -> dict[str, str]:
    """Every feature as text; an empty one where the text doesn't tell."""
    return _read_agent(text[:LONGEST])


@lru_cache(maxsize=4096)
def _read_agent(text: str) -> dict[str, str]:
    products: dict[str, str] = {}
    comments: list[list[str]] = []
    for comment, word in TOKEN.findall(text):
        if word:
            name, _, version = word.partition("/")
            products.setdefault(name, version)
        else:
            comments.append([part.strip() for part in comment.split(";")])
    parts = comments[0] if comments else []
    robot = _robot(products, comments)
    handheld = any(part.startswith(HANDHELD) for part in parts) or "Mobile" in products
    if robot is not None:
        platform = system = engine = engine_version = ""
        browser, browser_version = robot
    else:
        platform, system = _platform(parts), _system(parts)
        engine, engine_version = _engine(products, parts)
        browser, browser_version = _browser(products, parts, engine)
    return {
        "bot": "true" if robot else "false",
        "mobile": "true" if handheld else "false",
        "mozilla": products.get("Mozilla", ""),
        "platform": platform,
        "os": system,
        "engine": engine,
        "engine_version": engine_version,
        "browser": browser,
        "browser_version": browser_version,
    }


def _robot(products: dict[str, str], comments: list[list[str]]) -> tuple[str, str] | None:
    """Name and version of a program that reads pages by itself: it says so, or names its site."""
    for comment in comments:
        for at, part in enumerate(comment):
            if SITE.search(part):
                # The name stands before the site; alone, the site belongs to the first product.
                named = comment[at - 1] if at else next(iter(products.items()), (part, ""))
                if isinstance(named, tuple):
                    return named
                name, _, version = named.partition("/")
                return name, version
    for name, version in products.items():
        if ROBOT.search(name):
            return name, version
    return None


def _platform(parts: list[str]) -> str:
    if not parts:
        return ""
    first = parts[0]
    if first == "compatible":
        return "Windows" if any(part.startswith("MSIE") for part in parts) else ""
    for name in ("Windows", "Symbian", "webOS", "Android"):
        if first.startswith(name):
            return name
    return "BlackBerry" if first == "BB10" else first


def _system(parts: list[str]) -> str:
    for part in parts:
        if part.startswith("Windows NT "):
            return WINDOWS.get(part[11:], part)
    for part in parts:
        if part.startswith(("Windows Phone", "Android")):
            return part
    named = [part for part in parts if part not in NO_SYSTEM and not part.startswith(("MSIE", "rv:"))]
    if parts and parts[0] == "X11":
        return named[0] if named else ""
    return named[1] if len(named) > 1 else ""


def _engine(products: dict[str, str], parts: list[str]) -> tuple[str, str]:
    if "Edge" in products:
        return "EdgeHTML", ""
    if any(part.startswith(("Trident/", "MSIE")) for part in parts):
        return "Trident", next((part[8:] for part in parts if part.startswith("Trident/")), "")
    for name in ("AppleWebKit", "Presto", "Gecko"):
        if name in products:
            return name, products[name]
    return "", ""


def _browser(products: dict[str, str], parts: list[str], engine: str) -> tuple[str, str]:
    if engine == "Trident":
        revision = next((part[3:] for part in parts if part.startswith("rv:")), "")
        return "Internet Explorer", revision or next((part[4:].strip() for part in parts if part[:4] == "MSIE"), "")
    for product, name in BROWSERS:
        if product in products:
            return name, products[product]
    if "Safari" in products:
        android = any(part.startswith("Android") for part in parts)
        return "Android" if android else "Safari", products.get("Version", products["Safari"])
    if engine == "Gecko":
        return list(products.items())[-1]
    first = next(iter(products.items()), ("", ""))
    return ("", "") if first[0] == "Mozilla" else first
