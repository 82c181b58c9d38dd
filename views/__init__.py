"""The dashboard's pages and the live push."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from views import archive, live, themes


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the dashboard: its name on the control, and the function that draws it for an archive."""

    title: str
    draw: Callable[[Path], None]


#: The pages by the value of the query parameter ``page``; the first is the one that opens.
PAGES: dict[str, Page] = {
    "live": Page("Live", live.page),
    "archive": Page("Archive", archive.page),
    "themes": Page("Themes", themes.page),
}
