"""What a post is to the organisers beside its tags: for the chair, about logistics, asked by others too."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from archive.lookups import select_in
from archive.times import to_text

#: The post that stands for the group of ``g``: itself where nobody else asked the same.
_REPRESENTATIVE = "ifnull(g.representative, g.post_id)"


def marks_of(conn: sqlite3.Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """By row number ``to_chair``, ``logistics`` and ``group``; deleted posts are absent.

    ``group`` is None unless several authors asked the same: then ``representative`` (a row number),
    ``authors`` and ``languages``, their numbers.
    """
    groups = _groups(conn, ids)
    rows = select_in(conn, "SELECT p.id, p.to_chair, p.logistics FROM posts p", "p.id", ids)
    return {
        post_id: {"to_chair": bool(to_chair), "logistics": bool(logistics), "group": groups.get(post_id)}
        for post_id, to_chair, logistics in rows
    }


def _groups(conn: sqlite3.Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = select_in(conn, f"SELECT g.post_id, {_REPRESENTATIVE} FROM question_groups g", "g.post_id", ids)
    of: dict[int, int] = {row[0]: row[1] for row in rows}
    sizes = {
        row[0]: {"representative": row[0], "authors": row[1], "languages": row[2]}
        for row in select_in(
            conn,
            "SELECT r.post_id, "
            "(SELECT count(DISTINCT p.author_id) FROM question_groups g JOIN posts p ON p.id = g.post_id "
            "WHERE g.representative = r.post_id OR g.post_id = r.post_id), "
            "(SELECT count(DISTINCT p.language_detected) FROM question_groups g "
            "JOIN posts p ON p.id = g.post_id WHERE g.representative = r.post_id OR g.post_id = r.post_id) "
            "FROM question_groups r",
            "r.post_id",
            sorted(set(of.values())),
        )
    }
    return {
        post_id: sizes[first]
        for post_id, first in of.items()
        if first in sizes and sizes[first]["authors"] > 1
    }


def asked_alike(conn: sqlite3.Connection, post_id: int, limit: int) -> list[str]:
    """Keys of the other questions that ask the same as this one, oldest first."""
    rows = conn.execute(
        f"WITH first (id) AS (SELECT {_REPRESENTATIVE} FROM question_groups g WHERE g.post_id = ?1) "
        "SELECT p.key FROM question_groups g JOIN posts p ON p.id = g.post_id, first "
        "WHERE (g.representative = first.id OR g.post_id = first.id) AND g.post_id <> ?1 "
        "ORDER BY p.created_at, p.id LIMIT ?2",
        (post_id, limit),
    )
    return [row[0] for row in rows]


def complaints(
    conn: sqlite3.Connection, since: datetime, until: datetime, limit: int
) -> tuple[int, list[str]]:
    """How many posts about stream, sound or room were written from ``since`` to ``until``, and the keys of
    the newest of them. Reposts are left out, and praise."""
    where = (
        "WHERE logistics = 1 AND created_at > ? AND created_at <= ? AND kind IS NOT 'repost' "
        "AND NOT (sentiment IS 'positive' AND sure IS 1)"
    )
    window = to_text(since), to_text(until)
    posts = conn.execute(f"SELECT count(*) FROM posts {where}", window).fetchone()[0]
    rows = conn.execute(
        f"SELECT key FROM posts {where} ORDER BY created_at DESC, id DESC LIMIT ?", (*window, limit)
    )
    return int(posts), [row[0] for row in rows]
