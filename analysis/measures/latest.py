"""The newest posts as the Live page lists them, and how long the tagger's queue has been waiting."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from analysis.measures.live import posts_by_id
from archive.times import from_text
from archive.vocabulary import ATTEMPTS

#: When a post came up: as it reached us, else as its author dated it (an imported archive).
RANK = "ifnull(received_at, created_at)"


def latest(conn: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest posts with their tags, as ``analysis.measures.live.newest`` has them, and ``rank``.

    Newest by the time of receiving, else of writing, so that an archive which was imported backwards is
    still read in order; ``rank`` is that time. Costs two short index ranges.
    """
    rows = conn.execute(
        f"SELECT id, {RANK} AS rank FROM posts WHERE id IN (SELECT id FROM posts ORDER BY id DESC LIMIT ?1) "
        "OR id IN (SELECT id FROM posts ORDER BY created_at DESC LIMIT ?1) "
        "ORDER BY rank DESC, id DESC LIMIT ?1",
        (limit,),
    )
    ranks: dict[int, str] = {row[0]: row[1] for row in rows}
    posts = [{**post, "rank": ranks[post["id"]]} for post in posts_by_id(conn, list(ranks))]
    return sorted(posts, key=lambda post: (post["rank"], post["id"]), reverse=True)


def waiting_since(conn: sqlite3.Connection) -> datetime | None:
    """When the post that has waited longest for its tags came up; None where all are tagged."""
    row = conn.execute(
        f"SELECT {RANK} FROM posts WHERE tagged_at IS NULL "
        "AND id NOT IN (SELECT post_id FROM tag_failures WHERE attempts >= ?) ORDER BY id LIMIT 1",
        (ATTEMPTS,),
    ).fetchone()
    return from_text(row[0]) if row else None


def span(conn: sqlite3.Connection) -> tuple[datetime, datetime] | None:
    """The times of the first and the last post; None without posts."""
    row = conn.execute("SELECT min(created_at) FROM posts").fetchone()
    if row[0] is None:
        return None
    last = conn.execute("SELECT max(created_at) FROM posts").fetchone()
    return from_text(row[0]), from_text(last[0])
