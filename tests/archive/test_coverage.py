from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from archive import coverage
from archive.errors import ArchiveBusy
from archive.store import Archive
from archive.vocabulary import Span
from tests.conftest import START


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


def test_a_dead_collector_leaves_a_gap_from_its_last_heartbeat(archive: Archive) -> None:
    archive.turn("x", "x", "listening", minute(0))
    archive.heard("x", "x", minute(4))
    archive.heard("x", "x", minute(3))
    with archive.transaction() as conn:
        coverage.close_open_spans(conn, "deaf", minute(9), cause="the collector ended")
    assert ledger(archive) == [
        ("listening", "00", "04", None),
        ("deaf", "04", "09", "the collector ended"),
    ]


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
