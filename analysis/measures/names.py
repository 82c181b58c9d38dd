"""Whom and what the posts name: counts, and nothing of who named them or whose accounts they are."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from analysis.measures.window import AUTHORED, Window
from analysis.name_lists import key, of_meeting
from archive.lookups import select_in
from archive.times import to_text
from archive.vocabulary import Meeting

MOST = 20
AT_ONCE = 100  # names whose posts are looked at
AUTHORS = 3  # who must have written a name that the meeting file does not have


@dataclass(slots=True)
class Mentioned:
    """A name in all its spellings."""

    names: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    authors: set[int] = field(default_factory=set)

    def as_json(self) -> dict[str, Any]:
        """The most written spelling, rather one with a blank in it; a list's kind rather than ``other``."""
        kinds = sorted(self.kinds, key=lambda kind: (kind == "other", -self.kinds[kind], kind))
        names = sorted(self.names, key=lambda name: (-self.names[name], " " not in name, name))
        posts = self.names.total()
        return {"kind": kinds[0], "name": names[0], "posts": posts, "authors": len(self.authors)}


def names(window: Window, meeting: Meeting) -> list[dict[str, Any]] | None:
    """The MOST names that most authors of the window wrote; ``None`` where nothing is tagged."""
    if not window.tagged:
        return None
    rows = window.rows(
        "SELECT n.kind, n.name, author_id, count(*) FROM chosen JOIN post_names n ON n.post_id = chosen.id "
        f"WHERE chosen.{AUTHORED} GROUP BY n.kind, n.name, author_id"
    )
    return _ranked(rows, meeting, MOST)


def names_mentioned(
    conn: sqlite3.Connection,
    meeting: Meeting,
    limit: int = MOST,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[dict[str, Any]]:
    """The names that most authors wrote, in the whole meeting or in ``[since, until)``.

    Each with ``kind``, ``name``, ``posts`` and ``authors``. Reposts are left out. Spellings that differ in
    case, accents, blanks or hyphens are one name, shown in the one most written; what the meeting file does
    not name needs three authors. Ties A-Z.
    """
    if since is None and until is None:
        return _of_all(conn, meeting, limit)
    rows = conn.execute(
        "SELECT n.kind, n.name, p.author_id, count(*) FROM posts p JOIN post_names n ON n.post_id = p.id "
        "WHERE p.kind IS NOT 'repost' AND p.created_at >= ? AND p.created_at < ? "
        "GROUP BY n.kind, n.name, p.author_id",
        (to_text(since) if since else "", to_text(until) if until else "~"),
    )
    return _ranked(rows, meeting, limit)


def _of_all(conn: sqlite3.Connection, meeting: Meeting, limit: int) -> list[dict[str, Any]]:
    """The same of a whole archive, without looking at the posts of names that few posts have."""
    most: Counter[str] = Counter()
    spellings: dict[str, list[str]] = defaultdict(list)
    for name, posts in conn.execute("SELECT name, count(*) FROM post_names GROUP BY name"):
        most[key(name)] += posts
        spellings[key(name)].append(name)
    marks = sorted(most, key=lambda mark: (-most[mark], mark))
    rows: list[tuple[str, str, int, int]] = []
    best: list[dict[str, Any]] = []
    for start in range(0, len(marks), AT_ONCE):
        if limit <= len(best) and most[marks[start]] < best[limit - 1]["authors"]:
            break  # no name that is left has so many posts as these have authors
        names = chain.from_iterable(spellings[mark] for mark in marks[start : start + AT_ONCE])
        rows += select_in(
            conn,
            "SELECT n.kind, n.name, p.author_id, 1 FROM post_names n JOIN posts p ON p.id = n.post_id",
            "p.kind IS NOT 'repost' AND n.name",
            names,
        )
        best = _ranked(rows, meeting, limit)
    return best


def _ranked(rows: Iterable[tuple[str, str, int, int]], meeting: Meeting, limit: int) -> list[dict[str, Any]]:
    found: dict[str, Mentioned] = defaultdict(Mentioned)
    for kind, name, author, posts in rows:
        one = found[key(name)]
        one.names[name] += posts
        one.kinds[kind] += posts
        one.authors.add(author)
    expected = {key(one.name) for one in of_meeting(meeting)}
    shown = [one.as_json() for mark, one in found.items() if mark in expected or len(one.authors) >= AUTHORS]
    shown.sort(key=lambda one: (-one["authors"], -one["posts"], one["name"].casefold(), one["name"]))
    return shown[:limit]
