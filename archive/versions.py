"""The versions of a post: the current one in ``posts``, every other one in ``versions``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from archive import authors
from archive.rows import CONTENT_COLUMNS, post_of, version_text
from archive.times import from_text
from archive.vocabulary import Received

_SIDES = (("post_hashtags", "hashtag"), ("post_mentions", "account"), ("post_links", "url"))


def keep(
    conn: sqlite3.Connection,
    post_id: int,
    rank: tuple[str, str],
    content_hash: str,
    payload_hash: str,
    content: str,
) -> None:
    """Keep a version that is not the current one; of two observations of it, the better."""
    conn.execute(
        "INSERT INTO versions (post_id, content_hash, payload_hash, version_at, observed_at, content) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (post_id, content_hash) DO UPDATE SET "
        "payload_hash = ?3, version_at = ?4, observed_at = ?5, content = ?6 "
        "WHERE ifnull(observed_at, '') < ifnull(?5, '') "
        "OR (ifnull(observed_at, '') = ifnull(?5, '') AND payload_hash > ?3)",
        (post_id, content_hash, payload_hash, rank[0], rank[1] or None, content),
    )


def current(conn: sqlite3.Connection, post_id: int) -> str:
    """The current version of a stored post, written as ``versions`` keeps them."""
    content = conn.execute(
        f"SELECT {', '.join(CONTENT_COLUMNS)} FROM posts WHERE id = ?", (post_id,)
    ).fetchone()
    hashtags, mentions, links = (
        sorted(row[0] for row in conn.execute(f"SELECT {name} FROM {table} WHERE post_id = ?", (post_id,)))
        for table, name in _SIDES
    )
    return version_text(tuple(content), hashtags, mentions, links)


def observations(conn: sqlite3.Connection, post_id: int) -> Iterable[Received]:
    """Every version kept of a post, as it could be received again."""
    author = authors.of_post(conn, post_id)
    key, payload_hash, observed_at, received_at = conn.execute(
        "SELECT key, payload_hash, observed_at, received_at FROM posts WHERE id = ?", (post_id,)
    ).fetchone()
    kept = conn.execute(
        "SELECT content, payload_hash, observed_at FROM versions WHERE post_id = ?", (post_id,)
    ).fetchall()
    payloads = dict(conn.execute("SELECT hash, payload FROM raw WHERE post_id = ?", (post_id,)).fetchall())
    for content, payload, seen in [(current(conn, post_id), payload_hash, observed_at), *kept]:
        yield Received(
            post_of(key, author, json.loads(content)),
            payloads.get(payload),
            from_text(seen) if seen else None,
            from_text(received_at) if received_at else None,
        )
