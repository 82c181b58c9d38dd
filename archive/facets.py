"""Counting the posts of a search by theme, sentiment, kind, language, source, session, logistics and time.

SQL needs up to 0.6 s for that at a million posts. So an archive's few facet columns are kept in memory,
a few bytes a post, and a search is a set of row positions in them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from archive.filters import LANGUAGE, languages
from archive.times import to_text
from archive.vocabulary import NONE, NOT_SURE, UNKNOWN, UNTAGGED

Positions = NDArray[np.intp]

DIMENSIONS = ("theme", "sentiment", "logistics", "kind", "language", "source", "session")
MOST_BINS = 120
WIDTHS = tuple(60 * m for m in (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440))

# One SQL expression a dimension, as rollups and filters count and compare it.
_SQL = {
    "sentiment": (
        f"CASE WHEN tagged_at IS NULL THEN '{UNTAGGED}' WHEN sure = 1 AND sentiment IS NOT NULL "
        f"THEN sentiment ELSE '{NOT_SURE}' END"
    ),
    "logistics": "CASE WHEN tagged_at IS NOT NULL THEN CAST(ifnull(logistics, 0) AS TEXT) END",
    "kind": f"ifnull(kind, '{UNKNOWN}')",
    "language": LANGUAGE.replace("{p}", "posts"),
    "source": "source",
    "session": "session",
}
_MICROS = "unixepoch(created_at) * 1000000 + CAST(substr(created_at, 21, 6) AS INTEGER)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a search is narrowed to; None leaves a dimension open. Times are aware, half-open."""

    theme: str | None = None
    sentiment: str | None = None
    logistics: str | None = None
    kind: str | None = None
    language: str | None = None
    source: str | None = None
    session: str | None = None
    from_: datetime | None = None
    to: datetime | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) is not None for f in fields(self))


@dataclass(frozen=True, slots=True)
class Timeline:
    """Posts per bin of ``width`` seconds; ``starts`` is the first bin's, in seconds since 1970."""

    starts: int
    width: int
    counts: tuple[int, ...]


Facets = Mapping[str, list[tuple[str, int]]]  # value and count, most frequent first


@dataclass(frozen=True, slots=True)
class Columns:
    """The facet columns of all posts, in the order of their row numbers ``ids``.

    ``codes`` index into ``values``; a post has one code a dimension, but for themes a column of truth
    values each. ``rank`` is a post's place by ``(created_at, id)``, and ``by_rank`` the way back.
    """

    ids: NDArray[np.int64]
    micros: NDArray[np.int64]
    rank: NDArray[np.int64]
    by_rank: NDArray[np.int64]
    codes: Mapping[str, NDArray[np.int64]]
    values: Mapping[str, tuple[str, ...]]
    themes: Mapping[str, NDArray[np.bool_]]

    def positions(self, ids: NDArray[np.int64]) -> Positions:
        """Where these row numbers stand; those that the columns do not have are left out."""
        if not len(self.ids):
            return np.empty(0, np.intp)
        if self.ids[-1] - self.ids[0] + 1 == len(self.ids):  # nothing deleted: no need to look them up
            place: Positions = ids - self.ids[0]
            return place[(place >= 0) & (place < len(self.ids))]
        at: Positions = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        known: Positions = at[self.ids[at] == ids]
        return known

    def places(self, micros: int, number: int) -> tuple[int, int]:
        """How many posts come before this time and row number, and how many up to and including it."""
        times = self.micros[self.by_rank]
        first, last = np.searchsorted(times, micros, "left"), np.searchsorted(times, micros, "right")
        ids = self.ids[self.by_rank[first:last]]
        before = int(first) + int(np.searchsorted(ids, number, "left"))
        return before, int(first) + int(np.searchsorted(ids, number, "right"))

    def chosen(self, rows: Positions, selection: Selection) -> dict[str, NDArray[np.bool_]]:
        """For every narrowed dimension (``time`` among them), which of the rows it lets through."""
        masks = {}
        for name in DIMENSIONS:
            if (value := getattr(selection, name)) is not None:
                masks[name] = self._has(name, value, rows)
        if selection.from_ or selection.to:
            masks["time"] = self._within(rows, selection.from_, selection.to)
        return masks

    def _has(self, name: str, value: str, rows: Positions) -> NDArray[np.bool_]:
        if name == "theme":
            column = self.themes.get(value)
            return np.zeros(len(rows), np.bool_) if column is None else column[rows]
        values = self.values[name]
        code = values.index(value) if value in values else -1
        found: NDArray[np.bool_] = self.codes[name][rows] == code
        return found

    def _within(self, rows: Positions, from_: datetime | None, to: datetime | None) -> NDArray[np.bool_]:
        micros = self.micros[rows]
        mask = np.ones(len(rows), np.bool_)
        if from_:
            mask &= micros >= to_micros(from_)
        if to:
            mask &= micros < to_micros(to)
        return mask

    def facets(self, rows: Positions, masks: Mapping[str, NDArray[np.bool_]]) -> Facets:
        """Counts of every dimension's values; a dimension's own choice does not narrow its counts."""
        found = {}
        for name in DIMENSIONS:
            within = rows if name not in masks and not masks else rows[everything_but(name, masks, len(rows))]
            if name == "theme":
                counted = [(slug, int(column[within].sum())) for slug, column in self.themes.items()]
            else:
                counts = np.bincount(self.codes[name][within], minlength=len(self.values[name]))
                counted = list(zip(self.values[name], counts.tolist(), strict=True))
            found[name] = by_frequency(counted)
        return found

    def timeline(self, rows: Positions, offset: int) -> Timeline | None:
        """At most MOST_BINS bins over these posts, aligned to a zone ``offset`` seconds from UTC."""
        if not len(rows):
            return None
        seconds = self.micros[rows] // 1_000_000
        first, last = int(seconds.min()), int(seconds.max())
        starts, width, size = bins(first, last, offset)
        counts = np.bincount((seconds - starts) // width, minlength=size)
        return Timeline(starts, width, tuple(counts.tolist()))


def everything_but(name: str, masks: Mapping[str, NDArray[np.bool_]], size: int) -> NDArray[np.bool_]:
    """The rows that every narrowed dimension except one lets through."""
    mask = np.ones(size, np.bool_)
    for other, column in masks.items():
        if other != name:
            mask &= column
    return mask


def by_frequency(counted: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Values that occur, most frequent first, ties A–Z."""
    return sorted(((v, n) for v, n in counted if n), key=lambda pair: (-pair[1], pair[0]))


def bins(first: int, last: int, offset: int) -> tuple[int, int, int]:
    """Start, width (seconds) and number of the bins from one second to another."""
    day = WIDTHS[-1]
    widths = chain(WIDTHS, count(2 * day, day))
    width = next(width for width in widths if (last - first) // width + 2 <= MOST_BINS)
    starts = (first + offset) // width * width - offset
    return starts, width, (last - starts) // width + 1


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, without the rounding of ``timestamp()``."""
    text = to_text(moment)
    return round(moment.replace(microsecond=0).timestamp()) * 1_000_000 + int(text[20:26])


def load(conn: sqlite3.Connection) -> Columns:
    """The facet columns as they stand now: about 1.5 s for a million posts."""
    with snapshot(conn):
        values = {name: _values(conn, name) for name in _SQL}
        # Numbers travel as one text a column: no Python object a post, and SQLite works outside the GIL.
        row = conn.execute(
            f"SELECT group_concat(id), group_concat({_MICROS}), group_concat({_packed(values)}) FROM posts",
            [value for labels in values.values() for value in labels],
        ).fetchone()
        ids, micros, code = (integers(text) for text in row)
        codes = {}
        for name, labels in values.items():
            code, codes[name] = np.divmod(code, len(labels))
        by_rank = np.lexsort((ids, micros))
        rank = np.empty(len(ids), np.int64)
        rank[by_rank] = np.arange(len(ids))
        columns = Columns(ids, micros, rank, by_rank, codes, values, {})
        return replace(columns, themes=_themes(conn, columns))


def overview(conn: sqlite3.Connection, offset: int) -> tuple[int, Facets, Timeline | None] | None:
    """Number of posts, facets and timeline of the whole archive, from its rollups alone.

    None where they do not tell: the language of a post that waits for its tags is that of its source.
    """
    found: dict[str, dict[str, int]] = {name: {} for name in (*DIMENSIONS, "language_detected", "all")}
    for dimension, value, posts in conn.execute("SELECT dimension, value, posts FROM rollup_totals"):
        if dimension in found:
            found[dimension][value] = posts
    total = sum(found.pop("all").values())
    found["language"] = found.pop("language_detected")
    if sum(found["language"].values()) != total:
        return None
    if "" in found["language"]:
        found["language"][UNKNOWN] = found["language"].pop("")
    found["logistics"][UNKNOWN] = total - sum(found["logistics"].values())  # those without tags
    counted = {name: by_frequency(list(found[name].items())) for name in DIMENSIONS}
    return total, counted, _minutes(conn, offset) if total else None


def _minutes(conn: sqlite3.Connection, offset: int) -> Timeline:
    rows = conn.execute(
        "SELECT unixepoch(minute), sum(posts) FROM rollup_minutes WHERE theme = '*' GROUP BY minute"
    ).fetchall()
    seconds, posts = np.array(rows, np.int64).T
    starts, width, size = bins(int(seconds[0]), int(seconds[-1]), offset)
    counts = np.bincount((seconds - starts) // width, weights=posts, minlength=size)
    return Timeline(starts, width, tuple(int(count) for count in counts))


@contextmanager
def snapshot(conn: sqlite3.Connection) -> Iterator[None]:
    """Everything read inside is of one moment."""
    if conn.in_transaction:
        yield
        return
    conn.execute("BEGIN")
    try:
        yield
    finally:
        conn.rollback()


def integers(text: str | None) -> NDArray[np.int64]:
    """The numbers of a ``group_concat``."""
    return np.fromstring(text, np.int64, sep=",") if text else np.empty(0, np.int64)


def _values(conn: sqlite3.Connection, name: str) -> tuple[str, ...]:
    if name == "language":
        # What a person says of a post that waits for its tags stands in no rollup.
        said = conn.execute(
            "SELECT DISTINCT label FROM tags "
            "WHERE set_by IS NOT NULL AND superseded_at IS NULL AND component = 'language'"
        )
        found = [*languages(conn), *(row[0] for row in said), UNTAGGED]
    else:
        rows = conn.execute(
            "SELECT value FROM rollup_totals WHERE dimension = ? AND value != '' ORDER BY value", (name,)
        )
        found = [row[0] for row in rows]
    return tuple(dict.fromkeys([*found, UNKNOWN]))


def _packed(values: Mapping[str, tuple[str, ...]]) -> str:
    """SQL for one number that holds a post's code of every dimension; its parameters are the values."""
    parts = []
    factor = 1
    for name, labels in values.items():
        cases = " ".join(f"WHEN ? THEN {code}" for code in range(len(labels)))
        parts.append(f"{factor} * CASE {_SQL[name]} {cases} ELSE {labels.index(UNKNOWN)} END")
        factor *= len(labels)
    return " + ".join(parts)


def _themes(conn: sqlite3.Connection, columns: Columns) -> dict[str, NDArray[np.bool_]]:
    themes = {}
    some = np.zeros(len(columns.ids), np.bool_)
    for (slug,) in conn.execute("SELECT DISTINCT theme FROM post_themes ORDER BY theme").fetchall():
        concat = conn.execute("SELECT group_concat(post_id) FROM post_themes WHERE theme = ?", (slug,))
        column = np.zeros(len(columns.ids), np.bool_)
        column[columns.positions(integers(concat.fetchone()[0]))] = True
        some |= column
        themes[slug] = column
    labels = columns.values["sentiment"]
    untagged = (
        columns.codes["sentiment"] == labels.index(UNTAGGED) if UNTAGGED in labels else np.zeros_like(some)
    )
    return {**themes, NONE: ~some & ~untagged, UNTAGGED: untagged}
