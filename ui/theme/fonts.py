"""The bundled typefaces: Inter for words and figures, JetBrains Mono for code."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtGui import QFont, QFontDatabase

from ui.theme.files import resource

SANS = "Inter"
MONO = "JetBrains Mono"


def load_fonts() -> None:
    """Make the bundled fonts known to Qt. Needs a QGuiApplication.

    Raises FileNotFoundError when a font is missing or unreadable: the set-up is broken, not the user's doing.
    """
    files = sorted(resource("fonts").glob("*.ttf"))
    if not files:
        raise FileNotFoundError(f"no fonts in {resource('fonts')}")
    for file in files:
        if QFontDatabase.addApplicationFont(str(file)) < 0:
            raise FileNotFoundError(f"the font {file} cannot be read")


@lru_cache(maxsize=64)
def _made(family: str, pixels: float, weight: int, tabular: bool) -> QFont:
    made = QFont(family)
    # Qt draws whole pixel sizes only: a size between two takes the upper one, set as narrow as the size says.
    made.setPixelSize(math.ceil(pixels))
    if pixels != math.ceil(pixels):
        made.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 100 * pixels / math.ceil(pixels))
    made.setWeight(QFont.Weight(weight))
    # Hinting would round every letter to whole pixels and set the text wider than it is drawn.
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    if family == MONO:
        # Ligatures would turn two characters of somebody's data into one sign.
        made.setFeature(QFont.Tag("calt"), 0)
    return made


def font(pixels: float = 13, weight: int = 400, *, tabular: bool = False) -> QFont:
    """Inter at a size in logical pixels; `tabular` makes figures equally wide so that columns line up.

    Only for figures: it widens hyphens and points between letters too.
    """
    return QFont(_made(SANS, pixels, weight, tabular))


def mono_font(pixels: float = 12, weight: int = 400) -> QFont:
    """JetBrains Mono at a size in logical pixels, without ligatures."""
    return QFont(_made(MONO, pixels, weight, False))
