"""What people said of a post, as rows of ``tags``: read, and several copies of it made one history.

The end depends on the set of words only, not on the order in which they came nor on how often.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from archive.times import from_text, to_text
from archive.vocabulary import COMPONENTS, Corrected

_Turn = tuple[datetime, str, str, str]
_RANK = {component: rank for rank, component in enumerate(COMPONENTS)}


def of_key(conn: sqlite3.Connection, key: str) -> list[Corrected]:
    """All that people ever said of the post with this very key, in the order in which they said it."""
    return of_post(conn, conn.execute("SELECT id FROM posts WHERE key = ?", (key,)).fetchone()[0])


def of_post(conn: sqlite3.Connection, post_id: int) -> list[Corrected]:
    """All that people ever said of a post, in the order in which they said it."""
    rows = conn.execute(
        "SELECT component, label, evidence, version, set_by, seen_at, superseded_at FROM tags "
        "WHERE post_id = ? AND set_by IS NOT NULL ORDER BY id",
        (post_id,),
    )
    return [
        Corrected(
            component=component,
            label=label,
            evidence=evidence,
            version=version,
            set_by=set_by,
            seen_at=from_text(seen_at),
            superseded_at=from_text(ended) if ended else None,
        )
        for component, label, evidence, version, set_by, seen_at, ended in rows
    ]


def add(conn: sqlite3.Connection, post_id: int, words: Iterable[Corrected]) -> set[str]:
    """Put words among those that a post has; returns the components of which the history is another now."""
    before = of_post(conn, post_id)
    after = joined([*before, *words])
    changed = {word.component for word in set(before).symmetric_difference(after)}
    if changed:
        conn.execute("DELETE FROM tags WHERE post_id = ? AND set_by IS NOT NULL", (post_id,))
        conn.executemany(
            "INSERT INTO tags (post_id, component, label, evidence, version, set_by, seen_at, superseded_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(post_id, *_row(word)) for word in after],
        )
    return changed


def joined(words: Iterable[Corrected]) -> list[Corrected]:
    """Copies of what people said of one post, older and newer ones, as one history in its own order.

    Of each component the newest word is in force. Of a word that several copies have, the first end counts.
    """
    ends: dict[Corrected, datetime | None] = {}
    for word in words:
        bare = replace(word, superseded_at=None)
        ends[bare] = _earlier(ends.get(bare), word.superseded_at)
    history: list[Corrected] = []
    for _, about in groupby(sorted(ends, key=lambda word: (word.component, _turn(word))), _component):
        history += _ended(reversed(list(about)), ends)
    return sorted(history, key=lambda word: (_turn(word), _RANK.get(word.component, len(_RANK)), word.label))


def _ended(newest_first: Iterator[Corrected], ends: dict[Corrected, datetime | None]) -> Iterator[Corrected]:
    """The words about one component, each with its end."""
    following: datetime | None = None
    for (seen_at, *_), same in groupby(newest_first, _turn):
        counted = False
        for word in same:
            ended = ends[word]
            # Where a clock was put back, a word may have ended before it began: it ends no other.
            counted = counted or ended is None or ended > seen_at
            yield replace(word, superseded_at=_earlier(ended, following))
        following = seen_at if counted else following


def _component(word: Corrected) -> str:
    return word.component


def _turn(word: Corrected) -> _Turn:
    """What the rows of one correction have in common; the order in which corrections were made."""
    return word.seen_at, word.set_by, word.evidence or "", word.version


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _row(word: Corrected) -> tuple[str | None, ...]:
    ended = word.superseded_at
    return (
        *(word.component, word.label, word.evidence, word.version, word.set_by),
        *(to_text(word.seen_at), to_text(ended) if ended else None),
    )
