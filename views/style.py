"""How the pages look: the theme given to Streamlit, and the style sheet laid over it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.charts import DARK, LIGHT, Palette

ASSETS = Path(__file__).parent / "assets"

THEME: dict[str, Any] = {
    "theme.font": "sans-serif",
    "theme.baseRadius": "8px",
    "theme.light.primaryColor": "#1F5FA8",
    "theme.light.backgroundColor": "#F6F7F9",
    "theme.light.secondaryBackgroundColor": "#ECEEF2",
    "theme.light.textColor": LIGHT.text,
    "theme.light.borderColor": LIGHT.line,
    "theme.dark.primaryColor": "#6BAED6",
    "theme.dark.backgroundColor": "#0E1117",
    "theme.dark.secondaryBackgroundColor": "#1C222B",
    "theme.dark.textColor": DARK.text,
    "theme.dark.borderColor": DARK.line,
}


@cache
def asset(name: str) -> str:
    """The text of a file in ``views/assets``."""
    return (ASSETS / name).read_text(encoding="utf-8")


def is_dark() -> bool:
    """Whether this viewer's browser shows the dark theme."""
    return st.context.theme.type == "dark"


def palette() -> Palette:
    """The colours for this viewer."""
    return DARK if is_dark() else LIGHT


def apply() -> None:
    """Lay the style sheet of the house over the page."""
    colours = palette()
    st.html(
        "<style>:root{"
        f"--backchannel-card:{colours.card};--backchannel-line:{colours.line};"
        f"--backchannel-muted:{colours.muted};--backchannel-text:{colours.text};"
        f"color-scheme:{'dark' if is_dark() else 'light'}}}"
        f"{asset('page.css')}</style>"
    )
