"""Questions that say the same: every question belongs to a group, and one of each group stands for it.

A question without a representative waits to be grouped. Reposts of questions are in no group.
"""

from __future__ import annotations

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


def waiting(conn: sqlite3.Connection) -> bool:
    """Is there a question that has no group yet?"""
    row = conn.execute("SELECT EXISTS (SELECT 1 FROM question_groups WHERE representative IS NULL)")
    return bool(row.fetchone()[0])


def questions(conn: sqlite3.Connection, encoder: str) -> list[Asked]:
    """All questions in the order in which they were asked, with the vectors of this encoder."""
    rows = conn.execute(
        "SELECT p.id, p.key, p.text, p.created_at, a.key, p.language_detected, v.vector, g.representative "
        "FROM question_groups g JOIN posts p ON p.id = g.post_id JOIN authors a ON a.id = p.author_id "
        "LEFT JOIN vectors v ON v.post_id = p.id AND v.encoder = ? ORDER BY p.created_at, p.key",
        (encoder,),
    )
    return [Asked(*row) for row in rows]


def save(conn: sqlite3.Connection, groups: Mapping[int, int]) -> None:
    """Write which question stands for which; questions that went meanwhile are left out."""
    there = {row[0] for row in select_in(conn, "SELECT post_id FROM question_groups", "post_id", groups)}
    there |= {
        row[0] for row in select_in(conn, "SELECT post_id FROM question_groups", "post_id", groups.values())
    }
    conn.executemany(
        "UPDATE question_groups SET representative = ? WHERE post_id = ?",
        [(chief, post_id) for post_id, chief in groups.items() if post_id in there and chief in there],
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
