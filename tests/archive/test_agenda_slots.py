from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from archive.agenda_slots import assigner, sessions_of
from archive.times import to_text
from archive.vocabulary import Meeting, Session
from tests.conftest import START


def at(minutes: float) -> str:
    return to_text(START + timedelta(minutes=minutes))


def test_a_post_falls_into_the_session_under_way(meeting: Meeting) -> None:
    assign = assigner(meeting)
    places = [assign(at(m), ()) for m in (-0.1, 0, 89.9, 90, 120, 239.9, 240)]
    assert places == ["before", "s1", "s1", "coffee", "s2", "s2", "after"]


def test_between_two_sessions_is_said_so(meeting: Meeting) -> None:
    assign = assigner(replace(meeting, sessions=(meeting.sessions[0], meeting.sessions[2])))
    assert assign(at(100), ()) == "between"


def test_the_lag_moves_the_agenda_not_the_posts(meeting: Meeting) -> None:
    assign = assigner(replace(meeting, lag=timedelta(minutes=2)))
    assert assign(at(1), ()) == "before"
    assert assign(at(91), ()) == "s1"


def test_parallel_tracks_are_told_apart_by_their_hashtags(meeting: Meeting) -> None:
    ends = START + timedelta(hours=1)
    tracks = (
        Session(slug="a", title="A", starts=START, ends=ends, track="one", hashtags=("Alpha",)),
        Session(slug="b", title="B", starts=START, ends=ends, track="two", hashtags=("beta",)),
    )
    assign = assigner(replace(meeting, sessions=tracks))
    assert assign(at(5), ("alpha",)) == "a"
    assert assign(at(5), ("beta", "other")) == "b"
    assert assign(at(5), ()) == "none"
    assert assign(at(5), ("alpha", "beta")) == "none"


def test_a_meeting_without_sessions_is_one(meeting: Meeting) -> None:
    whole = replace(meeting, sessions=())
    assert [s.title for s in sessions_of(whole)] == [meeting.title]
    assert assigner(whole)(at(100), ()) == "meeting"
