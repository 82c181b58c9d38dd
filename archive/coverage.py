"""The coverage ledger: for every source and moment, were we listening? And who may collect at all."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from archive.errors import ArchiveBusy
from archive.times import from_text, to_text
from archive.vocabulary import Span, State


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
) -> None:
    """The source is in another state from ``at`` on: the open interval ends and the next begins."""
    moment = to_text(at)
    row = conn.execute(
        "SELECT id, state, cause FROM coverage WHERE name = ? AND ended_at IS NULL", (name,)
    ).fetchone()
    if row is not None:
        if row[1] == state and row[2] == cause:
            return
        conn.execute("UPDATE coverage SET ended_at = max(started_at, ?) WHERE id = ?", (moment, row[0]))
    write_span(conn, Span(name=name, source=source, state=state, started_at=at, cause=cause))


def close_open_spans(conn: sqlite3.Connection, state: State, at: datetime, *, cause: str) -> None:
    """End what a collector left open, at the last moment that is proven: nothing is invented.

    From the last heartbeat on (or from the start of the interval, where there was none) each source is
    ``state`` until ``at``.
    """
    rows = conn.execute(
        "SELECT c.id, c.name, c.source, c.started_at, h.heard_at FROM coverage c "
        "LEFT JOIN heartbeats h ON h.name = c.name WHERE c.ended_at IS NULL"
    ).fetchall()
    for span_id, name, source, started_at, heard_at in rows:
        end = max(started_at, heard_at or started_at)
        conn.execute("UPDATE coverage SET ended_at = ? WHERE id = ?", (end, span_id))
        if from_text(end) < at:
            write_span(
                conn,
                Span(
                    name=name, source=source, state=state, started_at=from_text(end), ended_at=at, cause=cause
                ),
            )


def acquire_lease(conn: sqlite3.Connection, holder: str, now: datetime, seconds: float) -> None:
    """Become, or stay, the one collector of this archive for some seconds.

    Raises ArchiveBusy while another holder's lease runs; a dead one's runs out by itself.
    """
    row = conn.execute("SELECT holder, expires_at FROM leases WHERE name = 'collector'").fetchone()
    if row is not None and row[0] != holder and row[1] > to_text(now):
        raise ArchiveBusy(
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
