"""How far the tagger is with what people taught it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from analysis.terms import stop_words
from analysis.texts import fold
from analysis.theme_fit import FROM
from archive.errors import UsageError
from archive.times import short
from archive.vocabulary import NONE, Meeting

ENOUGH = FROM  # corrections of a theme from which on it learns from them
MANY = 10_000  # posts still to re-tag that are counted; more are "more than"


def learning(conn: sqlite3.Connection) -> dict[str, Any] | None:
    """What the themes have learned; None where nobody has taught anything and nothing waits.

    ``corrections`` and ``keywords`` are what they learned from at ``fitted_at``, or where that is None what
    the tagger has not come to yet; ``enough`` says that they can change anything. ``waiting`` are the posts
    whose themes were chosen before, at most MANY.
    """
    row = conn.execute("SELECT corrections, keywords, fitted_at, themes_by FROM learning").fetchone()
    corrections, keywords, fitted_at, themes_by = row
    if fitted_at is None:
        corrections, keywords = _taught(conn)
    waiting = _waiting(conn, themes_by) if themes_by else 0
    if fitted_at is None and not (corrections or keywords or waiting):
        return None
    return {
        "corrections": corrections,
        "keywords": keywords,
        "fitted_at": short(fitted_at) if fitted_at else None,
        "enough": bool(keywords) or _most(taught_by_theme(conn)) >= ENOUGH,
        "waiting": waiting,
    }


def _taught(conn: sqlite3.Connection) -> tuple[int, int]:
    corrections = conn.execute(
        "SELECT count(DISTINCT post_id) FROM tags "
        "WHERE set_by IS NOT NULL AND superseded_at IS NULL AND component = 'theme'"
    ).fetchone()
    keywords = conn.execute("SELECT count(*) FROM keywords WHERE decision = 'accepted'").fetchone()
    return int(corrections[0]), int(keywords[0])


def _most(by_theme: Mapping[str, int]) -> int:
    return max((posts for theme, posts in by_theme.items() if theme != NONE), default=0)


def _waiting(conn: sqlite3.Connection, themes_by: str) -> int:
    # Two ranges of the index on themes_by, both empty as a rule: "is not" would read all of it.
    ranges = " UNION ALL ".join(
        f"SELECT 1 FROM posts WHERE tagged_at IS NOT NULL AND themes_by {sign} ?1" for sign in "<>"
    )
    row = conn.execute(f"SELECT count(*) FROM (SELECT * FROM ({ranges}) LIMIT ?2)", (themes_by, MANY))
    return int(row.fetchone()[0])


def taught_by_theme(conn: sqlite3.Connection) -> dict[str, int]:
    """By theme, how many posts people gave it to, or confirmed to have it."""
    rows = conn.execute(
        "SELECT label, count(DISTINCT post_id) FROM tags "
        "WHERE set_by IS NOT NULL AND superseded_at IS NULL AND component = 'theme' GROUP BY label"
    )
    return {label: posts for label, posts in rows}


def posts_by_theme(conn: sqlite3.Connection) -> dict[str, int]:
    """By theme, how many posts carry it."""
    rows = conn.execute("SELECT value, posts FROM rollup_totals WHERE dimension = 'theme'")
    return {theme: posts for theme, posts in rows}


def check_keyword(meeting: Meeting, keyword: str) -> None:
    """Refuse to accept a keyword of stop words alone, by UsageError.

    Of all the meeting's languages: a keyword finds its theme in posts in any of them. One that is too short
    is refused by the archive, in better words.
    """
    stop = stop_words(tuple(meeting.languages))
    words = [fold(word).strip("#").replace("’", "'") for word in keyword.split()]
    if len("".join(words)) > 1 and all(word in stop for word in words):
        raise UsageError(f"{keyword}: stands in posts about anything, so it would give them all this theme")
