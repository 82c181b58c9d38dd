"""Accounts: the newest profile seen of each, and how much each has posted."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from archive.lookups import select_in
from archive.rows import Record, profile, profile_hash
from archive.vocabulary import Author

_PROFILE = ("handle", "name", "url", "description", "location", "followers", "bot")


@dataclass(slots=True)
class Tally:
    """What a batch changes in the authors' counts: posts added, and authors to count anew."""

    posts: Counter[int] = field(default_factory=Counter)
    authored: Counter[int] = field(default_factory=Counter)
    first: dict[int, str] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)
    recount: set[int] = field(default_factory=set)

    def add(self, author_id: int, record: Record) -> None:
        """Count a new post."""
        created_at = record.created_at
        self.posts[author_id] += 1
        self.authored[author_id] += record.post.kind != "repost"
        if created_at < self.first.get(author_id, "~"):
            self.first[author_id] = created_at
        if created_at > self.last.get(author_id, ""):
            self.last[author_id] = created_at


def save(conn: sqlite3.Connection, records: Iterable[Record]) -> dict[str, int]:
    """Write the newest profile of every author in a batch; returns their row numbers by key."""
    seen: dict[str, tuple[str, Author]] = {}
    followers: dict[str, int] = {}
    for record in records:
        author = record.post.author
        observed_at = record.observed_at or record.version_at
        most = author.followers if author.followers_max is None else author.followers_max
        if most is not None and most > followers.get(author.key, -1):
            followers[author.key] = most
        known = seen.get(author.key)
        if known is None or observed_at > known[0] or _decides(author, observed_at, known):
            seen[author.key] = (observed_at, author)
    rows = select_in(conn, "SELECT key, id, observed_at, profile_hash FROM authors", "key", seen)
    stored = {key: (row_id, (observed_at, mark)) for key, row_id, observed_at, mark in rows}
    next_id = conn.execute("SELECT ifnull(max(id), 0) + 1 FROM authors").fetchone()[0]
    new, changed = [], []
    ids: dict[str, int] = {}
    for key, (observed_at, author) in seen.items():
        mark = profile_hash(author)
        if key in stored:
            ids[key] = stored[key][0]
            if _newer((observed_at, mark), stored[key][1]):
                changed.append((*profile(author), observed_at, mark, ids[key]))
        else:
            ids[key] = next_id
            new.append((next_id, key, author.source, *profile(author), observed_at, mark))
            next_id += 1
    conn.executemany(
        f"INSERT INTO authors (id, key, source, {', '.join(_PROFILE)}, observed_at, profile_hash) "
        f"VALUES ({', '.join('?' * 12)})",
        new,
    )
    conn.executemany(
        f"UPDATE authors SET {', '.join(f'{name} = ?' for name in _PROFILE)}, "
        "observed_at = ?, profile_hash = ? WHERE id = ?",
        changed,
    )
    conn.executemany(
        "UPDATE authors SET followers_max = max(ifnull(followers_max, 0), ?) WHERE id = ?",
        [(count, ids[key]) for key, count in followers.items()],
    )
    return ids


def count(conn: sqlite3.Connection, tally: Tally, batch: Iterable[int]) -> None:
    """Bring the authors' counts up to date; of the ``batch``, forget who has no post after all."""
    conn.executemany(
        "UPDATE authors SET posts = posts + ?, authored = authored + ?, "
        "first_post_at = min(ifnull(first_post_at, '~'), ?), last_post_at = max(ifnull(last_post_at, ''), ?) "
        "WHERE id = ?",
        [
            (n, tally.authored[author_id], tally.first[author_id], tally.last[author_id], author_id)
            for author_id, n in tally.posts.items()
        ],
    )
    recount(conn, tally.recount)
    _forget(conn, batch)


def recount(conn: sqlite3.Connection, author_ids: Collection[int]) -> None:
    """Count some authors' posts anew; one who has none left is forgotten."""
    marks = [(author_id,) for author_id in author_ids]
    conn.executemany(
        "UPDATE authors SET (posts, authored, first_post_at, last_post_at) = ("
        "SELECT count(*), count(*) - ifnull(sum(kind = 'repost'), 0), min(created_at), max(created_at) "
        "FROM posts WHERE author_id = authors.id) WHERE id = ?",
        marks,
    )
    _forget(conn, author_ids)


def _forget(conn: sqlite3.Connection, author_ids: Iterable[int]) -> None:
    conn.executemany("DELETE FROM authors WHERE id = ? AND posts = 0", ((i,) for i in author_ids))


def of_post(conn: sqlite3.Connection, post_id: int) -> Author:
    """The author of a stored post, with the newest profile and the most followers ever seen."""
    names = ("key", "source", *_PROFILE, "followers_max")
    row = conn.execute(
        f"SELECT {', '.join(names)} FROM authors WHERE id = (SELECT author_id FROM posts WHERE id = ?)",
        (post_id,),
    ).fetchone()
    fields = dict(zip(names, row, strict=True))
    if fields["bot"] is not None:
        fields["bot"] = bool(fields["bot"])
    return Author(**fields)


def _decides(author: Author, observed_at: str, known: tuple[str, Author]) -> bool:
    """Of two profiles seen at the same moment, does this one have the smaller hash?"""
    return observed_at == known[0] and author != known[1] and profile_hash(author) < profile_hash(known[1])


def _newer(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Later, or at the same moment with the smaller hash: the order of arrival never matters."""
    return one[0] > other[0] or (one[0] == other[0] and one[1] < other[1])
