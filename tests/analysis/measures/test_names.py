from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.measures import names as module
from analysis.measures.names import names, names_mentioned
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Attendance, Meeting, Received
from tests.conftest import START

Receive = Callable[..., Received]
Row = tuple[int, str, str]


def put(archive: Archive, names: list[Row]) -> None:
    with archive.transaction() as conn:
        conn.executemany("INSERT INTO post_names VALUES (?, ?, ?)", names)


def test_names_are_counted_by_authors(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(n, author=f"a{n % 4}") for n in range(8)])
    put(
        archive,
        [
            *((n, "other", "OpenScience") for n in (1, 2)),
            (3, "other", "Open Science"),
            (5, "other", "Open Science"),
            *((n, "organisation", "OECD") for n in range(1, 5)),
            *((n, "other", "Twice Two") for n in (1, 2, 5, 6)),
        ],
    )
    assert names_mentioned(conn, meeting) == [
        {"kind": "organisation", "name": "OECD", "posts": 4, "authors": 4},
        {"kind": "other", "name": "Open Science", "posts": 4, "authors": 3},
    ]
    assert names_mentioned(conn, meeting, 1) == names_mentioned(conn, meeting)[:1]


def test_what_the_meeting_names_needs_no_three_authors(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(1, author="ana")])
    put(archive, [(1, "place", "Mexico"), (1, "place", "France"), (1, "other", "Rosa Luz")])
    assert names_mentioned(conn, meeting) == []
    own = replace(meeting, attendance=Attendance(by_country={"MX": 2}))
    assert [one["name"] for one in names_mentioned(conn, own)] == ["Mexico"]


def test_reposts_are_left_out(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(n, author=f"a{n}", kind="repost" if n > 2 else "original") for n in range(5)])
    put(archive, [(n, "other", "Rosa Luz") for n in range(1, 6)])
    assert names_mentioned(conn, meeting) == [{"kind": "other", "name": "Rosa Luz", "posts": 3, "authors": 3}]


def test_a_window_is_half_open(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(n, author=f"a{n}") for n in range(10)])
    put(archive, [(n, "other", "Rosa Luz") for n in range(1, 11)])

    def posts(**window: int) -> int:
        moments = {name: START + timedelta(minutes=minute) for name, minute in window.items()}
        return sum(one["posts"] for one in names_mentioned(conn, meeting, **moments))  # type: ignore[arg-type]

    assert posts() == 10
    assert posts(since=5) == 5
    assert posts(until=5) == 5
    assert posts(since=2, until=6) == 4
    assert posts(since=8) == 0  # two authors


def test_the_names_of_a_window(
    archive: Archive,
    meeting: Meeting,
    receive: Receive,
    tag: Callable[..., None],
    window: Callable[..., Window],
) -> None:
    archive.write([receive(n, author=f"a{n}", arm="room" if n < 4 else "remote") for n in range(6)])
    assert names(window(), meeting) is None
    tag(1)
    put(archive, [(n, "other", "Rosa Luz") for n in range(1, 7)])
    assert names(window(), meeting) == [{"kind": "other", "name": "Rosa Luz", "posts": 6, "authors": 6}]
    assert names(window(arm="room"), meeting) is not None
    tag(5)
    assert names(window(arm="remote"), meeting) == []  # two authors


def test_a_lists_kind_and_the_commonest_spelling_win(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(n, author=f"a{n}") for n in range(4)])
    put(
        archive,
        [
            (1, "other", "RLadies"),
            (2, "other", "RLadies"),
            (3, "organisation", "R-Ladies"),
            (4, "other", "r ladies"),
        ],
    )
    assert names_mentioned(conn, meeting) == [
        {"kind": "organisation", "name": "RLadies", "posts": 4, "authors": 4}
    ]


rows_of_names = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(["other", "place"]),
        st.sampled_from(["A b", "Ab", "Ü", "u", "\ud7ff"]),
    ),
    unique=True,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of_names, seed=st.integers())
def test_neither_the_order_of_posts_nor_the_way_of_counting_changes_anything(
    archive: Archive,
    conn: sqlite3.Connection,
    meeting: Meeting,
    receive: Receive,
    rows: list[Row],
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive.write([receive(n, author=f"a{n % 5}") for n in range(12)])
    monkeypatch.setattr(module, "AT_ONCE", 1)
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    found = []
    for order in (rows, shuffled):
        with archive.transaction() as writing:
            writing.execute("DELETE FROM post_names")
        put(archive, order)
        found.append(names_mentioned(conn, meeting, 2))
        found.append(names_mentioned(conn, meeting, 2, since=START - timedelta(days=1)))
    assert found == [found[0]] * 4
