"""The Themes page: what each theme is found by, what people have taught it, and keywords that are suggested.

A suggestion is never applied by itself: a person accepts or rejects it, by name, and may change their mind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from analysis.charts import DARK, LIGHT, theme_colour
from analysis.measures.learning import ENOUGH, check_keyword, learning, posts_by_theme, taught_by_theme
from archive.errors import ArchiveError, BackchannelError, UsageError
from archive.reading import explained, load_meeting
from archive.search import Hit, hits_of
from archive.store import Archive
from archive.suggestions import Decided, Suggestion, decided, suggestions
from archive.times import from_text
from archive.vocabulary import Meeting, Theme
from views import components, learned, postcard, settings
from views.heard import examples
from views.style import asset

LOOK = 4.0  # seconds between two looks at the archive
SHOWN = 8  # suggestions a theme; those behind them come up when these are decided

_PAGE = st.components.v2.component(
    "backchannel_themes",
    html=asset("themes.html"),
    css=asset("base.css") + asset("themes.css"),
    js=asset("dom.js") + asset("themes.js"),
    isolate_styles=True,
)


def page(path: Path) -> None:
    """Draw the page for the archive at ``path``."""
    try:
        with settings.reading(path) as conn:
            meeting = load_meeting(conn)
    except ArchiveError as error:
        components.message("This archive cannot be read", [str(error)])
        return
    st.html(f"<style>{asset('archive_page.css')}</style>")
    st.html(postcard.heading(meeting))
    if meeting.themes:
        st.fragment(_drawn, run_every=LOOK)(path)
    else:
        components.message(
            "This meeting has no themes",
            ["Write [[themes]] into the meeting file: a title, one to three sentences, some keywords."],
        )


def _drawn(path: Path) -> None:
    if st.session_state.pop("themes_left", False):
        st.rerun()  # the whole page: this fragment alone cannot show another one
    try:
        with settings.reading(path) as conn:
            data = described(conn, load_meeting(conn))
    except ArchiveError as error:
        components.message("This archive cannot be read", [str(error)])
        return
    except sqlite3.Error as error:
        components.message("This archive cannot be read", [str(explained(error, path))])
        return
    _PAGE(
        key="themes",
        data={**data, "fixed": settings.read_only(), "saved": st.session_state.get("themes_saved")},
        on_act_change=lambda: _act(path),
        on_go_change=_go,
    )


def described(conn: sqlite3.Connection, meeting: Meeting) -> dict[str, Any]:
    """The whole page; texts of others as plain strings."""
    offered = suggestions(conn)
    hits = hits_of(conn, list({key for one in offered for key in one.examples}))
    decisions, taught, posts = decided(conn), taught_by_theme(conn), posts_by_theme(conn)
    said = learned.line(learning(conn), meeting)
    return {
        "learned": said[:1].upper() + said[1:],
        "themes": [
            {
                **_about(theme, place),
                "posts": posts.get(theme.slug, 0),
                "corrections": taught.get(theme.slug, 0),
                "enough": ENOUGH,
                **_offered([one for one in offered if one.theme == theme.slug], hits, meeting),
                "decided": [_decided(one, meeting) for one in decisions if one.theme == theme.slug],
            }
            for place, theme in enumerate(meeting.themes)
        ],
    }


def _about(theme: Theme, place: int) -> dict[str, Any]:
    return {
        "slug": theme.slug,
        "title": theme.title,
        "colours": [theme_colour(place, LIGHT), theme_colour(place, DARK)],
        "description": theme.description,
        "keywords": [[code, list(words)] for code, words in theme.keywords.items()],
    }


def _offered(offered: Sequence[Suggestion], hits: Mapping[str, Hit], meeting: Meeting) -> dict[str, Any]:
    return {
        "suggestions": [
            {
                "language": one.language,
                "named": postcard.label("language", one.language, meeting),
                "keyword": one.keyword,
                "posts": one.posts,
                "authors": one.authors,
                "new": one.new_posts,
                "examples": examples(hits[key] for key in one.examples if key in hits),
            }
            for one in offered[:SHOWN]
        ],
        "more": max(0, len(offered) - SHOWN),
    }


def _decided(one: Decided, meeting: Meeting) -> dict[str, Any]:
    at = from_text(one.seen_at).astimezone(meeting.zone)
    return {
        "language": one.language,
        "keyword": one.keyword,
        "accepted": one.decision == "accepted",
        "by": one.set_by,
        "when": f"{at.day} {at:%b %H:%M}",
    }


def _act(path: Path) -> None:
    """A keyword was accepted or rejected."""
    wish = st.session_state["themes"].get("act") or {}
    if isinstance(wish.get("decide"), dict):
        before = st.session_state.get("themes_saved", {"number": 0})
        problem = decide(path, wish["decide"])
        st.session_state["themes_saved"] = {"number": before["number"] + 1, "problem": problem}


def decide(path: Path, said: Mapping[str, Any]) -> str | None:
    """Keep what a person says of a keyword; what is wrong with it, or None."""
    theme, language, keyword, by = (
        str(said.get(name) or "") for name in ("theme", "language", "keyword", "by")
    )
    try:
        if settings.read_only():
            raise UsageError("This dashboard is read-only: nothing can be decided here.")
        accepted = said.get("accepted") is True
        with Archive.open(path) as archive:
            if accepted:
                check_keyword(archive.meeting, keyword)
            archive.decide(theme, language, keyword, accepted=accepted, by=by.strip())
    except BackchannelError as error:
        return str(error)
    return None


def _go() -> None:
    """An example was clicked: open it in the archive."""
    key = st.session_state["themes"].get("go")
    if isinstance(key, str):
        st.query_params.from_dict({"page": "archive", "post": key})
        st.session_state["themes_left"] = True
