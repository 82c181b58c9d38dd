"""Tags in the archive: the work list of untagged posts, the tags written, and their history."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from archive import rollups
from archive.lookups import select_in
from archive.rollups import State
from archive.vocabulary import Tagging, Untagged

_SUPERSEDE = "UPDATE tags SET superseded_at = ? WHERE superseded_at IS NULL AND set_by IS NULL"
_CLEAR = (
    "UPDATE posts SET tagged_at = NULL, tagged_by = NULL, language_detected = NULL, sentiment = NULL, "
    "sentiment_score = NULL, sure = NULL, question = NULL"
)

#: After so many failures a post is set aside, so that one post never holds up the others.
ATTEMPTS = 3


def untagged(conn: sqlite3.Connection, limit: int, *, newest_first: bool) -> list[Untagged]:
    """The next posts to tag, without those that were set aside."""
    rows = conn.execute(
        "SELECT id, key, content_hash, text, language, kind FROM posts WHERE tagged_at IS NULL "
        "AND id NOT IN (SELECT post_id FROM tag_failures WHERE attempts >= ?) "
        f"ORDER BY id {'DESC' if newest_first else 'ASC'} LIMIT ?",
        (ATTEMPTS, limit),
    )
    return [Untagged(*row) for row in rows]


def save(
    conn: sqlite3.Connection, results: Sequence[tuple[Untagged, Tagging]], version: str, now: str
) -> int:
    """Write tags, inside the caller's transaction; returns how many posts were tagged by it.

    A post that was edited, deleted or tagged by somebody else meanwhile is left alone.
    """
    waiting = {
        row[0]: row[1:]
        for row in select_in(
            conn,
            f"SELECT p.id, p.content_hash, {rollups.STATE_COLUMNS} FROM posts p",
            "p.tagged_at IS NULL AND p.id",
            (post.id for post, _ in results),
        )
    }
    due = [(post, tagging) for post, tagging in results if waiting.get(post.id, ("",))[0] == post.version]
    delta: Counter[State] = Counter()
    for post, tagging in due:
        before = rollups.state_of(waiting[post.id][1:])
        delta[before] -= 1
        delta[_tagged(before, tagging)] += 1
    conn.executemany(
        "UPDATE posts SET tagged_at = ?, tagged_by = ?, language_detected = ?, sentiment = ?, "
        "sentiment_score = ?, sure = ?, question = ? WHERE id = ?",
        [
            (
                now,
                version,
                t.language,
                t.sentiment,
                t.sentiment_score,
                None if t.sure is None else int(t.sure),
                int(t.question),
                post.id,
            )
            for post, t in due
        ],
    )
    conn.executemany(
        "INSERT INTO post_themes VALUES (?, ?, ?)",
        [(post.id, slug, score) for post, t in due for slug, score in t.themes],
    )
    conn.executemany(
        "INSERT INTO tags (post_id, component, label, score, evidence, version, seen_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        _tag_rows(due, now),
    )
    conn.executemany("DELETE FROM tag_failures WHERE post_id = ?", [(post.id,) for post, _ in due])
    rollups.apply(conn, delta)
    return len(due)


def _tag_rows(due: Iterable[tuple[Untagged, Tagging]], now: str) -> Iterable[tuple[object, ...]]:
    for post, tagging in due:
        for tag in tagging.tags:
            evidence = None if tag.evidence is None else json.dumps(tag.evidence, ensure_ascii=False)
            yield post.id, tag.component, tag.label, tag.score, evidence, tag.version, now


def _tagged(state: State, tagging: Tagging) -> State:
    return state._replace(
        tagged=1,
        language_detected=tagging.language,
        sentiment=tagging.sentiment,
        sure=None if tagging.sure is None else int(tagging.sure),
        question=int(tagging.question),
        themes=tuple(sorted(slug for slug, _ in tagging.themes)),
    )


def failed(conn: sqlite3.Connection, post: Untagged, reason: str, now: str) -> None:
    """Note that tagging a post failed; after ATTEMPTS times it is set aside with the reason.

    A post that was edited, deleted or tagged by somebody else meanwhile is left alone.
    """
    conn.execute(
        "INSERT INTO tag_failures SELECT id, 1, ?3, ?4 FROM posts "
        "WHERE id = ?1 AND content_hash = ?2 AND tagged_at IS NULL "
        "ON CONFLICT DO UPDATE SET attempts = attempts + 1, reason = ?3, seen_at = ?4",
        (post.id, post.version, reason, now),
    )


def forget(conn: sqlite3.Connection, post_id: int, now: str) -> None:
    """Make one post untagged work again; the machine's tags that it had become history."""
    conn.execute(f"{_SUPERSEDE} AND post_id = ?", (now, post_id))
    conn.execute(f"{_CLEAR} WHERE id = ?", (post_id,))
    conn.execute("DELETE FROM post_themes WHERE post_id = ?", (post_id,))
    conn.execute("DELETE FROM tag_failures WHERE post_id = ?", (post_id,))


def forget_all(conn: sqlite3.Connection, now: str) -> None:
    """Make every post untagged work again, for a re-tag of the whole archive."""
    conn.execute(_SUPERSEDE, (now,))
    conn.execute(f"{_CLEAR} WHERE tagged_at IS NOT NULL")
    conn.execute("DELETE FROM post_themes")
    conn.execute("DELETE FROM tag_failures")
    rollups.rebuild(conn)
