"""What the Live page shows, cheap enough to ask every second: rollups and short index ranges only.

``now`` is passed in: in a replay it is the replay's moment, not the wall clock's.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from analysis.measures.ledger import newest_post, not_started, source_states, unstarted
from analysis.measures.outages import outages_of
from analysis.measures.roster import countries
from analysis.measures.shares import sentiment_shares
from archive.agenda_slots import sessions_of
from archive.playback import playback
from archive.shown import TEXT
from archive.times import MINUTE, from_text, short, to_text
from archive.vocabulary import NOT_SURE, UNTAGGED, Meeting

RECENT = timedelta(minutes=5)

#: The columns of ``_shown``.
POST = (
    f"p.id, p.key, p.source, p.kind, a.handle, a.name, {TEXT}, p.created_at, p.session, p.arm, p.url, "
    "ifnull(p.language_detected, CASE WHEN p.tagged_at IS NULL THEN p.language END), "
    "p.tagged_at IS NOT NULL, p.sentiment, p.sure, p.question, "
    "(SELECT group_concat(theme, ' ') FROM post_themes t WHERE t.post_id = p.id) "
    "FROM posts p JOIN authors a ON a.id = p.author_id"
)


def key_figures(conn: sqlite3.Connection, now: datetime, meeting: Meeting) -> dict[str, Any]:
    """The figures at the top of the Live page.

    ``countries`` is ``None`` without a roster; ``new_authors`` and ``session`` are ``None`` while no
    session is under way; ``questions`` and ``sentiment`` while nothing is tagged.
    """
    totals = _totals(conn)
    session = next(
        (s for s in sessions_of(meeting) if s.starts <= now - meeting.lag < s.ends and s.kind == "session"),
        None,
    )
    tagged = totals["tagged"].get("1", (0, 0))[0]
    marked = totals["language"] if set(totals["language"]) - {""} else totals["language_detected"]
    return {
        "posts": totals["all"].get("*", (0, 0))[0],
        "posts_5_min": posts_between(conn, now - RECENT, now),
        "authors": conn.execute("SELECT count(*) FROM authors WHERE posts > 0").fetchone()[0],
        "new_authors": _authors_since(conn, to_text(session.starts + meeting.lag)) if session else None,
        "session": session.slug if session else None,
        "session_title": session.title if session else None,
        "languages": dict(
            sorted(((code, n[0]) for code, n in marked.items() if code), key=lambda pair: (-pair[1], pair[0]))
        ),
        "countries": countries(conn, meeting) if meeting.participants else None,
        "questions": _open_questions(conn, now, totals) if tagged else None,
        "sentiment": sentiment_shares({label: n[1] for label, n in totals["sentiment"].items()})
        if tagged
        else None,
        "untagged": totals["tagged"].get("0", (0, 0))[0],
    }


def posts_between(conn: sqlite3.Connection, since: datetime, until: datetime) -> int:
    """Posts of the minutes that began at or after ``since`` and before ``until``."""
    row = conn.execute(
        "SELECT ifnull(sum(posts), 0) FROM rollup_minutes WHERE theme = '*' AND minute >= ? AND minute < ?",
        (_begun_by(since), _begun_by(until)),
    ).fetchone()
    return int(row[0])


def per_minute(conn: sqlite3.Connection, since: datetime, until: datetime) -> list[tuple[str, str, int]]:
    """``(minute, theme, posts)`` in order; a post counts under each of its themes."""
    rows = conn.execute(
        "SELECT minute, theme, sum(posts) FROM rollup_minutes WHERE minute >= ? AND minute < ? "
        "AND theme <> '*' GROUP BY minute, theme ORDER BY minute, theme",
        (to_text(since)[:MINUTE], _begun_by(until)),
    )
    return [(minute, theme, posts) for minute, theme, posts in rows]


def sentiment_bins(
    conn: sqlite3.Connection, since: datetime, until: datetime, minutes: int = 5
) -> list[dict[str, Any]]:
    """Authored, tagged posts by theme and bin: ``bin`` (its start), ``theme``, ``n`` and each label's count.

    Bins are aligned to the full hour; those without posts are absent.
    """
    labels: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for minute, theme, label, authored in conn.execute(
        "SELECT minute, theme, sentiment, sum(authored) FROM rollup_minutes WHERE minute >= ? AND minute < ? "
        "AND theme <> '*' AND sentiment <> 'untagged' GROUP BY minute, theme, sentiment",
        (to_text(since)[:MINUTE], _begun_by(until)),
    ):
        if authored:
            labels[_bin(minute, minutes), theme][label] += authored
    return [
        {
            "bin": start,
            "theme": theme,
            "n": counts.total(),
            **{label: counts[label] for label in ("positive", "neutral", "negative", NOT_SURE)},
        }
        for (start, theme), counts in sorted(labels.items())
    ]


def _begun_by(until: datetime) -> str:
    """The first minute that has not begun before a moment."""
    return to_text(until + timedelta(minutes=1) - timedelta(microseconds=1))[:MINUTE]


def _bin(minute: str, width: int) -> str:
    return f"{minute[:-2]}{int(minute[-2:]) // width * width:02}"


def newest(conn: sqlite3.Connection, after_id: int, limit: int) -> list[dict[str, Any]]:
    """The newest posts stored after the one with this row number, the newest first, with their tags."""
    rows = conn.execute(f"SELECT {POST} WHERE p.id > ? ORDER BY p.id DESC LIMIT ?", (after_id, limit))
    return [_shown(row) for row in rows]


def posts_by_id(conn: sqlite3.Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The same objects for given row numbers: tags come after the post was shown. Deleted ones are absent."""
    marks = ", ".join("?" * len(ids))
    rows = conn.execute(f"SELECT {POST} WHERE p.id IN ({marks}) ORDER BY p.id DESC", tuple(ids))
    return [_shown(row) for row in rows]


def _shown(row: Sequence[Any]) -> dict[str, Any]:
    post_id, key, source, kind, handle, name, text, created_at, session, arm, url, language, *tags = row
    tagged, sentiment, sure, question, themes = tags
    label = (sentiment if sure and sentiment else NOT_SURE) if tagged else UNTAGGED
    return {
        "id": post_id,
        "key": key,
        "source": source,
        "kind": kind,
        "handle": handle,
        "name": name,
        "text": text,
        "created_at": short(created_at),
        "session": session,
        "arm": arm,
        "url": url,
        "language": language,
        "tagged": bool(tagged),
        "sentiment": label,
        "themes": sorted(themes.split()) if themes else [],
        "question": bool(question),
    }


def most_active(conn: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The authors with most posts: ``handle``, ``name``, ``source``, ``posts``, ``authored``."""
    rows = conn.execute(
        "SELECT handle, name, source, posts, authored FROM authors WHERE posts > 0 "
        "ORDER BY posts DESC, authored DESC, key LIMIT ?",
        (limit,),
    )
    return [dict(zip(("handle", "name", "source", "posts", "authored"), row, strict=True)) for row in rows]


def feed_health(conn: sqlite3.Connection, now: datetime, meeting: Meeting) -> list[dict[str, Any]]:
    """The sources as ``status`` has them, with ``age_s`` and ``outages`` (``outages_of``) for ``gaps``.

    ``age_s`` is the seconds since the newest post or sign of life. Where something is listened to, sources
    of the meeting file that were never started follow; networks without a ledger come last, as ``imported``.
    """
    health = source_states(conn, now)
    if health and playback(conn) is None:  # nobody will start what a replay leaves out
        health += unstarted(conn, meeting, {source["name"] for source in health})
    known = {source["source"] for source in health}
    for (label,) in conn.execute("SELECT value FROM rollup_totals WHERE dimension = 'source' ORDER BY value"):
        if label not in known:
            imported = {**not_started(label, label), **newest_post(conn, label)}
            health.append({**imported, "state": "imported", "reason": None})
    for source in health:
        signs = [from_text(source[name]) for name in ("last_post", "last_heard") if source[name]]
        source["age_s"] = max(0.0, (now - max(signs)).total_seconds()) if signs else None
        source["outages"] = outages_of(source.pop("gaps"), now)
    return health


def _totals(conn: sqlite3.Connection) -> dict[str, dict[str, tuple[int, int]]]:
    totals: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for dimension, value, posts, authored in conn.execute("SELECT * FROM rollup_totals"):
        totals[dimension][value] = posts, authored
    return totals


def _authors_since(conn: sqlite3.Connection, since: str) -> int:
    row = conn.execute("SELECT count(*) FROM authors WHERE first_post_at >= ?", (since,)).fetchone()
    return int(row[0])


def _open_questions(
    conn: sqlite3.Connection, now: datetime, totals: dict[str, dict[str, tuple[int, int]]]
) -> dict[str, Any]:
    """Questions to the chair: authored, on a theme of the meeting or asked as its tool or custom has it."""
    oldest = conn.execute(
        "SELECT created_at FROM posts WHERE to_chair = 1 AND kind IS NOT 'repost' ORDER BY created_at LIMIT 1"
    ).fetchone()
    return {
        "open": totals["to_chair"].get("1", (0, 0))[1],
        "oldest_age_s": (now - from_text(oldest[0])).total_seconds() if oldest else None,
    }
