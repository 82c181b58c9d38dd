"""Tags in the archive: the work lists of the tagger, the tags written, and their history.

Whatever the machine writes, the word of a person stays in force (``archive.correcting``).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from archive import correcting, grouping, rollups
from archive.lookups import select_in
from archive.vocabulary import ASKED, ATTEMPTS, Mood, Tag, Tagging, Themes, Untagged

_SUPERSEDE = "UPDATE tags SET superseded_at = ? WHERE superseded_at IS NULL AND set_by IS NULL"
_CLEAR = (
    "UPDATE posts SET tagged_at = NULL, tagged_by = NULL, language_detected = NULL, sentiment = NULL, "
    "sentiment_score = NULL, sentiment_tier = NULL, sure = NULL, question = NULL, asked = NULL, "
    "to_chair = NULL, logistics = NULL, themes_by = NULL"
)
_POSTS = (
    "SELECT p.id, p.key, p.content_hash, p.text, p.language, p.kind, v.vector, "
    f"ifnull(instr(' ' || p.flags || ' ', ' {ASKED} ') > 0, 0) "
    "FROM posts p LEFT JOIN vectors v ON v.post_id = p.id AND v.encoder = :encoder"
)
_NOT_SET_ASIDE = "p.id NOT IN (SELECT post_id FROM tag_failures WHERE attempts >= :attempts)"
_NOT_LEFT_UNREFINED = "p.id NOT IN (SELECT post_id FROM tag_failures WHERE refinements >= :attempts)"
#: Whatever versions chose the themes of posts: few, each found by a jump in the index.
_OTHER_VERSIONS = """
WITH RECURSIVE found (version) AS (
    SELECT min(themes_by) FROM posts WHERE tagged_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(themes_by) FROM posts WHERE tagged_at IS NOT NULL AND themes_by > version)
    FROM found WHERE version IS NOT NULL
)
SELECT version FROM found WHERE version <> :themes_by
"""


def untagged(
    conn: sqlite3.Connection, limit: int, *, newest_first: bool, encoder: str | None = None
) -> list[Untagged]:
    """The next posts to tag, without those that were set aside; with the vectors kept of this encoder."""
    order = "DESC" if newest_first else "ASC"
    return _read(conn, f"p.tagged_at IS NULL AND {_NOT_SET_ASIDE} ORDER BY p.id {order}", limit, encoder)


def stale_themes(
    conn: sqlite3.Connection, limit: int, themes_by: str, *, encoder: str | None = None
) -> list[Untagged]:
    """Tagged posts whose themes were chosen by another version than this, the newest of one version first."""
    for (version,) in conn.execute(_OTHER_VERSIONS, {"themes_by": themes_by}).fetchall():
        where = f"p.tagged_at IS NOT NULL AND p.themes_by = :version AND {_NOT_SET_ASIDE} ORDER BY p.id DESC"
        if posts := _read(conn, where, limit, encoder, version=version):
            return posts
    return []


def to_refine(conn: sqlite3.Connection, limit: int, *, encoder: str | None = None) -> list[Untagged]:
    """Posts whose sentiment only the fast tier has judged, newest first."""
    where = f"p.sentiment_tier = 'fast' AND {_NOT_LEFT_UNREFINED} ORDER BY p.id DESC"
    return _read(conn, where, limit, encoder)


def _read(
    conn: sqlite3.Connection, where: str, limit: int, encoder: str | None, **values: Any
) -> list[Untagged]:
    rows = conn.execute(
        f"{_POSTS} WHERE {where} LIMIT :limit",
        {"encoder": encoder, "attempts": ATTEMPTS, "limit": limit, **values},
    )
    return [
        Untagged(post_id, key, version, text, language, kind, vector, bool(asked))
        for post_id, key, version, text, language, kind, vector, asked in rows
    ]


def save(
    conn: sqlite3.Connection, results: Sequence[tuple[Untagged, Tagging]], version: str, now: str
) -> int:
    """Write tags, inside the caller's transaction; returns how many posts were tagged by it.

    A post that was edited, deleted or tagged by somebody else meanwhile is left alone.
    """
    unchanged = _unchanged(conn, (post for post, _ in results), "tagged_at IS NULL")
    due = [(post, tagging) for post, tagging in results if post.id in unchanged]
    ids = [post.id for post, _ in due]
    with rollups.recounted(conn, ids):
        conn.executemany(
            "UPDATE posts SET tagged_at = ?, tagged_by = ?, language_detected = ?, sentiment = ?, "
            "sentiment_score = ?, sentiment_tier = ?, sure = ?, question = ?, asked = ?, to_chair = ?, "
            "logistics = ?, themes_by = ? WHERE id = ?",
            [(now, version, *_values(tagging), post.id) for post, tagging in due],
        )
        # What a person said of a post that waited stands there already.
        conn.executemany("DELETE FROM post_themes WHERE post_id = ?", [(post_id,) for post_id in ids])
        _write_themes(conn, ((post.id, tagging.themes) for post, tagging in due))
        _write_tags(conn, ((post.id, tagging.tags) for post, tagging in due), now)
        conn.executemany(
            "INSERT OR IGNORE INTO post_names VALUES (?, ?, ?)",
            [(post.id, name.kind, name.name) for post, tagging in due for name in tagging.names],
        )
        _keep_vectors(conn, due)
        grouping.join(conn, (post.id for post, tagging in due if tagging.question))
        conn.executemany("DELETE FROM tag_failures WHERE post_id = ?", [(post_id,) for post_id in ids])
        correcting.enforce(conn, ids)
    return len(due)


def _values(tagging: Tagging) -> tuple[object, ...]:
    return (
        tagging.language,
        tagging.sentiment,
        tagging.sentiment_score,
        tagging.tier,
        tagging.sure,
        tagging.question,
        tagging.asked,
        tagging.to_chair,
        tagging.logistics,
        tagging.themes_by,
    )


def _keep_vectors(conn: sqlite3.Connection, due: Iterable[tuple[Untagged, Tagging | Themes]]) -> None:
    fresh = [
        (post.id, found.encoder, found.vector)
        for post, found in due
        if found.vector is not None and found.vector != post.vector
    ]
    conn.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", fresh)
    if fresh:
        correcting.noted(conn, (post_id for post_id, _, _ in fresh))


def save_themes(
    conn: sqlite3.Connection, results: Sequence[tuple[Untagged, Themes]], themes_by: str, now: str
) -> int:
    """Write themes that were chosen anew; returns how many posts were due.

    Where they are the same as before, their evidence is renewed; else the old tags become history.
    """
    unchanged = _unchanged(conn, (post for post, _ in results), "tagged_at IS NOT NULL")
    due = [(post, themes) for post, themes in results if post.id in unchanged]
    ids = [post.id for post, _ in due]
    before = _machine_labels(conn, ids, correcting.THEME)
    marks = [(post_id,) for post_id in ids]
    with rollups.recounted(conn, ids):
        conn.executemany(
            "UPDATE posts SET themes_by = ? WHERE id = ?", [(themes_by, *mark) for mark in marks]
        )
        conn.executemany("DELETE FROM post_themes WHERE post_id = ?", marks)
        _write_themes(conn, ((post.id, themes.themes) for post, themes in due))
        for post, themes in due:
            same = before.get(post.id) == sorted(tag.label for tag in themes.tags)
            _retire(conn, post.id, correcting.THEME, now, keep=not same)
        _write_tags(conn, ((post.id, themes.tags) for post, themes in due), now)
        _keep_vectors(conn, due)
        _succeeded(conn, ids, "attempts")
        correcting.put_to_chair(conn, ids)
        correcting.enforce(conn, ids)
    return len(due)


def refine(conn: sqlite3.Connection, results: Sequence[tuple[Untagged, Mood]], now: str) -> int:
    """Write what the accurate tier says of posts' sentiment; returns how many posts were due."""
    unchanged = _unchanged(conn, (post for post, _ in results), "sentiment_tier = 'fast'")
    due = [(post, mood) for post, mood in results if post.id in unchanged]
    ids = [post.id for post, _ in due]
    with rollups.recounted(conn, ids):
        conn.executemany(
            "UPDATE posts SET sentiment = ?, sentiment_score = ?, sure = ?, sentiment_tier = 'accurate' "
            "WHERE id = ?",
            [(mood.sentiment, mood.score, mood.sure, post.id) for post, mood in due],
        )
        for post_id in ids:
            _retire(conn, post_id, correcting.SENTIMENT, now, keep=True)
        _write_tags(conn, ((post.id, (mood.tag,)) for post, mood in due), now)
        _succeeded(conn, ids, "refinements")
        correcting.enforce(conn, ids)
    return len(due)


def _unchanged(conn: sqlite3.Connection, posts: Iterable[Untagged], where: str) -> set[int]:
    """The row numbers of those posts that still say what they said, and of which ``where`` holds."""
    versions = {post.id: post.version for post in posts}
    rows = select_in(conn, "SELECT id, content_hash FROM posts", f"{where} AND id", versions)
    return {post_id for post_id, version in rows if versions[post_id] == version}


def _machine_labels(conn: sqlite3.Connection, ids: Sequence[int], component: str) -> dict[int, list[str]]:
    rows = select_in(
        conn,
        "SELECT post_id, label FROM tags",
        f"component = '{component}' AND set_by IS NULL AND superseded_at IS NULL AND post_id",
        ids,
    )
    labels: dict[int, list[str]] = {}
    for post_id, label in rows:
        labels.setdefault(post_id, []).append(label)
    return {post_id: sorted(some) for post_id, some in labels.items()}


def _retire(conn: sqlite3.Connection, post_id: int, component: str, now: str, *, keep: bool) -> None:
    """The machine's present tags of a component make room: they become history if they are to be kept."""
    which = "post_id = ? AND component = ? AND set_by IS NULL AND superseded_at IS NULL"
    if keep:
        conn.execute(f"UPDATE tags SET superseded_at = ? WHERE {which}", (now, post_id, component))
    else:
        conn.execute(f"DELETE FROM tags WHERE {which}", (post_id, component))


def _write_themes(conn: sqlite3.Connection, posts: Iterable[tuple[int, Iterable[tuple[str, float]]]]) -> None:
    conn.executemany(
        "INSERT INTO post_themes VALUES (?, ?, ?)",
        [(post_id, slug, score) for post_id, themes in posts for slug, score in themes],
    )


def _write_tags(conn: sqlite3.Connection, posts: Iterable[tuple[int, Iterable[Tag]]], now: str) -> None:
    conn.executemany(
        "INSERT INTO tags (post_id, component, label, score, evidence, version, seen_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (post_id, tag.component, tag.label, tag.score, _evidence(tag), tag.version, now)
            for post_id, tags in posts
            for tag in tags
        ],
    )


def _evidence(tag: Tag) -> str | None:
    return None if tag.evidence is None else json.dumps(tag.evidence, ensure_ascii=False)


def failed(
    conn: sqlite3.Connection,
    post: Untagged,
    reason: str,
    now: str,
    *,
    tagged: bool = False,
    refining: bool = False,
) -> None:
    """Note that tagging a post failed; after ATTEMPTS times it is set aside with the reason.

    ``tagged`` says that it had tags already and was to get better themes, ``refining`` a better sentiment:
    these are counted, and set aside, apart. What people say of a post that is set aside without tags comes
    into force. A post that was edited or deleted meanwhile, or tagged by somebody else, is left alone.
    """
    conn.execute(
        "INSERT INTO tag_failures (post_id, attempts, refinements, reason, seen_at) "
        "SELECT id, ?6, ?7, ?3, ?4 FROM posts "
        "WHERE id = ?1 AND content_hash = ?2 AND (tagged_at IS NOT NULL) = ?5 "
        "ON CONFLICT DO UPDATE SET attempts = attempts + ?6, refinements = refinements + ?7, "
        "reason = ?3, seen_at = ?4",
        (post.id, post.version, reason, now, tagged or refining, not refining, refining),
    )
    correcting.put_in_force(conn, post.id, now)


def _succeeded(conn: sqlite3.Connection, ids: Sequence[int], counter: str) -> None:
    """What failed before in this step is forgotten."""
    marks = [(post_id,) for post_id in ids]
    conn.executemany(f"UPDATE tag_failures SET {counter} = 0 WHERE post_id = ?", marks)
    conn.executemany("DELETE FROM tag_failures WHERE post_id = ? AND attempts = 0 AND refinements = 0", marks)


def forget(conn: sqlite3.Connection, post_id: int, now: str) -> None:
    """A post says something else now: it is untagged work again, and the machine's tags become history.

    The rollups are the caller's.
    """
    correcting.noted(conn, [post_id])
    conn.execute(f"{_SUPERSEDE} AND post_id = ?", (now, post_id))
    conn.execute(f"{_CLEAR} WHERE id = ?", (post_id,))
    for table in ("post_themes", "post_names", "vectors", "tag_failures"):
        conn.execute(f"DELETE FROM {table} WHERE post_id = ?", (post_id,))
    grouping.leave(conn, [post_id])
    correcting.enforce(conn, [post_id])


def forget_all(conn: sqlite3.Connection, now: str) -> None:
    """Make every post untagged work again, for a re-tag of the whole archive; vectors are kept."""
    conn.execute(_SUPERSEDE, (now,))
    conn.execute(f"{_CLEAR} WHERE tagged_at IS NOT NULL")
    for table in ("post_themes", "post_names", "question_groups", "tag_failures"):
        conn.execute(f"DELETE FROM {table}")
    correcting.enforce(conn, correcting.corrected(conn))
    rollups.rebuild(conn)
