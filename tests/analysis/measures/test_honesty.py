from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from analysis.measures.honesty import honesty, potential_reach, status
from analysis.measures.window import Window
from archive.playback import Playback, write_playback
from archive.store import Archive
from archive.vocabulary import Author, Deleted, Meeting, Received, SourceSpec, Span, State, Unmapped
from tests.conftest import START

Receive = Callable[..., Received]
Windows = Callable[..., Window]


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def span(state: State, starts: float, ends: float | None = None, **fields: Any) -> Span:
    ended_at = None if ends is None else at(ends)
    return Span(name="x-main", source="x", state=state, started_at=at(starts), ended_at=ended_at, **fields)


def test_an_imported_archive_has_no_ledger(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write(
        [receive(0), receive(0), receive(1), Deleted("x:9" + "0" * 17 + "1", "x"), Unmapped("?", "{", "f:1")]
    )
    assert honesty(window(), meeting)["coverage"] == {
        "x": {
            "source": "x",
            "listened_s": None,
            "scheduled_s": None,
            "share": None,
            "gaps": None,
            "late_s": {"median": None, "p95": None},
            "duplicates": 1,
            "quarantined": 1,
            "deleted": 1,
        }
    }


def test_quarantine_names_no_network(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    zoom = Author(key="zoom:Eva", source="zoom", name="Eva")
    archive.write([receive(0), receive(1, author=zoom, source="zoom", key="zoom:1")])
    found = honesty(window(), meeting)["coverage"]
    assert [source["quarantined"] for source in found.values()] == [0, 0]
    archive.write([Unmapped("?", "{", "f:1")])
    found = honesty(window(), meeting)["coverage"]
    assert [source["quarantined"] for source in found.values()] == [None, None]


def test_coverage_of_a_meeting_with_a_gap(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write(
        [
            span("listening", -30, 60),
            span("deaf", 60, 90, cause="connection lost", missing_estimate=7),
            span("listening", 90, 120),
            *(receive(n, received_at=at(n) + timedelta(seconds=n + 1)) for n in range(20)),
        ]
    )
    found = honesty(window(), meeting)["coverage"]["x-main"]
    assert (found["listened_s"], found["scheduled_s"]) == (90 * 60, 240 * 60)
    assert found["share"] == 90 / 240
    assert [(gap["from"][11:16], gap["to"][11:16], gap["cause"]) for gap in found["gaps"]] == [
        ("16:00", "16:30", "connection lost"),
        ("17:00", "19:00", "not recorded"),
    ]
    assert found["gaps"][0]["missing_estimate"] == 7
    assert found["late_s"] == {"median": 10.5, "p95": 19.0}


def test_what_is_still_to_come_is_not_scheduled_yet(
    archive: Archive, meeting: Meeting, window: Windows
) -> None:
    archive.write([span("listening", 0)])
    archive.heard("x-main", "x", at(30))
    found = honesty(window(), meeting, at(30))["coverage"]["x-main"]
    assert (found["share"], found["gaps"]) == (1.0, [])
    early = honesty(window(), meeting, at(-5))["coverage"]["x-main"]
    assert (early["scheduled_s"], early["share"]) == (0, None)


def test_an_open_interval_reaches_as_far_as_it_is_proven(
    archive: Archive, meeting: Meeting, window: Windows
) -> None:
    archive.write([span("listening", 0)])
    archive.heard("x-main", "x", at(30))
    found = honesty(window(), meeting)["coverage"]["x-main"]
    assert found["listened_s"] == 30 * 60
    assert [gap["cause"] for gap in found["gaps"]] == ["not recorded"]


def test_who_is_deaf_stays_so_for_the_reason_given(
    archive: Archive, meeting: Meeting, window: Windows
) -> None:
    archive.write([span("listening", 0, 20), span("deaf", 20, cause="cut")])
    archive.heard("x-main", "x", at(20))
    found = honesty(window(), meeting, at(30))["coverage"]["x-main"]
    assert found["listened_s"] == 20 * 60
    assert [(gap["to"], gap["cause"]) for gap in found["gaps"]] == [("2012-03-26T15:30:00Z", "cut")]


def test_coverage_of_a_window(archive: Archive, meeting: Meeting, window: Windows) -> None:
    archive.write([span("listening", 0, 60)])
    found = honesty(window(from_=at(30), to=at(90)), meeting)["coverage"]["x-main"]
    assert (found["listened_s"], found["scheduled_s"], found["share"]) == (1800, 3600, 0.5)


def test_coverage_of_a_session_is_that_of_its_time_as_posts_come_late(
    archive: Archive, meeting: Meeting, window: Windows
) -> None:
    session = meeting.sessions[0]
    archive.write([span("listening", -30, 15)])
    found = honesty(window(session=session.slug), replace(meeting, lag=timedelta(minutes=5)))
    planned = (session.ends - session.starts).total_seconds()
    assert found["coverage"]["x-main"]["scheduled_s"] == planned
    assert found["coverage"]["x-main"]["listened_s"] == 10 * 60
    assert honesty(window(session="after"), meeting)["coverage"]["x-main"]["scheduled_s"] == 240 * 60


def test_coverage_of_one_network_leaves_the_others_out(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    zoom = Author(key="zoom:Eva", source="zoom", name="Eva")
    of_chat = receive(1, author=zoom, source="zoom", key="zoom:1")
    archive.write([receive(0), of_chat, Unmapped("?", "{", "f:1")])
    found = honesty(window(source="x"), meeting)["coverage"]
    assert set(found) == {"x"}
    assert found["x"]["quarantined"] is None, "it may have come with the chat"
    archive.write([Span(name="chat", source="zoom", state="listening", started_at=at(0), ended_at=at(60))])
    assert set(honesty(window(), meeting)["coverage"]) == {"chat", "x"}
    assert set(honesty(window(source="zoom"), meeting)["coverage"]) == {"chat"}
    assert set(honesty(window(source="x"), meeting)["coverage"]) == {"x"}


def test_a_source_without_a_post_in_the_window_is_still_there(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0)])
    assert set(honesty(window(kind="reply"), meeting)["coverage"]) == {"x"}


def test_reach_adds_up_the_most_followers_seen(archive: Archive, receive: Receive, window: Windows) -> None:
    def ana(followers: int | None) -> Author:
        return Author(key="x:1", source="x", handle="bc_ana", followers=followers)

    archive.write([receive(0, author=ana(50)), receive(1, author="luis")])
    archive.write([receive(2, author=ana(40), kind="reply")])
    assert potential_reach(window()) == potential_reach(window(kind="reply")) == 50


def test_reach_is_unknown_where_no_follower_was_ever_told(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0)])
    assert potential_reach(window()) is None


def test_status_counts_what_waits(archive: Archive, conn: sqlite3.Connection, receive: Receive) -> None:
    assert status(conn, at(0)) == {
        "sources": [],
        "queues": {"untagged": 0, "set_aside": 0, "quarantined": 0},
    }
    archive.write([receive(0), receive(1), Unmapped("?", "{", "f:1"), span("listening", 0)])
    (_, stubborn) = archive.untagged(2)
    for _ in range(3):
        archive.tag_failed(stubborn, "no luck")
    found = status(conn, at(0.5))
    assert found["queues"] == {"untagged": 1, "set_aside": 1, "quarantined": 1}
    assert [source["state"] for source in found["sources"]] == ["listening"]


def test_what_cannot_be_refined_is_set_aside_too(
    archive: Archive, conn: sqlite3.Connection, receive: Receive, tag: Callable[..., None]
) -> None:
    archive.write([receive(0)])
    tag(0)
    (post,) = archive.to_refine(1)
    for _ in range(3):
        archive.tag_failed(post, "no luck", refining=True)
    assert status(conn, at(0.5))["queues"] == {"untagged": 0, "set_aside": 1, "quarantined": 0}


def test_sources_of_the_meeting_file_that_never_ran_are_stopped(
    archive: Archive, meeting: Meeting, conn: sqlite3.Connection
) -> None:
    sources = (
        SourceSpec(kind="x", name="x-main", arm="public"),
        SourceSpec(kind="folder", name="chat", arm="remote"),
    )
    with Archive.open(archive.path, replace(meeting, sources=sources)) as again:
        again.write([span("listening", 0)])
    started, waiting = status(conn, at(0.5))["sources"]
    assert (started["name"], started["state"]) == ("x-main", "listening")
    assert (waiting["name"], waiting["source"], waiting["state"]) == ("chat", None, "stopped")
    assert waiting["reason"] == "not started yet"
    assert set(waiting) == set(started)


def test_status_of_a_replay_goes_by_its_clock(archive: Archive, conn: sqlite3.Connection) -> None:
    wall = at(1_000_000)
    archive.write([span("listening", 0)])

    def state(seconds_ago: float, position: float = 0.5, paused: bool = False) -> str:
        seen_at = wall - timedelta(seconds=seconds_ago)
        with archive.transaction() as writing:
            write_playback(writing, Playback(at(0), at(60), at(position), 1, paused, seen_at))
        found: str = status(conn, wall)["sources"][0]["state"]
        return found

    assert state(1) == "listening"
    assert state(1000, paused=True) == "listening"
    assert state(1000) == "deaf"  # it died on the way
    assert state(1, position=60) == "deaf"
