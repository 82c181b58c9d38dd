from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from analysis.measures import live
from archive.playback import Playback, write_playback
from archive.store import Archive
from archive.vocabulary import Author, Meeting, Participant, Received, SourceSpec, Span, State
from tests.conftest import START

Receive = Callable[..., Received]
Tag = Callable[..., None]


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@pytest.fixture
def discussion(archive: Archive, receive: Receive, tag: Tag) -> None:
    """Eight posts in the first ten minutes and one in the break, some of them tagged."""
    archive.write(
        [
            receive(-5, author="ana", language="en"),
            receive(1, author="ana", language="es"),
            receive(2, author="luis", language="en"),
            receive(3, author="eva", kind="repost", language="en"),
            receive(6, author="luis"),
            receive(7, author="rosa"),
            receive(8, author="rosa"),
            receive(9, author="pia"),
            receive(95, author="pia"),
        ]
    )
    tag(1, themes=("open-data",), sentiment="positive", question=True)
    tag(2, themes=("open-data", "agility"), sentiment="negative")
    tag(3, themes=("open-data",), sentiment="positive", question=True)
    tag(6, sentiment="positive", sure=False, question=True)
    tag(7, themes=("agility",), sentiment="neutral", question=True)


@pytest.mark.usefixtures("discussion")
def test_key_figures_during_a_session(conn: sqlite3.Connection, meeting: Meeting) -> None:
    found = live.key_figures(conn, at(10), meeting)
    assert (found["posts"], found["posts_5_min"], found["authors"]) == (9, 4, 5)
    # ana wrote before the session began; pia's later post is her second.
    assert (found["session"], found["session_title"], found["new_authors"]) == ("s1", "Opening", 4)
    assert found["languages"] == {"en": 3, "es": 1}
    assert found["countries"] is None
    assert found["questions"] == {"open": 2, "oldest_age_s": 540.0}
    assert found["sentiment"]["n"] == 4
    assert found["sentiment"]["positive"]["posts"] == 1
    assert found["sentiment"]["not_sure"]["posts"] == 1
    assert found["untagged"] == 4


@pytest.mark.usefixtures("discussion")
def test_no_session_no_new_authors_of_it(conn: sqlite3.Connection, meeting: Meeting) -> None:
    for minute in (-1, 95, 500):
        found = live.key_figures(conn, at(minute), meeting)
        assert found["new_authors"] is found["session"] is None


@pytest.mark.usefixtures("discussion")
def test_the_lag_moves_the_session(conn: sqlite3.Connection, meeting: Meeting) -> None:
    late = replace(meeting, lag=timedelta(minutes=2))
    assert live.key_figures(conn, at(1), late)["session"] is None
    assert live.key_figures(conn, at(2), late)["new_authors"] == 4


@pytest.mark.usefixtures("discussion")
def test_countries_where_there_is_a_roster(conn: sqlite3.Connection, meeting: Meeting) -> None:
    roster = (Participant(name="Ana", country="MX", accounts=("x:@bc_ana",)),)
    found = live.key_figures(conn, at(9), replace(meeting, participants=roster))
    assert found["countries"] == {"seen": {"MX": 1}, "missing": []}


def test_an_empty_archive_knows_nothing_yet(conn: sqlite3.Connection, meeting: Meeting) -> None:
    found = live.key_figures(conn, at(0), meeting)
    assert (found["posts"], found["posts_5_min"], found["authors"], found["untagged"]) == (0, 0, 0, 0)
    assert found["questions"] is found["sentiment"] is None
    assert (
        live.newest(conn, 0, 5) == live.most_active(conn, 5) == live.feed_health(conn, at(0), meeting) == []
    )
    assert live.per_minute(conn, at(-60), at(60)) == live.sentiment_bins(conn, at(-60), at(60)) == []


@pytest.mark.usefixtures("discussion")
def test_posts_per_minute_by_theme(conn: sqlite3.Connection) -> None:
    assert live.per_minute(conn, at(1), at(7)) == [
        ("2012-03-26T15:01", "open-data", 1),
        ("2012-03-26T15:02", "agility", 1),
        ("2012-03-26T15:02", "open-data", 1),
        ("2012-03-26T15:03", "open-data", 1),
        ("2012-03-26T15:06", "none", 1),
    ]


@pytest.mark.usefixtures("discussion")
def test_sentiment_bins_hold_authored_tagged_posts(conn: sqlite3.Connection) -> None:
    empty = {"positive": 0, "neutral": 0, "negative": 0, "not_sure": 0}
    first, second = "2012-03-26T15:00", "2012-03-26T15:05"
    assert live.sentiment_bins(conn, at(0), at(10)) == [
        {"bin": first, "theme": "agility", "n": 1, **empty, "negative": 1},
        {"bin": first, "theme": "open-data", "n": 2, **empty, "positive": 1, "negative": 1},
        {"bin": second, "theme": "agility", "n": 1, **empty, "neutral": 1},
        {"bin": second, "theme": "none", "n": 1, **empty, "not_sure": 1},
    ]


@pytest.mark.usefixtures("discussion")
def test_newest_posts_come_with_their_tags(conn: sqlite3.Connection) -> None:
    assert [post["id"] for post in live.newest(conn, 0, 3)] == [9, 8, 7]
    assert [post["id"] for post in live.newest(conn, 7, 3)] == [9, 8]
    second, third = live.posts_by_id(conn, [2, 3, 99])[::-1]
    assert second["sentiment"] == "positive"
    assert (third["themes"], third["sentiment"], third["question"]) == (
        ["agility", "open-data"],
        "negative",
        False,
    )
    assert third["created_at"] == "2012-03-26T15:02:00Z"
    untagged, unsure = live.posts_by_id(conn, [9, 5])
    assert (untagged["tagged"], untagged["sentiment"]) == (False, "untagged")
    assert (unsure["tagged"], unsure["sentiment"]) == (True, "not_sure")


def test_the_source_says_the_language_only_until_a_post_is_tagged(
    conn: sqlite3.Connection, archive: Archive, receive: Receive, tag: Tag
) -> None:
    archive.write([receive(n, language="es") for n in range(3)])
    tag(0, language="en")
    tag(1, language=None)
    assert [post["language"] for post in live.posts_by_id(conn, [1, 2, 3])] == ["es", None, "en"]


@pytest.mark.usefixtures("discussion")
def test_most_active_authors(conn: sqlite3.Connection) -> None:
    found = live.most_active(conn, 2)
    assert [(author["handle"], author["posts"]) for author in found] == [("bc_ana", 2), ("bc_luis", 2)]


def test_feed_health_of_a_listening_and_an_imported_source(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    chat = Author(key="zoom:Eva", source="zoom", name="Eva")
    archive.write(
        [
            Span(name="main", source="x", state="listening", started_at=at(0)),
            receive(4),
            receive(2, author=chat, source="zoom", key="zoom:1"),
        ]
    )
    archive.heard("main", "x", at(5))
    listening, imported = live.feed_health(conn, at(5.5), meeting)
    assert (listening["name"], listening["state"], listening["age_s"]) == ("main", "listening", 30.0)
    assert listening["last_post"] == "2012-03-26T15:04:00Z"
    assert (imported["name"], imported["state"], imported["age_s"]) == ("zoom", "imported", 210.0)
    assert set(listening) == set(imported)
    assert (imported["reason"], imported["outages"]["total"], imported["lag_s"]) == (None, 0, None)


def test_feed_health_knows_what_was_never_started(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    sources = tuple(
        SourceSpec(kind=kind, name=name, arm="public")
        for kind, name in (("x", "main"), ("x", "second"), ("folder", "zoom"), ("mastodon", "toots"))
    )
    planned = replace(meeting, sources=sources)
    archive.write([receive(1)])
    assert [source["state"] for source in live.feed_health(conn, at(5), planned)] == ["imported"]
    archive.write([Span(name="main", source="x", state="listening", started_at=at(0))])
    states = live.feed_health(conn, at(0.5), planned)
    assert [(one["name"], one["source"], one["state"], one["since"]) for one in states] == [
        ("main", "x", "listening", "2012-03-26T15:00:00Z"),
        ("second", "x", "stopped", None),
        ("zoom", None, "stopped", None),
        ("toots", "mastodon", "stopped", None),
    ]
    assert [one["last_post"] is None for one in states] == [False, False, True, True]
    assert {one["reason"] for one in states[1:]} == {"not started yet"}


def test_feed_health_says_nothing_of_sources_that_a_replay_leaves_out(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting
) -> None:
    archive.write([Span(name="main", source="x", state="listening", started_at=at(0))])
    with archive.transaction() as writing:
        write_playback(writing, Playback(at(0), at(240), at(1), 60.0, False, at(1)))
    planned = replace(meeting, sources=(SourceSpec(kind="folder", name="zoom", arm="remote"),))
    assert [source["name"] for source in live.feed_health(conn, at(1), planned)] == ["main"]


def test_feed_health_counts_outages_for_gaps(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting
) -> None:
    def span(state: State, starts: float, ends: float | None = None, **fields: object) -> Span:
        until = None if ends is None else at(ends)
        return Span(name="main", source="x", state=state, started_at=at(starts), ended_at=until, **fields)  # type: ignore[arg-type]

    archive.write(
        [
            span("listening", 0, 10),
            span("deaf", 10, 11, cause="cut", backfilled="search", missing_estimate=0),
            span("listening", 11, 20),
            span("deaf", 20, 21, cause="cut"),
            span("waiting", 21, 25, cause="too many requests"),
        ]
    )
    (source,) = live.feed_health(conn, at(22), meeting)
    assert (source["state"], source["until"]) == ("waiting", "2012-03-26T15:25:00Z")
    assert "gaps" not in source
    lasting, over = source["outages"]["newest"]
    assert (lasting["from"], lasting["to"], lasting["causes"]) == (
        "2012-03-26T15:20:00Z",
        None,
        ["cut", "too many requests"],
    )
    assert (source["outages"]["total"], over["to"]) == (1, "2012-03-26T15:11:00Z")


def test_no_query_scans_the_posts(conn: sqlite3.Connection, meeting: Meeting, archive: Archive) -> None:
    archive.write([Span(name="main", source="x", state="listening", started_at=at(0))])
    asked: list[str] = []
    conn.set_trace_callback(asked.append)
    live.key_figures(conn, at(9), meeting)
    live.per_minute(conn, at(0), at(9))
    live.sentiment_bins(conn, at(0), at(9))
    live.newest(conn, 0, 20)
    live.most_active(conn, 10)
    live.feed_health(conn, at(9), meeting)
    conn.set_trace_callback(None)
    plans = [row[3] for sql in asked for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any(plan.startswith("SEARCH p USING") for plan in plans)
    scans = [plan for plan in plans if re.match(r"SCAN (p|h|posts|post_\w+)\b(?!.*INDEX)", plan)]
    assert scans == []
