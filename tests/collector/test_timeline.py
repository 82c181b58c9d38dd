"""The timeline: when a collector would have met each item, and the ledger's file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import InputError
from archive.export import export
from archive.store import Archive
from archive.vocabulary import Correction, Deleted, Item, Meeting, Private, Received, SourceSpec, Span
from collector import timeline
from collector.spool import Spool

START = datetime(2012, 3, 26, 15, tzinfo=UTC)
SPAN = {
    "name": "x",
    "source": "x",
    "state": "deaf",
    "started_at": "2012-03-26T15:00:00Z",
    "ended_at": "2012-03-26T15:10:00Z",
    "cause": "cut",
    "missing_estimate": 4,
}


def ledger(folder: Path, *rows: object) -> Path:
    path = folder / timeline.COVERAGE
    path.write_text("".join(f"{json.dumps(row)}\n\n" for row in rows), encoding="utf-8")
    return path


def test_posts_are_met_when_written_edited_passed_on_or_received(receive: Callable[..., Received]) -> None:
    later, latest = START + timedelta(hours=1), START + timedelta(hours=2)
    assert timeline.moment_of(receive(0)) == START
    assert timeline.moment_of(receive(0, edited_at=later)) == later
    assert timeline.moment_of(receive(0, observed_at=later)) == START, "a search of another day"
    assert timeline.moment_of(receive(0, source="bluesky", observed_at=later)) == later, "a stream"
    assert timeline.moment_of(receive(0, edited_at=later, received_at=latest)) == latest
    assert timeline.moment_of(Deleted("x:1", "x", later)) == later
    assert timeline.moment_of(Deleted("x:1", "x")) is None
    assert timeline.moment_of(Private("line 3")) is None


def test_an_interval_is_met_when_it_begins_and_when_it_ends(tmp_path: Path, meeting: Meeting) -> None:
    begun, ended = timeline.items_of(meeting, ledger(tmp_path, SPAN))
    assert isinstance(begun, Span) and isinstance(ended, Span)
    assert (begun.ended_at, begun.missing_estimate, begun.cause) == (None, None, "cut")
    assert (ended.ended_at, ended.missing_estimate) == (START + timedelta(minutes=10), 4)
    assert timeline.moment_of(begun) == START and timeline.moment_of(ended) == ended.ended_at


def test_an_open_interval_has_no_end(tmp_path: Path, meeting: Meeting) -> None:
    (span,) = timeline.items_of(meeting, ledger(tmp_path, SPAN | {"ended_at": None}))
    assert isinstance(span, Span) and span.ended_at is None


@pytest.mark.parametrize(
    "row, expected",
    [
        (SPAN | {"state": "asleep"}, "state must be one of listening"),
        (SPAN | {"started_at": "2012-03-26T15:00:00"}, "started_at has no zone"),
        (SPAN | {"ended_at": "2012-03-26T14:00:00Z"}, "ended_at is before started_at"),
        (SPAN | {"started_at": 3}, "line 1"),
        ({"name": "x"}, "source must be a text, not absent"),
        (["no", "object"], "line 1"),
    ],
)
def test_a_ledger_that_cannot_be_read_says_where(tmp_path: Path, row: object, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        list(timeline.spans(ledger(tmp_path, row)))


CHAT = "09:00:05\t From Ana Perez : Hello\n09:01:00\t From Luis Gil to Ana Perez(Direct Message) : hush\n"


def test_a_folder_of_the_meeting_file_gives_date_and_arm(tmp_path: Path, meeting: Meeting) -> None:
    settings = {"path": "chat/", "date": date(2012, 3, 27)}
    several_days = replace(
        meeting,
        ends=meeting.ends + timedelta(days=1),
        sources=(SourceSpec(kind="folder", name="zoom", arm="room", settings=settings),),
    )
    (tmp_path / "chat").mkdir()
    path = tmp_path / "chat" / "saved.txt"
    path.write_text(CHAT, encoding="utf-8")
    with Spool[Item]() as spool:
        timeline.fill(spool, several_days, [path])
        items = [item for _, item in spool]
    (post,) = (item.post for item in items if isinstance(item, Received))
    assert post.created_at == datetime(2012, 3, 27, 15, 0, 5, tzinfo=UTC) and post.arm == "room"
    assert sum(isinstance(item, Private) for item in items) == 1


def test_what_people_said_afterwards_is_left_out(
    archive: Archive, receive: Callable[..., Received], meeting: Meeting, tmp_path: Path
) -> None:
    archive.write([receive(1), receive(2)])
    archive.correct("x:9000000000000000001", Correction(by="Eva", sentiment="negative"))
    archive.decide("agility", "es", "ágil", accepted=True, by="Eva")
    export(archive.path, tmp_path / "full", ["ndjson"], full=True)
    posts = list(timeline.items_of(meeting, tmp_path / "full" / "posts.ndjson"))
    assert [item.corrections for item in posts if isinstance(item, Received)] == [(), ()]
    assert list(timeline.items_of(meeting, tmp_path / "full" / "keywords.ndjson")) == []


def test_without_a_ledger_the_replay_is_the_listening(tmp_path: Path, meeting: Meeting) -> None:
    path = tmp_path / "saved.txt"
    path.write_text(CHAT + "09:30:00\t From Ana Perez : Bye\n", encoding="utf-8")
    with Spool[Item]() as spool:
        timeline.fill(spool, meeting, [path])
        spans = [(at, item) for at, item in spool if isinstance(item, Span)]
    assert [at for at, _ in spans] == [START + timedelta(seconds=5), START + timedelta(minutes=30)]
    assert {(span.name, span.state) for _, span in spans} == {("zoom", "listening")}


def test_reading_stops_when_asked(tmp_path: Path, meeting: Meeting) -> None:
    path = tmp_path / "saved.txt"
    lines = [f"09:{n // 60 % 60:02}:{n % 60:02}\t From Ana Perez : Hello {n}\n" for n in range(1_500)]
    path.write_text("".join(lines), encoding="utf-8")
    with Spool[Item]() as spool:
        timeline.fill(spool, meeting, [path], lambda: True)
        assert len(spool) == 1_000
