"""Reading the coverage ledger: when each source was listening, and what it is doing now.

Times stay the archive's fixed-width text, which sorts; only lengths are turned into seconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from archive.coverage import LISTENING, NOT_RUNNING
from archive.playback import playback
from archive.reading import load_meeting
from archive.times import from_text, short, to_text
from archive.vocabulary import Meeting

UNHEARD = "nothing heard since, not even a sign of life"
#: A source that calls itself listening but has not been heard for so long is deaf.
SILENCE = timedelta(seconds=60)

Interval = tuple[str, str]


class Entry(NamedTuple):
    """One interval of the ledger; ``ended_at`` is ``None`` while it lasts."""

    name: str
    source: str
    state: str
    started_at: str
    ended_at: str | None
    cause: str | None
    backfilled: str | None
    missing_estimate: int | None

    def as_gap(self) -> dict[str, Any]:
        """The interval as ``coverage`` and ``status`` show a gap."""
        return gap(self.started_at, self.ended_at, self.cause, self.backfilled, self.missing_estimate)


def gap(
    starts: str,
    ends: str | None,
    cause: str | None,
    backfilled: str | None = None,
    missing: int | None = None,
) -> dict[str, Any]:
    """A time without listening, as JSON."""
    return {
        "from": short(starts),
        "to": short(ends) if ends else None,
        "cause": cause,
        "backfilled": backfilled,
        "missing_estimate": missing,
    }


def entries(conn: sqlite3.Connection) -> dict[str, list[Entry]]:
    """The ledger by source name, in order of time."""
    ledger: dict[str, list[Entry]] = {}
    for row in conn.execute(
        "SELECT name, source, state, started_at, ended_at, cause, backfilled, missing_estimate "
        "FROM coverage ORDER BY name, started_at, id"
    ):
        ledger.setdefault(row[0], []).append(Entry._make(row))
    return ledger


def heartbeats(conn: sqlite3.Connection) -> dict[str, str]:
    """When each source was last heard, by name."""
    return dict(map(tuple, conn.execute("SELECT name, heard_at FROM heartbeats")))


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals in order."""
    merged: list[Interval] = []
    for starts, ends in sorted(intervals):
        if starts >= ends:
            continue
        if merged and starts <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((starts, ends))
    return merged


def clip(intervals: Iterable[Interval], starts: str, ends: str) -> list[Interval]:
    """What of the intervals lies within a window."""
    return union((max(one, starts), min(other, ends)) for one, other in intervals)


def holes(intervals: Iterable[Interval], starts: str, ends: str) -> list[Interval]:
    """What of a window the intervals leave out."""
    left, reached = [], starts
    for one, other in clip(intervals, starts, ends):
        left.append((reached, one))
        reached = other
    return union([*left, (reached, ends)])


def seconds(intervals: Iterable[Interval]) -> float:
    """The length of disjoint intervals."""
    return sum((from_text(ends) - from_text(starts)).total_seconds() for starts, ends in intervals)


def source_states(conn: sqlite3.Connection, now: datetime) -> list[dict[str, Any]]:
    """What every source of the ledger is doing: the objects of ``status --json``, by name."""
    heard = heartbeats(conn)
    played = playback(conn)  # a replay's clock runs faster than its signs of life come
    speed = max(1.0, played.speed if played else 1.0)
    told = _patience(conn)
    dead = played is None and _collector_died(conn, now)
    states = []
    for name, ledger in entries(conn).items():
        last = ledger[-1]
        state, since, reason = last.state, last.started_at, last.cause
        proof = max(heard.get(name, ""), last.started_at)
        patience = told.get(name, SILENCE) * speed
        is_over = last.ended_at is not None and last.ended_at <= to_text(now)
        if state in LISTENING and last.ended_at is None and (dead or from_text(proof) + patience < now):
            state, since, reason = "deaf", proof, NOT_RUNNING if dead else UNHEARD
        elif dead and state != "stopped":
            state, reason = "deaf", NOT_RUNNING
        elif last.ended_at is not None and is_over and state != "waiting":
            state, since, reason = "stopped", last.ended_at, last.cause
        states.append(
            {
                "name": name,
                "source": last.source,
                "state": state,
                "since": short(since),
                "until": short(last.ended_at) if last.ended_at and not is_over else None,
                "reason": reason,
                **newest_post(conn, last.source),
                "last_heard": short(heard[name]) if name in heard else None,
                "gaps": [entry.as_gap() for entry in ledger if entry.state not in LISTENING],
            }
        )
    return states


def _patience(conn: sqlite3.Connection) -> dict[str, timedelta]:
    """For how long sources may be silent that were told to wait longer for their servers."""
    return {
        spec.name: max(SILENCE, timedelta(seconds=2 * float(spec.settings["stall_after"])))
        for spec in load_meeting(conn).sources
        if spec.settings.get("stall_after")
    }


def _collector_died(conn: sqlite3.Connection, now: datetime) -> bool:
    """A collector that ends in order gives its lease back; one that was killed lets it run out."""
    row = conn.execute("SELECT expires_at FROM leases WHERE name = 'collector'").fetchone()
    return row is not None and from_text(row[0]) < now


def not_started(name: str, source: str | None) -> dict[str, Any]:
    """The same object for a source of the meeting file that the ledger has nothing of."""
    return {
        "name": name,
        "source": source,
        "state": "stopped",
        "since": None,
        "until": None,
        "reason": "not started yet",
        "last_post": None,
        "lag_s": None,
        "last_heard": None,
        "gaps": [],
    }


def unstarted(conn: sqlite3.Connection, meeting: Meeting, started: set[str]) -> list[dict[str, Any]]:
    """The same objects for all sources of the meeting file that were never started."""
    sources = [
        not_started(spec.name, None if spec.kind == "folder" else spec.kind)
        for spec in meeting.sources
        if spec.name not in started
    ]
    return [{**one, **newest_post(conn, one["source"])} if one["source"] else one for one in sources]


def newest_post(conn: sqlite3.Connection, source: str) -> dict[str, Any]:
    """When the newest post of a network was written, and how long it took to reach us, in seconds."""
    minute = conn.execute(
        "SELECT minute FROM rollup_minutes WHERE source = ? AND theme = '*' ORDER BY minute DESC LIMIT 1",
        (source,),
    ).fetchone()
    if minute is None:
        return {"last_post": None, "lag_s": None}
    created_at, received_at = conn.execute(
        "SELECT created_at, received_at FROM posts WHERE source = ? AND created_at >= ? "
        "ORDER BY created_at DESC LIMIT 1",
        (source, minute[0]),
    ).fetchone()
    lag = None
    if received_at is not None:
        lag = (from_text(received_at) - from_text(created_at)).total_seconds()
    return {"last_post": short(created_at), "lag_s": lag}
