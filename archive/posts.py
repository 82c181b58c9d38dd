"""One post as it is opened: what it said before, whom it answers, who answered, what it came to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from archive.lookups import select_in
from archive.search import Hit, Segments, hits_of, segments
from archive.vocabulary import SOURCE_LABELS

LONGEST_CLIMB = 50
MOST_REPLIES = 100


@dataclass(frozen=True, slots=True)
class Version:
    """What a post said from ``at`` on, newest first in a list of them."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A post of a thread; ``depth`` 0 is the first one that the archive has."""

    depth: int
    hit: Hit


@dataclass(frozen=True, slots=True)
class Count:
    """The platform's counters as seen once; None is what the source does not offer."""

    observed_at: str | None
    likes: int | None
    reposts: int | None
    replies: int | None
    quotes: int | None
    impressions: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """``absent`` is the key of the post that the thread's first one answers, where we do not have it.

    ``thread`` is empty where nobody answered and nothing is answered; ``cut`` says that it goes on.
    ``versions`` is empty for a post that was never edited; else its first one is the present text.
    """

    hit: Hit
    text: Segments
    versions: tuple[Version, ...]
    thread: tuple[Reply, ...]
    absent: str | None
    cut: bool
    passed_on: Hit | None
    quoted: Hit | None
    engagement: tuple[Count, ...]


def read(conn: sqlite3.Connection, key: str) -> Detail | None:
    """The post with this key (any version's id will do), or None where the archive does not have it."""
    found = resolve(conn, key)
    if found is None:
        return None
    post_id, key = found
    row = conn.execute(
        "SELECT text, repost_of, quote_of, ifnull(edited_at, created_at) FROM posts WHERE id = ?", (post_id,)
    ).fetchone()
    text, repost_of, quote_of, version_at = row
    top, absent = _top(conn, key)
    thread, cut = _replies(conn, top)
    return Detail(
        hit=_hit(conn, key),
        text=segments(text),
        versions=_versions(conn, post_id, Version(version_at, text)),
        thread=thread if len(thread) > 1 or absent else (),
        absent=absent,
        cut=cut,
        passed_on=_other(conn, repost_of),
        quoted=_other(conn, quote_of),
        engagement=_engagement(conn, post_id),
    )


def resolve(conn: sqlite3.Connection, key: str) -> tuple[int, str] | None:
    """Row number and key of a post that is known under ``key``: its own, that of any of its versions,
    or the bare id that its network gave to one of them."""
    names = [key, *(f"{label}:{key}" for label in SOURCE_LABELS)]
    for select, column in (
        ("SELECT id, key FROM posts", "key"),
        ("SELECT p.id, p.key FROM aliases a JOIN posts p ON p.key = a.key", "a.alias"),
    ):
        if rows := select_in(conn, select, column, names):
            return rows[0][0], rows[0][1]
    return None


def _hit(conn: sqlite3.Connection, key: str) -> Hit:
    return hits_of(conn, [key])[key]


def _other(conn: sqlite3.Connection, key: str | None) -> Hit | None:
    found = resolve(conn, key) if key else None
    return _hit(conn, found[1]) if found else None


def _top(conn: sqlite3.Connection, key: str) -> tuple[str, str | None]:
    """The first post of the thread, and the key of the one above it if the archive lacks that."""
    seen = {key}
    for _ in range(LONGEST_CLIMB):
        answered = conn.execute("SELECT reply_to FROM posts WHERE key = ?", (key,)).fetchone()[0]
        if answered is None:
            return key, None
        found = resolve(conn, answered)
        if found is None:
            return key, answered
        if found[1] in seen:  # two hostile posts that answer each other
            return key, None
        key = found[1]
        seen.add(key)
    return key, None


def _replies(conn: sqlite3.Connection, top: str) -> tuple[tuple[Reply, ...], bool]:
    keys = list(islice(_walk(conn, top), MOST_REPLIES + 1))
    shown = keys[:MOST_REPLIES]
    hits = hits_of(conn, [key for _, key in shown])
    return tuple(Reply(depth, hits[key]) for depth, key in shown), len(keys) > len(shown)


def _walk(conn: sqlite3.Connection, top: str) -> Iterator[tuple[int, str]]:
    """The thread, each reply below what it answers, oldest first."""
    waiting = [(0, top)]
    seen = {top}
    while waiting:
        depth, key = waiting.pop()
        yield depth, key
        rows = conn.execute(
            "SELECT key FROM posts WHERE reply_to = ?1 "
            "OR reply_to IN (SELECT alias FROM aliases WHERE key = ?1) "
            "ORDER BY created_at DESC, id DESC",
            (key,),
        ).fetchall()
        answers = [row[0] for row in rows if row[0] not in seen]
        seen.update(answers)
        waiting += [(depth + 1, answer) for answer in answers]


def _versions(conn: sqlite3.Connection, post_id: int, current: Version) -> tuple[Version, ...]:
    rows = conn.execute(
        "SELECT version_at, content FROM versions WHERE post_id = ? ORDER BY version_at DESC, content_hash",
        (post_id,),
    ).fetchall()
    older = tuple(Version(at, json.loads(content)["text"]) for at, content in rows)
    return (current, *older) if older else ()


def _engagement(conn: sqlite3.Connection, post_id: int) -> tuple[Count, ...]:
    rows = conn.execute(
        "SELECT observed_at, likes, reposts, replies, quotes, impressions FROM engagement "
        "WHERE post_id = ? ORDER BY observed_at, id",
        (post_id,),
    )
    return tuple(Count(*row) for row in rows)
