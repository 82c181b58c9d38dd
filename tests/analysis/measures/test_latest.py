"""The newest posts, in the order in which they came up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from sqlite3 import Connection

import pytest

from analysis.measures.latest import latest, span, waiting_since
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Received


@pytest.fixture
def conn(archive: Archive) -> Iterator[Connection]:
    conn = open_readonly(archive.path)
    yield conn
    conn.close()


def test_an_archive_imported_backwards_is_read_in_order(
    archive: Archive, conn: Connection, receive: Callable[..., Received]
) -> None:
    archive.write([receive(n) for n in range(9, -1, -1)])
    assert [post["text"][:13] for post in latest(conn, 3)] == [f"Post number {n}" for n in (9, 8, 7)]


def test_what_reached_us_late_is_new(
    archive: Archive, conn: Connection, receive: Callable[..., Received]
) -> None:
    archive.write([receive(n) for n in range(5)])
    start = archive.meeting.starts
    archive.write([receive(7, created_at=start, received_at=start + timedelta(hours=1))])
    newest = latest(conn, 3)[0]
    assert newest["key"].endswith("7")
    assert newest["rank"] == "2012-03-26T16:00:00.000000Z"


def test_the_queue_of_the_tagger(
    archive: Archive, conn: Connection, receive: Callable[..., Received]
) -> None:
    assert waiting_since(conn) is None
    archive.write([receive(3), receive(5)])
    assert waiting_since(conn) == archive.meeting.starts + timedelta(minutes=3)
    (post,) = (one for one in archive.untagged(10) if one.key.endswith("3"))
    for _ in range(3):
        archive.tag_failed(post, "no reason")
    assert waiting_since(conn) == archive.meeting.starts + timedelta(minutes=5)


def test_the_span_of_the_posts(archive: Archive, conn: Connection, receive: Callable[..., Received]) -> None:
    assert span(conn) is None
    archive.write([receive(3), receive(5)])
    start = archive.meeting.starts
    assert span(conn) == (start + timedelta(minutes=3), start + timedelta(minutes=5))
