"""Counts kept up to date in the transaction that changes a post, so that pages never count rows.

``rollup_minutes`` has, for every minute, session and source, each post once under theme ``*`` and once
under each of its themes (``none``: tagged without one, ``untagged``: not tagged yet), by sentiment.
``rollup_totals`` has the whole meeting by one dimension at a time. Both always equal a recount.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from archive.times import MINUTE
from archive.vocabulary import NONE, NOT_SURE, UNTAGGED

ALL = "*"


class State(NamedTuple):
    """All of a post that any rollup depends on."""

    minute: str
    session: str
    source: str
    kind: str | None
    language: str | None
    arm: str
    tagged: int = 0
    language_detected: str | None = None
    sentiment: str | None = None
    sure: int | None = None
    question: int | None = None
    logistics: int | None = None
    to_chair: int | None = None
    themes: tuple[str, ...] = ()

    @property
    def authored(self) -> int:
        return 0 if self.kind == "repost" else 1

    @property
    def sentiment_label(self) -> str:
        if not self.tagged:
            return UNTAGGED
        return self.sentiment if self.sure and self.sentiment else NOT_SURE

    @property
    def theme_labels(self) -> tuple[str, ...]:
        if not self.tagged:
            return (UNTAGGED,)
        return self.themes or (NONE,)

    def totals(self) -> Iterable[tuple[str, str]]:
        """The (dimension, value) pairs under which the post is counted in ``rollup_totals``."""
        yield "all", ALL
        yield "kind", self.kind or "unknown"
        yield "source", self.source
        yield "session", self.session
        yield "arm", self.arm
        yield "language", self.language or ""
        yield "tagged", str(self.tagged)
        yield "sentiment", self.sentiment_label
        for theme in self.theme_labels:
            yield "theme", theme
        if self.tagged:
            yield "language_detected", self.language_detected or ""
            yield "question", str(self.question or 0)
            yield "logistics", str(self.logistics or 0)
            yield "to_chair", str(self.to_chair or 0)


STATE_COLUMNS = (
    f"substr(p.created_at, 1, {MINUTE}), p.session, p.source, p.kind, p.language, p.arm, "
    "p.tagged_at IS NOT NULL, p.language_detected, p.sentiment, p.sure, p.question, "
    "p.logistics, p.to_chair, (SELECT group_concat(theme, ' ') FROM post_themes t WHERE t.post_id = p.id)"
)


def states(conn: sqlite3.Connection, ids: Iterable[int]) -> dict[int, State]:
    """The present states of some posts, by row number."""
    marks = ",".join(str(int(i)) for i in ids)
    rows = conn.execute(f"SELECT p.id, {STATE_COLUMNS} FROM posts p WHERE p.id IN ({marks})")
    return {row[0]: state_of(row[1:]) for row in rows}


def state_of(columns: tuple[object, ...]) -> State:
    """The state behind a row of ``STATE_COLUMNS``."""
    *fixed, themes = columns
    return State._make([*fixed, tuple(sorted(str(themes or "").split()))])


@contextmanager
def recounted(conn: sqlite3.Connection, ids: Sequence[int]) -> Iterator[None]:
    """Whatever is done to these posts inside is counted in the rollups."""
    delta: Counter[State] = Counter()
    delta.subtract(states(conn, ids).values())
    yield
    delta.update(states(conn, ids).values())
    apply(conn, delta)


def apply(conn: sqlite3.Connection, delta: Counter[State]) -> None:
    """Add a difference to the rollups. Negative counts take posts out."""
    minutes: Counter[tuple[str, ...]] = Counter()
    minutes_authored: Counter[tuple[str, ...]] = Counter()
    totals: Counter[tuple[str, str]] = Counter()
    totals_authored: Counter[tuple[str, str]] = Counter()
    for state, count in delta.items():
        if not count:
            continue
        authored = count * state.authored
        label = state.sentiment_label
        for theme in (ALL, *state.theme_labels):
            cell = (state.minute, state.session, theme, label, state.source)
            minutes[cell] += count
            minutes_authored[cell] += authored
        for pair in state.totals():
            totals[pair] += count
            totals_authored[pair] += authored
    conn.executemany(
        "INSERT INTO rollup_minutes VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET posts = posts + excluded.posts, authored = authored + excluded.authored",
        [(*cell, n, minutes_authored[cell]) for cell, n in minutes.items() if n or minutes_authored[cell]],
    )
    conn.executemany(
        "INSERT INTO rollup_totals VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET posts = posts + excluded.posts, authored = authored + excluded.authored",
        [(*pair, n, totals_authored[pair]) for pair, n in totals.items() if n or totals_authored[pair]],
    )
    if any(count < 0 for count in delta.values()):
        conn.executemany(
            "DELETE FROM rollup_minutes WHERE minute = ? AND session = ? AND theme = ? "
            "AND sentiment = ? AND source = ? AND posts = 0",
            [cell for cell, n in minutes.items() if n < 0],
        )
        conn.executemany(
            "DELETE FROM rollup_totals WHERE dimension = ? AND value = ? AND posts = 0",
            [pair for pair, n in totals.items() if n < 0],
        )


def rebuild(conn: sqlite3.Connection) -> None:
    """Count everything anew: after the agenda changed, or in a rescue."""
    conn.execute("DELETE FROM rollup_minutes")
    conn.execute("DELETE FROM rollup_totals")
    rows = conn.execute(f"SELECT {STATE_COLUMNS} FROM posts p")
    apply(conn, Counter(state_of(row) for row in rows))
