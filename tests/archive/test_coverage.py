from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from archive import coverage
from archive.errors import ArchiveBusy
from archive.store import Archive
from archive.vocabulary import Received, Span
from tests.conftest import START

Receive = Callable[..., Received]


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def ledger(archive: Archive) -> list[Any]:
    rows = archive.conn.execute(
        "SELECT state, started_at, ended_at, cause FROM coverage ORDER BY started_at"
    ).fetchall()
    return [(state, start[14:16], end and end[14:16], cause) for state, start, end, cause in rows]


def test_states_follow_each_other_without_holes(archive: Archive) -> None:
    archive.turn("x", "x", "listening", minute(0))
    archive.turn("x", "x", "listening", minute(1))
    archive.turn("x", "x", "waiting", minute(2), cause="rate limit")
    archive.turn("x", "x", "listening", minute(3))
    assert ledger(archive) == [
        ("listening", "00", "02", None),
        ("waiting", "02", "03", "rate limit"),
        ("listening", "03", None, None),
    ]


def resume(archive: Archive, number: float) -> None:
    with archive.transaction() as conn:
        coverage.resume(conn, "x", "x", minute(number), minute(0))


def test_a_dead_collector_leaves_a_gap_from_its_last_heartbeat(archive: Archive) -> None:
    archive.turn("x", "x", "listening", minute(0))
    archive.heard("x", "x", minute(4))
    archive.heard("x", "x", minute(3))
    resume(archive, 9)
    archive.turn("x", "x", "listening", minute(10))
    assert ledger(archive) == [
        ("listening", "00", "04", None),
        ("deaf", "04", "10", "the collector was not running"),
        ("listening", "10", None, None),
    ]


def test_a_collector_that_died_while_it_waited_did_not_listen_since(archive: Archive) -> None:
    archive.turn("x", "x", "waiting", minute(0), cause="rate limit", until=minute(20))
    resume(archive, 5)
    assert coverage.pending_gaps(archive.conn, "x", minute(5)) == [(minute(0), minute(5))]
    archive.turn("x", "x", "listening", minute(6))
    assert ledger(archive) == [("waiting", "00", "06", "rate limit"), ("listening", "06", None, None)]


def test_the_time_after_a_ledger_that_ended_is_a_gap(archive: Archive) -> None:
    archive.write([Span(name="x", source="x", state="listening", started_at=minute(0), ended_at=minute(3))])
    resume(archive, 5)
    assert ledger(archive)[1] == ("deaf", "03", None, "the collector was not running")
    archive.write([Span(name="y", source="x", state="waiting", started_at=minute(0), ended_at=minute(3))])
    with archive.transaction() as conn:
        coverage.resume(conn, "y", "x", minute(5), minute(0))
    assert ("stopped", "03", None, "the collector was not running") in ledger(archive)


def test_before_anything_was_heard_the_gap_begins_with_the_meeting(archive: Archive) -> None:
    resume(archive, -5)
    assert ledger(archive) == [], "the meeting has not begun: nothing is missed"
    resume(archive, 7)
    assert ledger(archive) == [("stopped", "00", None, "collecting had not begun")]


def test_silence_found_out_later_takes_back_what_the_ledger_said(archive: Archive) -> None:
    archive.turn("x", "x", "catching_up", minute(0))
    archive.turn("x", "x", "listening", minute(10))
    archive.turn("x", "x", "deaf", minute(9), cause="cut")
    archive.turn("x", "x", "deaf", minute(11), cause="cut")
    assert ledger(archive) == [("catching_up", "00", "09", None), ("deaf", "09", None, "cut")]


def test_waiting_has_an_end_that_can_move_and_is_cut_by_what_comes_first(archive: Archive) -> None:
    archive.turn("x", "x", "waiting", minute(0), cause="limit", until=minute(5))
    archive.turn("x", "x", "waiting", minute(1), cause="limit", until=minute(8))
    assert ledger(archive) == [("waiting", "00", "08", "limit")]
    archive.turn("x", "x", "listening", minute(3))
    assert ledger(archive) == [("waiting", "00", "03", "limit"), ("listening", "03", None, None)]


def test_a_wait_that_took_longer_than_foreseen_lasted_until_something_else_came(archive: Archive) -> None:
    archive.turn("x", "x", "waiting", minute(0), cause="limit", until=minute(5))
    archive.turn("x", "x", "waiting", minute(6), cause="limit", until=minute(8))
    assert ledger(archive) == [("waiting", "00", "08", "limit")]
    archive.turn("x", "x", "deaf", minute(9), cause="cut")
    assert ledger(archive) == [("waiting", "00", "09", "limit"), ("deaf", "09", None, "cut")]


def test_an_estimate_for_several_intervals_can_be_added_up(archive: Archive) -> None:
    archive.turn("x", "x", "deaf", minute(0), cause="cut")
    archive.turn("x", "x", "waiting", minute(1), cause="limit", until=minute(2))
    archive.turn("x", "x", "listening", minute(3))
    with archive.transaction() as conn:
        how: dict[str, Any] = {"by": "search", "lost": "retweets", "missing": 7}
        coverage.recovered(conn, "x", "x", minute(0), minute(3), **how)
    rows = archive.conn.execute("SELECT missing_estimate FROM coverage ORDER BY started_at").fetchall()
    assert [row[0] for row in rows] == [7, 0, None]


def test_what_a_gap_cost_is_known_estimated_or_unknown(archive: Archive, receive: Receive) -> None:
    archive.write([receive(number) for number in range(30)])  # a post a minute
    for start in (30, 40, 50):
        archive.turn("x", "x", "deaf", minute(start), cause="cut")
        archive.turn("x", "x", "listening", minute(start + 6))
    archive.turn("y", "mastodon", "deaf", minute(50), cause="cut")
    archive.turn("y", "mastodon", "listening", minute(56))
    archive.write([receive(31), receive(32)])

    def recovered(name: str, source: str, start: int, lost: str | None, missing: int | None = None) -> None:
        with archive.transaction() as conn:
            how = {"by": "search", "lost": lost, "missing": missing}
            coverage.recovered(conn, name, source, minute(start), minute(start + 6), **how)  # type: ignore[arg-type]

    recovered("x", "x", 30, "retweets")
    recovered("x", "x", 40, None)
    recovered("x", "x", 50, "edits", 7)
    recovered("y", "mastodon", 50, "edits")
    rows = archive.conn.execute(
        "SELECT backfilled, missing_estimate FROM coverage WHERE state = 'deaf' ORDER BY name, started_at"
    ).fetchall()
    assert rows == [("search; retweets", 4), ("search", 0), ("search; edits", 7), ("search; edits", None)]
    assert coverage.pending_gaps(archive.conn, "x", minute(99)) == []


def test_the_same_span_again_only_completes_it(archive: Archive) -> None:
    span = Span(name="x", source="x", state="deaf", started_at=minute(1))
    done = Span(name="x", source="x", state="deaf", started_at=minute(1), ended_at=minute(2), cause="cut")
    for order in ([span, done], [done, span]):
        archive.write(order)
    assert ledger(archive) == [("deaf", "01", "02", "cut")]


def test_one_collector_at_a_time_and_a_dead_one_is_outlived(archive: Archive) -> None:
    now = [START]
    archive.clock = lambda: now[0]
    archive.acquire_lease("one", 5)
    archive.acquire_lease("one", 5)
    with pytest.raises(ArchiveBusy, match="another collector"):
        archive.acquire_lease("two", 5)
    now[0] += timedelta(seconds=6)
    archive.acquire_lease("two", 5)
    archive.release_lease("one")
    with pytest.raises(ArchiveBusy):
        archive.acquire_lease("one", 5)
    archive.release_lease("two")
    archive.acquire_lease("one", 5)


def test_a_clock_that_was_set_back_vouches_for_nothing_to_come(archive: Archive) -> None:
    archive.turn("x", "x", "listening", minute(0))
    archive.heard("x", "x", minute(60))
    resume(archive, 10)
    archive.turn("x", "x", "listening", minute(11))
    archive.heard("x", "x", minute(12))
    resume(archive, 20)
    assert ledger(archive)[-1] == ("deaf", "12", None, "the collector was not running")
