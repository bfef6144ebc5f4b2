"""How the window looks: tokens, fonts, icons and the style built from them.

    theme = Theme()             # follows the system unless the user chose
    theme.apply(application)    # once, before the first widget is made
    theme.choose("dark")        # "light", "dark" or "system"; kept in QSettings

A widget that paints itself asks `current_theme()` at paint time, so it never holds a stale colour:

    painter.setPen(current_theme().color("muted"))
    painter.setFont(font(11.5))
    paint_icon(painter, QRectF(0, 0, 16, 16), "search", "muted")

`set_icon(button, "plus", "on_accent")` keeps a button's or an action's icon in step with the theme.
"""

from ui.theme.fonts import font, mono_font
from ui.theme.icons import icon, icon_pixmap, paint_icon, provider_mark_path, set_icon
from ui.theme.theme import Choice, Theme, current_theme

__all__ = [
    "Choice",
    "Theme",
    "current_theme",
    "font",
    "icon",
    "icon_pixmap",
    "mono_font",
    "paint_icon",
    "provider_mark_path",
    "set_icon",
]
