from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

from archive import authors
from archive.store import Archive
from archive.vocabulary import Author, Deleted, Meeting, Received
from tests.conftest import START

Receive = Callable[..., Received]


def profiles(archive: Archive) -> list[Any]:
    return archive.conn.execute(
        "SELECT name, followers, followers_max, posts, authored, first_post_at, last_post_at FROM authors"
    ).fetchall()


def test_the_newest_profile_stays_in_any_order(tmp_path: Path, meeting: Meeting, receive: Receive) -> None:
    items = [
        receive(n, author=Author(key="x:1", source="x", name=f"Name {n}", followers=followers))
        for n, followers in ((1, 900), (2, 3), (3, None))
    ]
    ends = set()
    for number, order in enumerate(permutations(items)):
        with Archive.open(tmp_path / f"{number}.db", meeting) as archive:
            for item in order:
                archive.write([item])
            ends.add(tuple(profiles(archive)))
    assert len(ends) == 1
    assert next(iter(ends))[0][:5] == ("Name 3", None, 900, 3, 3)


def test_counts_follow_posts_and_deletions(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2, kind="repost"), receive(5)])
    assert profiles(archive)[0][3:5] == (3, 2)
    archive.write([Deleted(receive(5).post.key, "x")])
    name, *_, authored, first, last = profiles(archive)[0]
    assert (name, authored) == ("Ana", 1)
    assert first.startswith("2012-03-26T15:01") and last.startswith("2012-03-26T15:02")


def test_an_author_without_posts_is_forgotten(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.write([Deleted(receive(1).post.key, "x")])
    assert profiles(archive) == []


def test_the_author_of_a_post_with_the_newest_profile(archive: Archive, receive: Receive) -> None:
    bot = Author(key="x:1", source="x", handle="bc_bot", bot=True, followers=4)
    archive.write([receive(1, author=bot, observed_at=START + timedelta(days=1))])
    assert authors.of_post(archive.conn, 1) == replace(bot, followers_max=4)
