"""Keywords that the stream's own vocabulary suggests for a theme: offered, never applied by themselves.

The tagger writes the list as a whole; what a person decides stands in ``keywords``, and a decided keyword is
offered no more, even where the list is older than the decision.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archive.lookups import select_in

PAGE = 500  # posts read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A word or two that may become a keyword of a theme.

    ``score`` orders those of a theme (0 to 1, no probability). ``posts`` and ``authors`` use it, reposts left
    out; ``new_posts`` of the posts do not carry the theme yet. ``examples`` are keys of such posts.
    """

    theme: str
    language: str
    keyword: str
    score: float
    posts: int
    authors: int
    new_posts: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person said of a suggested keyword; ``decision`` is ``accepted`` or ``rejected``."""

    theme: str
    language: str
    keyword: str
    decision: str
    set_by: str
    seen_at: str


@dataclass(frozen=True, slots=True)
class Written:
    """A post that somebody wrote (no repost), as far as its words and themes go."""

    key: str
    author: int
    language: str | None
    text: str
    themes: frozenset[str]


def suggestions(conn: sqlite3.Connection, theme: str | None = None) -> list[Suggestion]:
    """The keywords still to be decided, the best of each theme first; of one theme where it is named."""
    rows = conn.execute(
        "SELECT theme, language, keyword, score, posts, authors, new_posts, examples FROM suggestions s "
        "WHERE (?1 IS NULL OR theme = ?1) AND NOT EXISTS (SELECT 1 FROM keywords k WHERE k.theme = s.theme "
        "AND k.language = s.language AND k.keyword = s.keyword) ORDER BY theme, score DESC, keyword",
        (theme,),
    )
    names = ("theme", "language", "keyword", "score", "posts", "authors", "new_posts")
    return [
        Suggestion(**dict(zip(names, row, strict=True)), examples=tuple(json.loads(examples)))
        for *row, examples in rows
    ]


def decided(conn: sqlite3.Connection) -> list[Decided]:
    """Every decision there is, the newest first."""
    rows = conn.execute(
        "SELECT theme, language, keyword, decision, set_by, seen_at FROM keywords "
        "ORDER BY seen_at DESC, theme, language, keyword"
    )
    return [Decided(*row) for row in rows]


def replace_all(conn: sqlite3.Connection, found: Iterable[Suggestion], now: str) -> None:
    """Put a new list in place of the old one, inside the caller's transaction."""
    conn.execute("DELETE FROM suggestions")
    conn.executemany(
        "INSERT INTO suggestions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(one.theme, one.language, one.keyword, one.score, one.posts, one.authors, one.new_posts),
                json.dumps(one.examples),
                now,
            )
            for one in found
        ],
    )


def forget(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """Take back what names one of these posts as an example: they go."""
    conn.execute(
        "DELETE FROM suggestions WHERE EXISTS (SELECT 1 FROM json_each(examples) e JOIN posts p "
        "ON p.key = e.value WHERE p.id IN (SELECT value FROM json_each(?)))",
        (json.dumps(list(post_ids)),),
    )


def written(conn: sqlite3.Connection, limit: int) -> Iterator[Written]:
    """The newest posts that were written and tagged, at most ``limit``, in the order they were stored.

    They are read a page at a time, so that nobody who writes between two posts is in the way.
    """
    newest = conn.execute(
        "SELECT id FROM posts WHERE kind IS NOT 'repost' AND tagged_at IS NOT NULL ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    ids = sorted(row[0] for row in newest)
    for start in range(0, len(ids), PAGE):
        rows = conn.execute(
            "SELECT p.key, p.author_id, p.language_detected, p.text, "
            "(SELECT group_concat(theme, ' ') FROM post_themes t WHERE t.post_id = p.id) "
            "FROM posts p WHERE p.id IN (SELECT value FROM json_each(?)) AND tagged_at IS NOT NULL "
            "ORDER BY p.id",
            (json.dumps(ids[start : start + PAGE]),),
        ).fetchall()
        for key, author, language, text, themes in rows:
            yield Written(key, author, language, text, frozenset((themes or "").split()))


def there(conn: sqlite3.Connection, keys: Iterable[str]) -> set[str]:
    """Which of these keys of posts are not gone."""
    return {row[0] for row in select_in(conn, "SELECT key FROM posts", "key", keys)}
