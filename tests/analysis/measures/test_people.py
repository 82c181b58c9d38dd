from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.measures.people import concentration, divisions, people, spread
from analysis.measures.window import Window
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Author, Meeting, Received

Receive = Callable[..., Received]
Windows = Callable[..., Window]


def test_who_posted_and_who_wrote(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(n, author="ana") for n in range(3)])
    archive.write([receive(10, author="luis", kind="repost")])
    archive.write([receive(11, author="Eva"), receive(12, author="eva2")])
    found = people(window(), meeting)
    assert (found["authors"], found["authors_authored"], found["authors_with_one_post"]) == (4, 3, 3)
    assert found["top_authors"] == [["bc_ana", 3], ["bc_eva", 1], ["bc_eva2", 1], ["bc_luis", 1]]
    assert found["top_authors_authored"] == [["bc_ana", 3], ["bc_eva", 1], ["bc_eva2", 1]]
    assert found["posts_per_author"] == {"mean": 1.5, "median": 1, "max": 3}
    assert found["concentration"] is None  # fewer than ten authors
    assert people(window(kind="repost"), meeting)["top_authors"] == [["bc_luis", 1]]


def test_chats_rank_names_as_they_are_written(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    author = Author(key="zoom:Ana Pérez", source="zoom", name="Ana Pérez")
    archive.write([receive(0, author=author, source="zoom", key="zoom:1")])
    assert people(window(), meeting)["top_authors"] == [["Ana Pérez", 1]]


def test_no_author_has_no_mean() -> None:
    assert spread([]) == {"mean": None, "median": None, "max": None}


def test_unknown_kinds_leave_the_authored_figures_unknown(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0, kind=None)])
    found = people(window(), meeting)
    assert found["authors"] == 1
    unknown = ("authors_authored", "top_authors_authored", "concentration", "live_contributors")
    assert all(found[name] is None for name in unknown)


def test_concentration_of_eleven_authors(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    number = iter(range(1000))
    for author in range(11):
        archive.write([receive(next(number), author=f"a{author:02}") for _ in range(author + 1)])
    found = people(window(), meeting)["concentration"]
    assert found["top_1"] == 11 / 66
    assert found["top_10"] == 65 / 66
    assert found["divisions"] == [
        {"authors": 1, "posts": 11, "share": 11 / 66},
        {"authors": 1, "posts": 10, "share": 10 / 66},
        {"authors": 9, "posts": 45, "share": 45 / 66},
    ]
    # sum((2i - 12) * i for i in 1..11) / (11 * 66)
    assert found["gini"] == pytest.approx(220 / 726)


def test_equal_authors_have_a_gini_of_nought(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(n, author=f"a{n}") for n in range(10)])
    found = people(window(), meeting)["concentration"]
    assert found["gini"] == 0
    assert concentration([]) is None


def test_divisions_cover_everybody_once() -> None:
    parts = divisions(list(range(250, 0, -1)))
    assert [part["authors"] for part in parts] == [3, 22, 225]
    assert sum(part["share"] for part in parts) == pytest.approx(1)


def test_without_earlier_archives_newcomers_are_first_seen_in_the_window(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0, author="ana"), receive(30, author="ana"), receive(40, author="luis")])
    whole = people(window(), meeting)
    assert (whole["newcomers"], whole["returners"], whole["retention"]) == (2, None, None)
    later = people(window(from_=meeting.starts + timedelta(minutes=20)), meeting)
    assert (later["authors"], later["newcomers"]) == (2, 1)
    archive.write([receive(150, author="ana"), receive(151, author="eva")])
    assert people(window(session="s1"), meeting)["newcomers"] == 2
    there = people(window(session="s2"), meeting)
    assert (there["authors"], there["newcomers"]) == (2, 1), "ana was seen in the session before"


@pytest.fixture
def earlier(tmp_path: Path, meeting: Meeting, receive: Receive) -> sqlite3.Connection:
    """Last year's archive: ana (with another key form), luis and a chat name."""
    chat = Author(key="zoom:Eva", source="zoom", name="Eva")
    plain = Author(key="x:@bc_ana", source="x", handle="BC_Ana")
    with Archive.open(tmp_path / "earlier.db", replace(meeting, slug="earlier")) as archive:
        archive.write(
            [
                receive(0, author=plain),
                receive(1, author="luis"),
                receive(2, author=chat, key="zoom:1", source="zoom"),
            ]
        )
        return open_readonly(archive.path)


def test_returners_and_retention_come_from_an_earlier_archive(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows, earlier: sqlite3.Connection
) -> None:
    chat = Author(key="zoom:Eva", source="zoom", name="Eva")
    archive.write(
        [
            receive(0, author="ana"),
            receive(1, author="rosa"),
            receive(2, author=chat, key="zoom:1", source="zoom"),
        ]
    )
    with closing(earlier):
        found = people(window(), meeting, [earlier])
    # A chat's name says nothing about another meeting: Eva is new to this one.
    assert (found["newcomers"], found["returners"], found["retention"]) == (2, 1, 0.5)


def test_likely_automated_accounts_are_shown_apart(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    bot = Author(key="x:bot", source="x", handle="bc_bot", bot=True)
    archive.write([receive(0, author=bot), receive(1, author="ana")])
    number = iter(range(10, 1000))
    for author, posts, authored in (("echo", 100, 2), ("fan", 99, 0), ("eager", 100, 3)):
        kinds = ["original"] * authored + ["repost"] * (posts - authored)
        archive.write([receive(next(number), author=author, kind=kind) for kind in kinds])
    found = people(window(), meeting)
    assert found["likely_automated"] == [
        {"handle": "bc_echo", "posts": 100, "reposts": 98, "bot_mark": None},
        {"handle": "bc_bot", "posts": 1, "reposts": 0, "bot_mark": True},
    ]
    assert found["authors"] == 5


def test_live_contributors_wrote_during_a_session(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write(
        [
            receive(1, author="ana"),
            receive(2, author="luis", kind="repost"),
            receive(95, author="eva"),  # coffee
            receive(500, author="rosa"),  # after the meeting
        ]
    )
    assert people(window(), meeting)["live_contributors"] == 1
