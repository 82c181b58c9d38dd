"""Search in the archive: words and facets in; one page of posts, its total, facets and timeline out."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from archive import facets
from archive.errors import SearchError
from archive.export import Row, rows_of
from archive.export_tables import POST_COLUMNS, Table
from archive.facets import Columns, Facets, Positions, Selection, Timeline
from archive.filters import Filters
from archive.query import Query, parse
from archive.reading import explained
from archive.shown import TEXT
from archive.times import from_text, to_text

PAGE = 20
PATIENCE = 5.0  # seconds, for one search
OPEN, CLOSE = "\ufdd0", "\ufdd1"  # noncharacters: no text has them, and those that do lose them
WORDS_SHOWN = 64  # the most that snippet() allows

LONGEST_SHOWN = 600  # characters of a post that no word was looked for in
REMEMBERED = 8  # searches whose matches are kept until the archive changes
BATCH = 1_000  # posts that an export of a search reads at a time
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Order = Literal["newest", "oldest"]
Segments = tuple[tuple[str, bool], ...]  # pieces of a text, and whether the search matched them


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A post as a list of results shows it. Everything in it is somebody else's text."""

    id: int
    key: str
    created_at: str
    edited_at: str | None
    handle: str | None
    name: str | None
    source: str
    kind: str | None
    arm: str
    session: str
    url: str | None
    language: str | None
    tagged: bool
    sentiment: str | None
    sure: bool
    question: bool
    themes: tuple[str, ...]
    replies: int
    segments: Segments


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search. ``after`` fetches the next page, and is None on the last one."""

    total: int
    hits: tuple[Hit, ...]
    facets: Facets
    timeline: Timeline | None
    after: str | None


class Searcher:
    """Searches one archive over a read-only connection of its own; safe to share between threads.

    The facet columns are read at the first search that needs them and again after the archive changed,
    at most for a twentieth of the time: while posts pour in, counts may be some seconds old.
    """

    def __init__(self, conn: sqlite3.Connection, *, clock: Callable[[], float] = time.monotonic) -> None:
        """``conn`` is one of ``open_readonly``; it becomes ours."""
        self._conn = conn
        self._path = Path(conn.execute("PRAGMA database_list").fetchone()[2])
        self._clock = clock
        self._lock = threading.Lock()
        self._columns: Columns | None = None
        self._version = -1  # of the archive when the columns were read
        self._seen = -1  # and when it was last looked at
        self._matches: dict[str, Positions] = {}  # of the last few searches: paging, choosing facets
        self._stale_until = 0.0
        self._deadline = float("inf")
        conn.set_progress_handler(lambda: int(self._clock() > self._deadline), 20_000)

    def close(self) -> None:
        with self._lock:
            self._conn.close()

    def find(
        self,
        typed: str = "",
        selection: Selection | None = None,
        *,
        order: Order = "newest",
        after: str | None = None,
        limit: int = PAGE,
        offset: int = 0,
    ) -> Found:
        """At most ``limit`` posts behind ``after``; ``offset`` is the timeline's zone, in seconds from UTC.

        Raises SearchError for words that cannot be understood and for a search that takes too long.
        """
        query = parse(typed)
        selection = selection or Selection()
        cursor = _cursor(after) if after else None
        with self._reading():
            whole = None if query or selection else facets.overview(self._conn, offset)
            if whole:
                total, counted, timeline = whole
                ids, more = self._browse(order, cursor, limit)
            else:
                columns = self._fresh_columns()
                rows, masks = self._matching(columns, query, selection)
                kept = rows[facets.everything_but("", masks, len(rows))]
                total, counted = len(kept), columns.facets(rows, masks)
                timeline = columns.timeline(kept, offset)
                ids, more = _page(columns, kept, order, cursor, limit)
            hits = self._hits(ids, query)
        last = f"{facets.to_micros(from_text(hits[-1].created_at))}.{hits[-1].id}" if hits and more else None
        return Found(total, hits, counted, timeline, last)

    def all_ids(
        self, typed: str = "", selection: Selection | None = None, *, order: Order = "newest"
    ) -> list[int]:
        """The row numbers of every post of a search, in its order: what an export of it holds."""
        query = parse(typed)
        with self._reading():
            columns = self._fresh_columns()
            rows, masks = self._matching(columns, query, selection or Selection())
            kept = rows[facets.everything_but("", masks, len(rows))]
            found = columns.ids[kept[np.argsort(columns.rank[kept])]]
            ids: list[int] = found.tolist()
        return ids if order == "oldest" else ids[::-1]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The connection, for one moment of the archive and not for ever."""
        with self._lock:
            self._deadline = self._clock() + PATIENCE
            try:
                with facets.snapshot(self._conn):
                    yield
            except sqlite3.Error as error:
                if "interrupted" not in str(error):
                    raise explained(error, self._path) from None
                raise SearchError(
                    f"The search took longer than {PATIENCE:.0f} seconds and was stopped: "
                    "add a word, or choose a theme or a time."
                ) from None

    def _fresh_columns(self) -> Columns:
        version = self._conn.execute("PRAGMA data_version").fetchone()[0]
        started = self._clock()
        if version != self._seen:
            self._seen = version
            self._matches.clear()
        if self._columns is None or (version != self._version and started >= self._stale_until):
            self._matches.clear()
            self._deadline = float("inf")  # they have to be read, however long it takes
            self._columns = facets.load(self._conn)
            self._version = version
            ended = self._clock()
            self._deadline = ended + PATIENCE
            self._stale_until = ended + 20 * (ended - started)
        return self._columns

    def _matching(
        self, columns: Columns, query: Query, selection: Selection
    ) -> tuple[Positions, dict[str, NDArray[np.bool_]]]:
        rows = np.arange(len(columns.ids)) if query.match is None else self._matched(columns, query.match)
        if query.authors:
            theirs = np.zeros(len(columns.ids), np.bool_)
            theirs[columns.positions(self._by_authors(query.authors))] = True
            rows = rows[theirs[rows]]
        return rows, columns.chosen(rows, selection)

    def _matched(self, columns: Columns, match: str) -> Positions:
        if match not in self._matches:
            if len(self._matches) >= REMEMBERED:
                del self._matches[next(iter(self._matches))]
            concat = "SELECT group_concat(rowid) FROM posts_fts WHERE posts_fts MATCH ?"
            found = self._conn.execute(concat, (match,)).fetchone()[0]
            self._matches[match] = columns.positions(facets.integers(found))
        return self._matches[match]

    def _by_authors(self, names: Sequence[str]) -> NDArray[np.int64]:
        authors = [
            row[0]
            for row in self._conn.execute("SELECT id, handle, name FROM authors")
            if {(row[1] or "").casefold(), (row[2] or "").casefold()} & set(names)
        ]
        marks = ",".join(map(str, authors))
        rows = self._conn.execute(f"SELECT group_concat(id) FROM posts WHERE author_id IN ({marks})")
        return facets.integers(rows.fetchone()[0])

    def _browse(self, order: Order, cursor: tuple[int, int] | None, limit: int) -> tuple[list[int], bool]:
        """The page of all posts, by the index on their times."""
        way, sign = ("DESC", "<") if order == "newest" else ("ASC", ">")
        where = ""
        parameters: list[str | int] = []
        if cursor:
            moment = to_text(EPOCH + timedelta(microseconds=cursor[0]))
            where, parameters = f"WHERE (created_at, id) {sign} (?, ?)", [moment, cursor[1]]
        rows = self._conn.execute(
            f"SELECT id FROM posts {where} ORDER BY created_at {way}, id {way} LIMIT {limit + 1}", parameters
        )
        ids = [row[0] for row in rows]
        return ids[:limit], len(ids) > limit

    def _hits(self, ids: Sequence[int], query: Query) -> tuple[Hit, ...]:
        marks = ",".join(map(str, ids))
        snippets = {}
        if query.match is not None and ids:
            # Every seek of a rowid expands a prefix anew; one pass over their range does it once.
            rowid = f"rowid BETWEEN {min(ids)} AND {max(ids)} AND +rowid" if "*" in query.match else "rowid"
            snippets = dict(
                self._conn.execute(
                    f"SELECT rowid, snippet(posts_fts, 0, '{OPEN}', '{CLOSE}', '…', {WORDS_SHOWN}) "
                    f"FROM posts_fts WHERE posts_fts MATCH ? AND {rowid} IN ({marks})",
                    (query.match,),
                ).fetchall()
            )
        rows = self._conn.execute(f"{_HITS} WHERE p.id IN ({marks})").fetchall()
        hits = {row[0]: _hit(row, snippets.get(row[0])) for row in rows}
        return tuple(hits[i] for i in ids if i in hits)


def rows_in_order(conn: sqlite3.Connection, ids: Sequence[int]) -> Iterator[Row]:
    """The posts with these row numbers in this order, as exports show them; deleted ones are left out."""
    names = ", ".join(f"r.{name}" for name in POST_COLUMNS)
    for start in range(0, len(ids), BATCH):
        wanted = list(map(int, ids[start : start + BATCH]))
        sql = (
            f"SELECT {names} FROM json_each('{wanted}') wanted JOIN posts p ON p.id = wanted.value "
            "JOIN posts_readable r ON r.key = p.key ORDER BY wanted.key"
        )
        yield from rows_of(conn, Table("posts", POST_COLUMNS, sql), Filters())


_HITS = (
    "SELECT p.id, p.key, p.created_at, p.edited_at, a.handle, a.name, p.source, p.kind, p.arm, p.session, "
    "p.url, p.language_detected, p.tagged_at IS NOT NULL, p.sentiment, p.sure, p.question, "
    "(SELECT group_concat(theme, ' ') FROM post_themes t WHERE t.post_id = p.id), "
    f"(SELECT count(*) FROM posts r WHERE r.reply_to = p.key), {TEXT} "
    "FROM posts p JOIN authors a ON a.id = p.author_id"
)


def hits_of(conn: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Hit]:
    """The posts with these keys, as a list shows them, with their whole text."""
    marks = ",".join("?" * len(keys))
    rows = conn.execute(f"{_HITS} WHERE p.key IN ({marks})", list(keys)).fetchall()
    return {row[1]: _hit(row, row[-1]) for row in rows}


def _hit(row: Sequence[object], snippet: str | None) -> Hit:
    names = Hit.__dataclass_fields__
    values: dict[str, Any] = dict(zip(names, row, strict=False))
    text = str(row[-1])
    values.update(
        tagged=bool(values["tagged"]),
        sure=bool(values["sure"]),
        question=bool(values["question"]),
        themes=tuple(sorted(str(values["themes"] or "").split())),
        segments=segments(
            text[:LONGEST_SHOWN] + "…" * (len(text) > LONGEST_SHOWN) if snippet is None else snippet
        ),
    )
    return Hit(**values)


def segments(marked: str) -> Segments:
    """The pieces of a text whose matches stand between OPEN and CLOSE. Never HTML."""
    pieces: list[tuple[str, bool]] = []
    for i, part in enumerate(marked.split(OPEN)):
        match, closed, rest = part.partition(CLOSE) if i else ("", "", part)
        if match:
            pieces.append((match, bool(closed)))
        if rest := rest.replace(CLOSE, ""):
            pieces.append((rest, False))
    return tuple(pieces)


def _page(
    columns: Columns, kept: Positions, order: Order, cursor: tuple[int, int] | None, limit: int
) -> tuple[list[int], bool]:
    """The row numbers of a page, and whether there are more behind it."""
    rank = columns.rank[kept]
    newest = order == "newest"
    if cursor:
        before, through = columns.places(*cursor)
        rank = rank[rank < before] if newest else rank[rank >= through]
    more = len(rank) > limit
    if more:
        rank = -np.partition(-rank, limit)[:limit] if newest else np.partition(rank, limit)[:limit]
    ranks = np.sort(rank)[::-1] if newest else np.sort(rank)
    return columns.ids[columns.by_rank[ranks]].tolist(), more


def _cursor(after: str) -> tuple[int, int]:
    micros, _, number = after.partition(".")
    try:
        return int(micros), int(number)
    except ValueError:
        raise SearchError("The address names no page of this search; start from its first page.") from None
