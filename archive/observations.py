"""Everything that was ever observed of a post, in the fewest observations that give it back.

The versions with the payloads they came in; then payloads and counters that belong to no version's
best observation. Those are worded so that they can never win over one: taken in, in any order, all
together make the same post again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archive import versions
from archive.codec import received_to_json
from archive.rows import digest
from archive.times import from_text
from archive.vocabulary import COUNTERS, Engagement, Received


def of_key(conn: sqlite3.Connection, key: str) -> list[dict[str, Any]]:
    """The observations of a stored post as JSON objects."""
    post_id = conn.execute("SELECT id FROM posts WHERE key = ?", (key,)).fetchone()[0]
    return [received_to_json(item) for item in of_post(conn, post_id)]


def of_post(conn: sqlite3.Connection, post_id: int) -> Iterator[Received]:
    """The observations of a stored post, the best one first."""
    kept = list(versions.observations(conn, post_id))
    kept[0] = _with_aliases(conn, kept[0])
    yield from kept
    yield from _spare_payloads(conn, post_id, kept)
    for seen_at, counters in _counters(conn, post_id):
        base = _not_older(kept, seen_at)
        yield replace(base, post=replace(base.post, engagement=counters), observed_at=seen_at)


def _spare_payloads(conn: sqlite3.Connection, post_id: int, kept: list[Received]) -> Iterator[Received]:
    """Payloads of repeated observations, under a version whose own payload wins over them."""
    used = {digest(item.raw.encode()) for item in kept if item.raw is not None}
    rows = conn.execute(
        "SELECT hash, payload FROM raw WHERE post_id = ? ORDER BY hash", (post_id,)
    ).fetchall()
    for mark, payload in rows:
        if mark not in used:
            base = next((item for item in kept if item.observed_at or _hash(item) < mark), kept[0])
            yield replace(base, raw=payload, observed_at=None)


def _hash(item: Received) -> str:
    return digest(item.raw.encode()) if item.raw is not None else ""


def _counters(conn: sqlite3.Connection, post_id: int) -> Iterator[tuple[Any, Engagement]]:
    rows = conn.execute(
        f"SELECT observed_at, {', '.join(COUNTERS)} FROM engagement WHERE post_id = ? ORDER BY id",
        (post_id,),
    ).fetchall()
    for seen_at, *counts in rows:
        counters = Engagement(**dict(zip(COUNTERS, counts, strict=True)))
        yield (from_text(seen_at) if seen_at else None), counters


def _not_older(kept: list[Received], seen_at: Any) -> Received:
    """A version observed at that very moment, else one that was observed later."""
    if seen_at is None:
        return kept[0]
    later = [item for item in kept if item.observed_at is not None and item.observed_at >= seen_at]
    return min(later, key=lambda item: item.observed_at or seen_at, default=kept[0])


def _with_aliases(conn: sqlite3.Connection, item: Received) -> Received:
    rows = conn.execute("SELECT alias FROM aliases WHERE key = ? ORDER BY alias", (item.post.key,)).fetchall()
    return replace(item, post=replace(item.post, aliases=tuple(row[0] for row in rows)))
