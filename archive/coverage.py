"""The coverage ledger: for every source and moment, were we listening? And who may collect at all."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from archive.errors import LeaseTaken
from archive.times import from_text, to_text
from archive.vocabulary import Span, State

LISTENING: tuple[State, ...] = ("listening", "catching_up")
NOT_YET = "collecting had not begun"
NOT_RUNNING = "the collector was not running"
ENDED = "collecting was ended"

_BEFORE = timedelta(minutes=30)


def write_span(conn: sqlite3.Connection, span: Span) -> None:
    """Write an interval into the ledger; the same interval again only completes it."""
    conn.execute(
        "INSERT INTO coverage "
        "(name, source, state, started_at, ended_at, cause, backfilled, missing_estimate) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name, started_at, state) DO UPDATE SET "
        "ended_at = ifnull(max(ended_at, excluded.ended_at), ifnull(excluded.ended_at, ended_at)), "
        "cause = ifnull(excluded.cause, cause), backfilled = ifnull(excluded.backfilled, backfilled), "
        "missing_estimate = ifnull(excluded.missing_estimate, missing_estimate)",
        (
            span.name,
            span.source,
            span.state,
            to_text(span.started_at),
            to_text(span.ended_at) if span.ended_at else None,
            span.cause,
            span.backfilled,
            span.missing_estimate,
        ),
    )


def heard(conn: sqlite3.Connection, name: str, source: str, at: datetime) -> None:
    """A proof of listening: something arrived from the source, if only a heartbeat."""
    conn.execute(
        "INSERT INTO heartbeats VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET "
        "heard_at = max(heard_at, excluded.heard_at)",
        (name, source, to_text(at)),
    )


def turn(
    conn: sqlite3.Connection,
    name: str,
    source: str,
    state: State,
    at: datetime,
    *,
    cause: str | None = None,
    until: datetime | None = None,
) -> None:
    """The source is in another state from ``at`` on, expected until ``until`` where that is known.

    What the ledger says of later moments is taken back: that a source fell silent is found out some time
    after its last sign of life.
    """
    moment, end = to_text(at), to_text(until) if until else None
    last = conn.execute(
        "SELECT id, state, cause, ended_at FROM coverage WHERE name = ? "
        "ORDER BY started_at DESC, id DESC LIMIT 1",
        (name,),
    ).fetchone()
    # The end of a wait is a forecast: it lasted until something else came.
    if last is not None and (last[1] == "waiting" or last[3] is None or last[3] > moment):
        if (last[1], last[2]) == (state, cause):
            conn.execute("UPDATE coverage SET ended_at = ? WHERE id = ?", (end, last[0]))
            return
        conn.execute("UPDATE coverage SET ended_at = NULL WHERE id = ?", (last[0],))
    conn.execute("DELETE FROM coverage WHERE name = ? AND started_at >= ?", (name, moment))
    conn.execute(
        "UPDATE coverage SET ended_at = ?2 WHERE name = ?1 AND (ended_at IS NULL OR ended_at > ?2)",
        (name, moment),
    )
    write_span(conn, Span(name=name, source=source, state=state, started_at=at, ended_at=until, cause=cause))


def resume(conn: sqlite3.Connection, name: str, source: str, at: datetime, meeting_starts: datetime) -> None:
    """Before a collector begins at ``at``: the time since the last proof of listening becomes a gap.

    Nothing is invented: what an earlier collector left open ends with its last heartbeat. Where there was
    none, the gap begins with the meeting.
    """
    last = conn.execute(
        "SELECT c.id, c.state, c.started_at, c.ended_at, h.heard_at FROM coverage c "
        "LEFT JOIN heartbeats h ON h.name = c.name WHERE c.name = ? "
        "ORDER BY c.started_at DESC, c.id DESC LIMIT 1",
        (name,),
    ).fetchone()
    now = to_text(at)
    # A clock that was set back since must not vouch for what is still to come.
    conn.execute("UPDATE heartbeats SET heard_at = min(heard_at, ?) WHERE name = ?", (now, name))
    if last is None:
        if meeting_starts < at:
            turn(conn, name, source, "stopped", meeting_starts, cause=NOT_YET)
        return
    span_id, state, started_at, ended_at, heard_at = last
    if state in LISTENING:
        proof = min(now, ended_at or max(started_at, heard_at or started_at))
        if proof < now:
            turn(conn, name, source, "deaf", from_text(proof), cause=NOT_RUNNING)
    elif ended_at is not None and ended_at < now:
        turn(conn, name, source, "stopped", from_text(ended_at), cause=NOT_RUNNING)
    else:  # deaf, waiting or stopped then, and nobody has listened since
        conn.execute("UPDATE coverage SET ended_at = NULL WHERE id = ?", (span_id,))


def pending_gaps(conn: sqlite3.Connection, name: str, at: datetime) -> list[tuple[datetime, datetime]]:
    """The times without listening that nobody has tried to refill yet, adjacent ones as one."""
    rows = conn.execute(
        "SELECT started_at, ifnull(ended_at, ?2) FROM coverage WHERE name = ?1 AND backfilled IS NULL "
        "AND state NOT IN ('listening', 'catching_up') AND started_at < ?2 ORDER BY started_at",
        (name, to_text(at)),
    )
    gaps: list[tuple[datetime, datetime]] = []
    for started_at, ended_at in rows:
        starts, ends = from_text(started_at), min(from_text(ended_at), at)
        if gaps and starts <= gaps[-1][1]:
            gaps[-1] = (gaps[-1][0], max(gaps[-1][1], ends))
        else:
            gaps.append((starts, ends))
    return gaps


def recovered(
    conn: sqlite3.Connection,
    name: str,
    source: str,
    starts: datetime,
    ends: datetime,
    *,
    by: str,
    lost: str | None,
    missing: int | None,
    anew: bool = False,
) -> None:
    """A gap was refilled, or cannot be: by what, what is lost for good, how many posts that may be.

    What the ledger says of it already stays, unless it was asked for ``anew``.

    Where nothing is lost, nothing is missing; where something is and no number is given, it is estimated
    from the half hour before the gap, or left unknown.
    """
    if lost is None:
        missing = 0
    elif missing is None:
        missing = _estimate(conn, source, starts, ends)
    since, until = to_text(starts), to_text(ends)
    for moment in (since, until):
        _cut(conn, name, moment)
    rows = conn.execute(
        "SELECT id FROM coverage WHERE name = ? AND started_at >= ? AND ended_at <= ? "
        "AND state NOT IN ('listening', 'catching_up') AND (? OR backfilled IS NULL) ORDER BY started_at",
        (name, since, until, anew),
    ).fetchall()
    how = f"{by}; {lost}" if lost else by
    for place, (row_id,) in enumerate(rows):
        # The whole number stands in the first interval, so that a sum is right.
        number = 0 if place and missing is not None else missing
        conn.execute(
            "UPDATE coverage SET backfilled = ?, missing_estimate = ? WHERE id = ?", (how, number, row_id)
        )


def _cut(conn: sqlite3.Connection, name: str, moment: str) -> None:
    """Make two intervals of a gap that only a part of is refilled."""
    row = conn.execute(
        "SELECT id FROM coverage WHERE name = ?1 AND started_at < ?2 AND ended_at > ?2 "
        "AND backfilled IS NULL AND state NOT IN ('listening', 'catching_up')",
        (name, moment),
    ).fetchone()
    if row is not None:
        conn.execute(
            "INSERT INTO coverage (name, source, state, started_at, ended_at, cause) "
            "SELECT name, source, state, ?, ended_at, cause FROM coverage WHERE id = ?",
            (moment, row[0]),
        )
        conn.execute("UPDATE coverage SET ended_at = ? WHERE id = ?", (moment, row[0]))


def rename_source(conn: sqlite3.Connection, name: str, source: str) -> None:
    """A watched folder has learnt what it holds: its whole ledger is that network's."""
    for table in ("coverage", "heartbeats"):
        conn.execute(f"UPDATE {table} SET source = ? WHERE name = ? AND source <> ?", (source, name, source))


def _estimate(conn: sqlite3.Connection, source: str, starts: datetime, ends: datetime) -> int | None:
    """As many posts as the half hour before had, less those that came all the same; None if it had none."""

    def posts(since: datetime, until: datetime) -> int:
        row = conn.execute(
            "SELECT count(*) FROM posts WHERE source = ? AND created_at >= ? AND created_at < ?",
            (source, to_text(since), to_text(until)),
        ).fetchone()
        return int(row[0])

    before = posts(starts - _BEFORE, starts)
    if not before:
        return None
    return max(0, round(before * ((ends - starts) / _BEFORE)) - posts(starts, ends))


def acquire_lease(conn: sqlite3.Connection, holder: str, now: datetime, seconds: float) -> None:
    """Become, or stay, the one collector of this archive for some seconds.

    Raises LeaseTaken while another holder's lease runs; a dead one's runs out by itself.
    """
    row = conn.execute("SELECT holder, expires_at FROM leases WHERE name = 'collector'").fetchone()
    if row is not None and row[0] != holder and row[1] > to_text(now):
        raise LeaseTaken(
            f"another collector ({row[0]}) is writing to this archive until {row[1]}; stop it first, or wait"
        )
    conn.execute(
        "INSERT INTO leases VALUES ('collector', ?1, ?2) ON CONFLICT DO UPDATE SET "
        "holder = ?1, expires_at = ?2",
        (holder, to_text(now + timedelta(seconds=seconds))),
    )


def release_lease(conn: sqlite3.Connection, holder: str) -> None:
    """Give the lease back, if it is ours."""
    conn.execute("DELETE FROM leases WHERE name = 'collector' AND holder = ?", (holder,))


def lease_holder(conn: sqlite3.Connection) -> str | None:
    """Who holds the lease, or held it last without giving it back."""
    row = conn.execute("SELECT holder FROM leases WHERE name = 'collector'").fetchone()
    return row[0] if row else None
