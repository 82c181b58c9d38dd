"""The posts that a set of filters leaves: what every measure is counted over."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from archive.filters import Filters
from archive.vocabulary import KINDS

#: How a post's sentiment is counted: the label only where the tagger was sure of it.
SENTIMENT = (
    "CASE WHEN tagged_at IS NULL THEN 'untagged' "
    "WHEN sure = 1 AND sentiment IS NOT NULL THEN sentiment ELSE 'not_sure' END"
)
AUTHORED = "kind IS NOT 'repost'"


@dataclass(frozen=True)
class Kinds:
    """How many posts of each kind; ``None`` where a post may be of it and its format cannot tell."""

    counts: Mapping[str, int]
    untold: frozenset[str]

    def of(self, kind: str) -> int | None:
        return None if kind in self.untold else self.counts.get(kind, 0)

    @property
    def posts(self) -> int:
        return sum(self.counts.values())

    @property
    def reposts(self) -> int | None:
        return self.of("repost")

    @property
    def authored(self) -> int | None:
        return None if self.reposts is None else self.posts - self.reposts


class Window:
    """An archive, read-only, seen through filters.

    ``rows`` and ``value`` take SQL in which ``chosen`` stands for the posts that the filters leave.
    """

    def __init__(self, conn: sqlite3.Connection, filters: Filters) -> None:
        self.conn = conn
        self.filters = filters
        self.whole = filters == Filters()
        where, self._params = filters.where("p")
        self._chosen = f"WITH chosen AS (SELECT p.* FROM posts p WHERE {where or '1'}) "

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """All rows of a query over ``chosen``; ``params`` are those of the query itself."""
        return self.conn.execute(self._chosen + sql, (*self._params, *params)).fetchall()

    def value(self, sql: str, *params: object) -> Any:
        """The first column of the first row."""
        return self.rows(sql, *params)[0][0]

    def totals(self, dimension: str, column: str, *, authored: bool = False) -> dict[str, int]:
        """Posts (or authored posts) by one column: from the rollup where it is exact, else counted.

        ``dimension`` names the rollup, ``column`` is the same in SQL over a post.
        """
        if self.whole:
            counted = "authored" if authored else "posts"
            found = self.conn.execute(
                f"SELECT value, {counted} FROM rollup_totals WHERE dimension = ? AND {counted} > 0",
                (dimension,),
            ).fetchall()
        else:
            which = AUTHORED if authored else "1"
            found = self.rows(f"SELECT {column}, count(*) FROM chosen WHERE {which} GROUP BY 1")
        return {str(value): int(posts) for value, posts in sorted(map(tuple, found))}

    @cached_property
    def kinds(self) -> Kinds:
        """The window's posts by kind."""
        counts = self.totals("kind", "ifnull(kind, 'unknown')")
        untold: set[str] = set()
        if counts.get("unknown"):
            for (among,) in self.rows("SELECT DISTINCT kind_among FROM chosen WHERE kind IS NULL"):
                untold.update(among.split() if among else KINDS)
        return Kinds(counts, frozenset(untold))

    @cached_property
    def tagged(self) -> int:
        """How many of the posts have been tagged."""
        return self.totals("tagged", "CAST(tagged_at IS NOT NULL AS TEXT)").get("1", 0)
