from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from archive.store import Archive
from archive.vocabulary import Deleted, Meeting, Received, SourceSpec
from collector import refreshing
from collector.loop import Settings
from collector.pace import Pace
from collector.refreshing import Refreshed, refresh
from collector.sources.base import Heard, IfKnown, Limited, Lost, Refilled, Refused, Signal, Spent

Receive = Callable[..., Received]
QUICK = Pace(broken=(0.01, 0.02), unusable=(0.01, 0.02), limited=(0.01, 0.02))


class Feed:
    def __init__(self, *talks: list[Signal | Exception]) -> None:
        self.talks = list(talks)
        self.since: list[datetime] = []
        self.opened = 0

    def refresh(self, since: datetime) -> Iterator[Signal]:
        self.since.append(since)
        for signal in self.talks.pop(0) if len(self.talks) > 1 else self.talks[0]:
            if isinstance(signal, Exception):
                raise signal
            yield signal

    def close(self) -> None:
        pass


@pytest.fixture
def ask(
    archive: Archive, meeting: Meeting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[Refreshed]]:
    monkeypatch.setattr(refreshing, "POLL", 0.01)

    def ask(*feeds: Feed, **more: Any) -> list[Refreshed]:
        by_name = {f"s{number}": feed for number, feed in enumerate(feeds)}
        monkeypatch.setattr(refreshing, "open_feed", lambda spec, *_, **__: by_name[spec.name])
        specs = tuple(SourceSpec(kind="x", name=name, arm="public") for name in by_name)
        settings = Settings(tmp_path, {}, pace=QUICK)
        having = replace(meeting, sources=specs)
        return list(refresh(archive, having, settings, stop=threading.Event(), **more))

    return ask


def test_edits_and_deletions_of_what_we_hold_and_nothing_else(
    ask: Callable[..., list[Refreshed]], archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1), receive(2), receive(3)])
    keys = [receive(number).post.key for number in range(5)]
    talk: list[Signal | Exception] = [
        Spent(3),
        receive(1, text="edited #sample2012", edited_at=receive(9).post.created_at),
        Deleted(keys[2], "x"),
        IfKnown(keys[4], receive(4)),
        Heard(),
        receive(4),
        Refilled("lookup", "people who hid their posts"),
    ]
    (result,) = ask(Feed(talk))
    assert (result.counts.updated, result.counts.new, result.failed) == (2, 0, False)
    assert result.note == "people who hid their posts"
    assert archive.spent("s0") == 3
    texts = [row[0] for row in archive.conn.execute("SELECT text FROM posts ORDER BY id")]
    assert texts == ["edited #sample2012", "Post number 3 #sample2012"]


def test_a_limit_is_waited_for_and_a_break_tried_again(
    ask: Callable[..., list[Refreshed]], archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    gone = Deleted(receive(1).post.key, "x")
    feed = Feed([Limited("later")], [Lost("cut")], [gone])
    (result,) = ask(feed)
    assert (result.counts.updated, result.failed) == (1, False)
    assert len(feed.since) == 3


def test_one_that_cannot_be_asked_is_said_and_the_next_is_asked(
    ask: Callable[..., list[Refreshed]], meeting: Meeting
) -> None:
    feeds = Feed([Refused("no right")]), Feed([Lost("cut")]), Feed([])
    results = ask(*feeds, since=meeting.starts)
    assert [(result.note, result.failed) for result in results] == [
        ("no right", True),
        ("cut", True),
        ("", False),
    ]
    assert len(feeds[1].since) == refreshing.TRIES
    assert set(feeds[2].since) == {meeting.starts}


def test_a_source_that_fails_in_a_way_of_its_own_takes_no_other_with_it(
    ask: Callable[..., list[Refreshed]], archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write([receive(1)])
    odd = Feed([Spent(7), ZeroDivisionError("x")])
    monkeypatch.setattr(odd, "close", lambda: 1 / 0)
    results = ask(odd, Feed([Deleted(receive(1).post.key, "x")]))
    assert [result.failed for result in results] == [True, False]
    assert "ZeroDivisionError" in results[0].note
    assert archive.spent("s0") == 7, "what is paid for is written down"
    assert results[1].counts.updated == 1
