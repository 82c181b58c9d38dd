"""Honesty: how much of the discussion we were there to hear, and how the collection stands now."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from math import ceil
from statistics import median
from typing import Any

from analysis.measures.ledger import (
    SILENCE,
    Entry,
    clip,
    entries,
    gap,
    heartbeats,
    holes,
    seconds,
    source_states,
    unstarted,
)
from analysis.measures.window import Window
from archive.agenda_slots import sessions_of
from archive.coverage import LISTENING
from archive.filters import Filters
from archive.playback import playback
from archive.reading import load_meeting
from archive.times import to_text
from archive.vocabulary import ATTEMPTS, Meeting


def honesty(window: Window, meeting: Meeting, now: datetime | None = None) -> dict[str, Any]:
    """Everything under Honesty in measures.md. With ``now``, what is still to come is not scheduled yet."""
    return {"coverage": coverage(window, meeting, now), "potential_reach": potential_reach(window)}


def potential_reach(window: Window) -> int | None:
    """The followers of all authors added up, each at the most ever seen: an upper bound."""
    if window.whole:
        sql = "SELECT sum(ifnull(followers_max, followers)) FROM authors WHERE posts > 0"
    else:
        sql = (
            "SELECT sum(ifnull(followers_max, followers)) FROM authors "
            "WHERE id IN (SELECT author_id FROM chosen)"
        )
    reach = window.value(sql)
    return None if reach is None else int(reach)


def coverage(window: Window, meeting: Meeting, now: datetime | None) -> dict[str, dict[str, Any]]:
    """Per source by name, or by network where nothing was listened to (an imported archive).

    ``late_s``, ``duplicates`` and ``deleted`` are those of the network, also where several sources listen
    to it. ``quarantined`` items name no network, so they are known for an archive of one source only.
    """
    conn = window.conn
    ledger, heard = entries(conn), heartbeats(conn)
    starts, ends = scheduled(window, meeting, now)
    listened = {source for spans in ledger.values() for source in (spans[0].source,)}
    labels = sorted(set(Window(conn, Filters()).totals("source", "source")) - listened)
    intake = _by_source(conn, "SELECT source, duplicates FROM intake WHERE source <> ''")
    deleted = _by_source(conn, "SELECT source, count(*) FROM tombstones WHERE post_seen = 1 GROUP BY 1")
    quarantined = conn.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    single = len(ledger) + len(labels) == 1
    found: dict[str, dict[str, Any]] = {}
    for name, spans in [*ledger.items(), *((label, list[Entry]()) for label in labels)]:
        source = spans[0].source if spans else name
        if window.filters.source not in (None, source):
            continue
        found[name] = {
            "source": source,
            **_listening(spans, heard.get(name), starts, ends),
            "late_s": lateness(window, source),
            "duplicates": intake.get(source, 0),
            "quarantined": quarantined if single or not quarantined else None,
            "deleted": deleted.get(source, 0),
        }
    return found


def scheduled(window: Window, meeting: Meeting, now: datetime | None) -> tuple[str, str]:
    """The part of the meeting that the window shows and that has happened; a session, moved by the lag."""
    filters = window.filters
    starts, ends = next(
        (
            (session.starts + meeting.lag, session.ends + meeting.lag)
            for session in sessions_of(meeting)
            if session.slug == filters.session
        ),
        (meeting.starts, meeting.ends),
    )
    starts = max(filter(None, (starts, filters.from_)))
    ends = min(filter(None, (ends, filters.to, now)))
    return to_text(starts), max(to_text(starts), to_text(ends))


def _listening(spans: list[Entry], heard: str | None, starts: str, ends: str) -> dict[str, Any]:
    """What the ledger says about one source within the scheduled time; nothing where it says nothing."""
    if not spans:
        return {"listened_s": None, "scheduled_s": None, "share": None, "gaps": None}
    # That it listens has to be proven; that it is deaf or stopped holds until something else is said.
    known = [
        (s, s.ended_at or max(s.started_at, (heard or "") if s.state in LISTENING else ends)) for s in spans
    ]
    heard_in = clip(((s.started_at, end) for s, end in known if s.state in LISTENING), starts, ends)
    planned = seconds([(starts, ends)])
    gaps = [gap(*hole, "not recorded") for hole in holes(((s.started_at, e) for s, e in known), starts, ends)]
    for span, end in known:
        if span.state not in LISTENING:
            for part in clip([(span.started_at, end)], starts, ends):
                gaps.append(gap(*part, span.cause, span.backfilled, span.missing_estimate))
    return {
        "listened_s": seconds(heard_in),
        "scheduled_s": planned,
        "share": seconds(heard_in) / planned if planned else None,
        "gaps": sorted(gaps, key=lambda item: item["from"]),
    }


def lateness(window: Window, source: str) -> dict[str, float | None]:
    """Seconds from writing to collecting: median and 95th percentile; unknown for imported posts."""
    rows = window.rows(
        "SELECT (julianday(received_at) - julianday(created_at)) * 86400 FROM chosen "
        "WHERE source = ? AND received_at IS NOT NULL ORDER BY 1",
        source,
    )
    late = [round(row[0], 3) for row in rows]
    if not late:
        return {"median": None, "p95": None}
    return {"median": median(late), "p95": late[ceil(0.95 * len(late)) - 1]}


def status(conn: sqlite3.Connection, now: datetime) -> dict[str, Any]:
    """The object of ``backchannel status --json``; ``now`` is the wall clock's, also while a replay runs.

    Sources of the meeting file that were never started are ``stopped``.
    """
    waiting = conn.execute(
        "SELECT posts FROM rollup_totals WHERE dimension = 'tagged' AND value = '0'"
    ).fetchone()
    aside, waiting_aside = conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE p.tagged_at IS NULL) "
        "FROM tag_failures f JOIN posts p ON p.id = f.post_id WHERE max(f.attempts, f.refinements) >= ?",
        (ATTEMPTS,),
    ).fetchone()
    sources = source_states(conn, _clock(conn, now))
    started = {source["name"] for source in sources}
    return {
        "sources": [*sources, *unstarted(conn, load_meeting(conn), started)],
        "queues": {
            "untagged": (waiting[0] if waiting else 0) - waiting_aside,
            "set_aside": aside,
            "quarantined": conn.execute("SELECT count(*) FROM quarantine").fetchone()[0],
        },
    }


def _clock(conn: sqlite3.Connection, now: datetime) -> datetime:
    """The meeting's time while a replay is going on, else the wall's."""
    played = playback(conn)
    if played is None or played.finished or not (played.paused or now - played.seen_at < SILENCE):
        return now
    return played.position


def _by_source(conn: sqlite3.Connection, sql: str) -> dict[str, int]:
    return dict(map(tuple, conn.execute(sql)))
