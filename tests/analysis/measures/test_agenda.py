from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.measures.agenda import agenda, agenda_slots
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Meeting, Received, Session

Receive = Callable[..., Received]
Windows = Callable[..., Window]


@pytest.mark.usefixtures("tagged_discussion")
def test_the_agenda_holds_every_post_once(window: Windows, meeting: Meeting) -> None:
    found = {slot["session"]: slot for slot in agenda(window(), meeting)}
    assert list(found) == ["before", "s1", "coffee", "s2", "after", "none"]
    assert [slot["posts"] for slot in found.values()] == [0, 3, 1, 1, 1, 0]
    assert found["s1"]["authors"] == 2
    assert found["s1"]["themes"] == {"agility": 1, "open-data": 3}
    assert found["s1"]["questions"] == 1
    assert found["s1"]["sentiment"]["n"] == 2
    assert found["after"]["themes"] is found["after"]["sentiment"] is found["after"]["questions"] is None
    assert found["s2"]["from"] == "2012-03-26T17:00:00Z"


def test_each_gap_between_sessions_stands_apart(archive: Archive, receive: Receive, window: Windows) -> None:
    starts = archive.meeting.starts

    def session(slug: str, hour: int, length: int = 1) -> Session:
        begin = starts + timedelta(hours=hour)
        return Session(slug=slug, title=slug, starts=begin, ends=begin + timedelta(hours=length), track=slug)

    gappy = replace(
        archive.meeting,
        sessions=(session("a", 0, 2), session("b", 1), session("c", 3), session("d", 5)),
        lag=timedelta(minutes=2),
        ends=starts + timedelta(hours=6),
    )
    with Archive.open(archive.path, gappy) as again:
        again.write([receive(minute) for minute in (1, 2, 121, 122, 181, 182, 250, 301)])
    found = [(slot["session"], slot["from"][11:16], slot["posts"]) for slot in agenda(window(), gappy)[1:-2]]
    assert found == [
        ("a", "15:00", 1),
        ("b", "16:00", 0),
        ("between", "17:00", 2),
        ("c", "18:00", 1),
        ("between", "19:00", 2),
        ("d", "20:00", 0),
    ]
    assert agenda(window(), gappy)[-1]["posts"] == 1  # minute 121: both a and b are under way


def test_a_meeting_without_sessions_is_one(meeting: Meeting) -> None:
    slots = agenda_slots(replace(meeting, sessions=()))
    assert [slot.session for slot in slots] == ["before", "meeting", "after", "none"]
