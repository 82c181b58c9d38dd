"""Questions that say the same: every question belongs to a group, and one of each group stands for it.

A question without a representative waits to be grouped. Reposts of questions are in no group.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.lookups import select_in


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; ``representative`` is the row number of the one that stands for it, None while it waits.

    ``vector`` is as in Tagging, None where no encoder saw it; ``author`` is the author's key.
    """

    id: int
    key: str
    text: str
    created_at: str
    author: str
    language: str | None
    vector: bytes | None
    representative: int | None


def waiting(conn: sqlite3.Connection) -> list[int]:
    """The questions that have no group yet, by row number."""
    return [
        row[0] for row in conn.execute("SELECT post_id FROM question_groups WHERE representative IS NULL")
    ]


def mark(conn: sqlite3.Connection) -> tuple[int, int, int]:
    """How many questions there are; and what is another after any edit (of whatever post)."""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM question_groups), count(*), ifnull(max(id), 0) FROM versions"
    ).fetchone()
    return row[0], row[1], row[2]


def said(conn: sqlite3.Connection) -> dict[int, tuple[str, str, str]]:
    """When, by which key and in which words every question is asked, by row number."""
    rows = conn.execute(
        "SELECT p.id, p.created_at, p.key, p.text FROM question_groups g JOIN posts p ON p.id = g.post_id"
    )
    return {post_id: (at, key, text) for post_id, at, key, text in rows}


def questions(conn: sqlite3.Connection, encoder: str, ids: Iterable[int] | None = None) -> list[Asked]:
    """All questions, or these, in the order in which they were asked, with the vectors of this encoder."""
    rows = conn.execute(
        "SELECT p.id, p.key, p.text, p.created_at, a.key, p.language_detected, v.vector, g.representative "
        "FROM question_groups g JOIN posts p ON p.id = g.post_id JOIN authors a ON a.id = p.author_id "
        "LEFT JOIN vectors v ON v.post_id = p.id AND v.encoder = ?1 "
        f"{'' if ids is None else 'WHERE g.post_id IN (SELECT value FROM json_each(?2))'} "
        "ORDER BY p.created_at, p.key",
        (encoder,) if ids is None else (encoder, json.dumps(list(ids))),
    )
    return [Asked(*row) for row in rows]


def save(conn: sqlite3.Connection, groups: Mapping[int, int]) -> None:
    """Write which question stands for which, where that changed; those that went meanwhile are left out."""
    select = "SELECT post_id, representative FROM question_groups"
    there = dict(select_in(conn, select, "post_id", {*groups, *groups.values()}))
    conn.executemany(
        "UPDATE question_groups SET representative = ? WHERE post_id = ?",
        [
            (chief, post_id)
            for post_id, chief in groups.items()
            if post_id in there and chief in there and there[post_id] != chief
        ],
    )


def join(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """These posts ask something: they wait to be grouped."""
    conn.executemany(
        "INSERT OR IGNORE INTO question_groups SELECT id, NULL FROM posts "
        "WHERE id = ? AND kind IS NOT 'repost'",
        [(post_id,) for post_id in post_ids],
    )


def leave(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """These posts ask nothing any more, or go; whom they stood for wait to be grouped anew."""
    marks = [(post_id,) for post_id in post_ids]
    conn.executemany("UPDATE question_groups SET representative = NULL WHERE representative = ?", marks)
    conn.executemany("DELETE FROM question_groups WHERE post_id = ?", marks)


def join_or_leave(conn: sqlite3.Connection, post_id: int) -> None:
    """What the post's mark says of it."""
    asks = conn.execute("SELECT question = 1 FROM posts WHERE id = ?", (post_id,)).fetchone()[0]
    (join if asks else leave)(conn, [post_id])
