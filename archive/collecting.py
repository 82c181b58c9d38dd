"""What a collector writes beside posts, and what it has to know of the archive when it begins.

Everything that one batch brings is one transaction: posts, how far their source was read (its cursor),
signs of life and states. So a cursor is never ahead of the posts, and no sign of life vouches for posts
that were lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive import coverage
from archive.lookups import select_in
from archive.reading import open_readonly
from archive.times import from_text, to_text
from archive.vocabulary import State


@dataclass(frozen=True, slots=True)
class Turn:
    """A source is in another state from ``at`` on (``coverage.turn``)."""

    name: str
    source: str
    state: State
    at: datetime
    cause: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A source proved at ``at`` that it listens; all that it had said until then comes before this mark."""

    name: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """A source was read up to this cursor."""

    name: str
    cursor: str


@dataclass(frozen=True, slots=True)
class Paid:
    """So many posts were read that cost money."""

    name: str
    posts: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """A gap was refilled, or cannot be (``coverage.recovered``).

    ``first``: it is the time before all. ``again``: it is to be asked for once more, after a restart too.
    """

    name: str
    source: str
    starts: datetime
    ends: datetime
    by: str
    lost: str | None = None
    missing: int | None = None
    first: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A source has learnt which network it reads."""

    name: str
    source: str


Mark = Turn | Heartbeat | Moved | Paid | Recovered | Named


def write_marks(conn: sqlite3.Connection, marks: Iterable[Mark], now: str) -> None:
    """Write marks in their order, inside the caller's transaction."""
    for mark in marks:
        match mark:
            case Turn(name, source, state, at, cause, until):
                coverage.turn(conn, name, source, state, at, cause=cause, until=until)
            case Heartbeat(name, source, at):
                coverage.heard(conn, name, source, at)
            case Moved(name, cursor):
                conn.execute(
                    "INSERT INTO cursors VALUES (?1, ?2, ?3) "
                    "ON CONFLICT DO UPDATE SET cursor = ?2, seen_at = ?3",
                    (name, cursor, now),
                )
            case Paid(name, posts):
                conn.execute(
                    "INSERT INTO spent VALUES (?1, ?2) ON CONFLICT DO UPDATE SET posts = posts + ?2",
                    (name, posts),
                )
            case Recovered():
                _write_recovered(conn, mark)
            case Named(name, source):
                coverage.rename_source(conn, name, source)


def _write_recovered(conn: sqlite3.Connection, mark: Recovered) -> None:
    since, until = to_text(mark.starts), to_text(mark.ends)
    key = (mark.name, since, until)
    once = conn.execute(
        "DELETE FROM second_looks WHERE name = ? AND starts = ? AND ends = ? RETURNING 1", key
    ).fetchone()
    coverage.recovered(
        conn,
        mark.name,
        mark.source,
        mark.starts,
        mark.ends,
        by=mark.by,
        lost=mark.lost,
        missing=mark.missing,
        anew=once is not None,
    )
    if mark.again:
        conn.execute("INSERT INTO second_looks VALUES (?, ?, ?)", key)
    if mark.first:
        conn.execute("INSERT OR IGNORE INTO looked_back VALUES (?, ?)", key[:2])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an earlier collector left a source: cursor, paid posts, gaps that nobody refilled.

    ``again`` are those that were refilled once and are to be asked for once more.

    ``is_new`` until what was said before anybody listened has been looked for.
    """

    cursor: str | None
    spent: int
    gaps: tuple[tuple[datetime, datetime], ...]
    is_new: bool
    again: tuple[tuple[datetime, datetime], ...] = ()


def standing(conn: sqlite3.Connection, name: str, at: datetime) -> Standing:
    """What is known of a source when a collector begins."""
    cursor = conn.execute("SELECT cursor FROM cursors WHERE name = ?", (name,)).fetchone()
    looked_back = conn.execute("SELECT 1 FROM looked_back WHERE name = ?", (name,)).fetchone()
    gaps = tuple(coverage.pending_gaps(conn, name, at))
    looks = conn.execute("SELECT starts, ends FROM second_looks WHERE name = ?", (name,)).fetchall()
    again = tuple((from_text(starts), from_text(ends)) for starts, ends in looks)
    return Standing(cursor[0] if cursor else None, spent(conn, name), gaps, looked_back is None, again)


def spent(conn: sqlite3.Connection, name: str) -> int:
    """The posts that a source has read for money so far."""
    row = conn.execute("SELECT posts FROM spent WHERE name = ?", (name,)).fetchone()
    return row[0] if row else 0


def known(conn: sqlite3.Connection, keys: Iterable[str]) -> set[str]:
    """Those of the keys by which a post of the archive goes, as its own key or another one."""
    wanted = list(keys)
    found = {row[0] for row in select_in(conn, "SELECT key FROM posts", "key", wanted)}
    return found | {row[0] for row in select_in(conn, "SELECT alias FROM aliases", "alias", wanted)}


class Shelf:
    """What a source may ask of the archive; opens the file for each question, so any thread may ask."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recent_ids(self, source: str, since: datetime) -> list[str]:
        """The platform ids of a network's posts written at or after a moment, newest first."""
        return self._column(
            "SELECT platform_id FROM posts WHERE source = ? AND created_at >= ? "
            "ORDER BY created_at DESC, id DESC",
            source,
            to_text(since),
        )

    def recent_aliases(self, source: str, since: datetime) -> list[str]:
        """The other names of those posts, newest first."""
        return self._column(
            "SELECT a.alias FROM posts p JOIN aliases a ON a.key = p.key "
            "WHERE p.source = ? AND p.created_at >= ? ORDER BY p.created_at DESC, p.id DESC",
            source,
            to_text(since),
        )

    def keys_of_author(self, author_key: str) -> list[str]:
        """The keys of all posts of an account."""
        return self._column(
            "SELECT p.key FROM posts p JOIN authors a ON a.id = p.author_id WHERE a.key = ? ORDER BY p.id",
            author_key,
        )

    def _column(self, sql: str, *params: str) -> list[str]:
        with closing(open_readonly(self._path)) as conn:
            return [row[0] for row in conn.execute(sql, params)]
