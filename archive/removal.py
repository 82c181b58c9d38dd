"""Taking posts out: deletions at the source, with tombstones, and people who opted out."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from archive import authors, correcting, grouping, rollups, suggestions
from archive.lookups import select_in
from archive.vocabulary import Author

_TABLES = (
    "versions",
    "raw",
    "post_hashtags",
    "post_mentions",
    "post_links",
    "post_themes",
    "engagement",
    "tags",
    "tag_failures",
    "vectors",
    "post_names",
)


def remove(conn: sqlite3.Connection, post_ids: Sequence[int]) -> None:
    """Take posts out of every table, the search index and the rollups; tombstones are the caller's."""
    delta: Counter[rollups.State] = Counter()
    delta.subtract(rollups.states(conn, post_ids).values())
    rollups.apply(conn, delta)
    correcting.noted(conn, post_ids)
    suggestions.forget(conn, post_ids)
    grouping.leave(conn, post_ids)
    marks = [(post_id,) for post_id in post_ids]
    owners = [row[0] for row in select_in(conn, "SELECT DISTINCT author_id FROM posts", "id", post_ids)]
    conn.executemany(
        "INSERT INTO posts_fts (posts_fts, rowid, text) SELECT 'delete', id, text FROM posts WHERE id = ?",
        marks,
    )
    for table in _TABLES:
        conn.executemany(f"DELETE FROM {table} WHERE post_id = ?", marks)
    conn.executemany("DELETE FROM posts WHERE id = ?", marks)
    authors.recount(conn, owners)


def bury(conn: sqlite3.Connection, key: str, source: str, seen_at: str | None, *, post_seen: bool) -> None:
    """Record that a post is deleted; the earliest word of it stays."""
    conn.execute(
        "INSERT INTO tombstones VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET "
        "seen_at = min(ifnull(seen_at, excluded.seen_at), ifnull(excluded.seen_at, seen_at)), "
        "post_seen = max(post_seen, excluded.post_seen)",
        (key, source, seen_at, int(post_seen)),
    )


def account_hash(account: str) -> str:
    """What the opt-out list keeps of an account, so that it names nobody itself."""
    return sha256(account.casefold().encode(errors="backslashreplace")).hexdigest()


def account_names(author: Author) -> set[str]:
    """All that an author can be recognised by on the opt-out list: the key, and the handle there."""
    names = {author.key}
    if author.handle:
        names.add(f"{author.source}:@{author.handle}")
    return names


def account_hashes(author: Author) -> set[str]:
    """The same as the opt-out list keeps it."""
    return set(map(account_hash, account_names(author)))


def opt_out(conn: sqlite3.Connection, account: str, seen_at: str) -> int:
    """Keep an account out from now on, and take out what is there of it.

    ``account`` is an author key or ``<source>:@<handle>``. Returns the number of posts taken out.
    """
    conn.execute("INSERT OR IGNORE INTO opt_outs VALUES (?, ?)", (account_hash(account), seen_at))
    folded = account.casefold()
    rows = conn.execute("SELECT id, key, source, handle FROM authors").fetchall()
    gone = [
        author_id
        for author_id, key, source, handle in rows
        if folded in (key.casefold(), f"{source}:@{handle or ''}".casefold())
    ]
    post_ids = [row[0] for row in select_in(conn, "SELECT id FROM posts", "author_id", gone)]
    remove(conn, post_ids)
    return len(post_ids)
