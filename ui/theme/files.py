"""Where the bundled fonts, icons and themes lie on this computer."""

from __future__ import annotations

from pathlib import Path

_RESOURCES = Path(__file__).resolve().parents[2] / "resources"


def resource(*parts: str) -> Path:
    """Path of a bundled file, such as `resource("fonts", "Inter_400Regular.ttf")`."""
    return _RESOURCES.joinpath(*parts)
