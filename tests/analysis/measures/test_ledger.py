from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.ledger import clip, holes, seconds, source_states, union
from archive.playback import Playback, write_playback
from archive.store import Archive
from archive.vocabulary import Meeting, Received, SourceSpec, Span, State
from tests.conftest import START


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def span(state: State, starts: float, ends: float | None = None, **fields: Any) -> Span:
    ended_at = None if ends is None else at(ends)
    return Span(name="x", source="x", state=state, started_at=at(starts), ended_at=ended_at, **fields)


def state(conn: sqlite3.Connection, minute: float) -> dict[str, Any]:
    (found,) = source_states(conn, at(minute))
    return found


def test_a_source_that_is_heard_is_listening(
    archive: Archive, conn: sqlite3.Connection, receive: Callable[..., Received]
) -> None:
    archive.write([span("listening", 0), receive(3, received_at=at(3) + timedelta(seconds=2))])
    archive.heard("x", "x", at(5))
    assert state(conn, 5.5) == {
        "name": "x",
        "source": "x",
        "state": "listening",
        "since": "2012-03-26T15:00:00Z",
        "until": None,
        "reason": None,
        "last_post": "2012-03-26T15:03:00Z",
        "lag_s": 2.0,
        "last_heard": "2012-03-26T15:05:00Z",
        "gaps": [],
    }


def test_a_source_that_falls_silent_is_deaf(archive: Archive, conn: sqlite3.Connection) -> None:
    archive.write([span("listening", 0)])
    archive.heard("x", "x", at(5))
    found = state(conn, 7)
    assert (found["state"], found["since"]) == ("deaf", "2012-03-26T15:05:00Z")
    assert found["last_post"] is found["lag_s"] is None


def test_a_source_may_be_told_to_be_patient(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting
) -> None:
    patient = SourceSpec(kind="x", name="x", arm="public", settings={"stall_after": 120})
    Archive.open(archive.path, replace(meeting, sources=(patient,))).close()
    archive.write([span("listening", 0)])
    archive.heard("x", "x", at(5))
    assert [state(conn, minute)["state"] for minute in (8, 10)] == ["listening", "deaf"]


def test_a_replay_may_be_silent_for_as_long_as_its_clock_runs_faster(
    archive: Archive, conn: sqlite3.Connection
) -> None:
    archive.write([span("listening", 0)])
    with archive.transaction() as writing:
        write_playback(writing, Playback(at(0), at(200), at(90), 100, False, at(0)))
    assert state(conn, 90)["state"] == "listening"
    assert state(conn, 110)["state"] == "deaf"


def test_what_has_ended_is_stopped_and_gaps_are_told(archive: Archive, conn: sqlite3.Connection) -> None:
    archive.write(
        [
            span("listening", 0, 10),
            span("deaf", 10, 12, cause="connection lost", backfilled="all", missing_estimate=4),
            span("catching_up", 12, 13),
            span("listening", 13, 20, cause="asked to stop"),
        ]
    )
    found = state(conn, 30)
    assert (found["state"], found["since"]) == ("stopped", "2012-03-26T15:20:00Z")
    assert found["reason"] == "asked to stop"
    assert found["gaps"] == [
        {
            "from": "2012-03-26T15:10:00Z",
            "to": "2012-03-26T15:12:00Z",
            "cause": "connection lost",
            "backfilled": "all",
            "missing_estimate": 4,
        }
    ]


def test_waiting_tells_until_when(archive: Archive, conn: sqlite3.Connection) -> None:
    archive.write([span("waiting", 0, 15, cause="rate limit")])
    found = state(conn, 5)
    assert (found["state"], found["until"], found["reason"]) == (
        "waiting",
        "2012-03-26T15:15:00Z",
        "rate limit",
    )


def test_an_open_gap_has_no_end(archive: Archive, conn: sqlite3.Connection) -> None:
    archive.write([span("deaf", 0)])
    assert state(conn, 5)["gaps"][0]["to"] is None


MOMENTS = st.integers(0, 99).map(lambda second: f"2012-03-26T15:{second // 60:02}:{second % 60:02}.000000Z")
INTERVALS = st.lists(st.tuples(MOMENTS, MOMENTS))


@given(INTERVALS, MOMENTS, MOMENTS)
def test_what_is_covered_and_its_holes_make_up_the_window(
    intervals: list[tuple[str, str]], starts: str, ends: str
) -> None:
    if starts > ends:
        starts, ends = ends, starts
    covered, left = clip(intervals, starts, ends), holes(intervals, starts, ends)
    assert seconds(covered) + seconds(left) == seconds([(starts, ends)])
    assert union([*covered, *left]) == union([(starts, ends)])
    assert all(one[1] < other[0] for one, other in pairwise(covered))


def test_no_ledger_has_no_states(conn: sqlite3.Connection) -> None:
    assert source_states(conn, at(0)) == []


@pytest.mark.parametrize(
    ("intervals", "length"), [([], 0), ([("2012-01-01T00:00:00Z", "2012-01-01T00:01:30Z")], 90)]
)
def test_seconds(intervals: list[tuple[str, str]], length: float) -> None:
    assert seconds(intervals) == length
