from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from analysis.measures.participation import intensity, participation
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Attendance, Meeting, Participant, Received

Receive = Callable[..., Received]
Windows = Callable[..., Window]

ATTENDANCE = Attendance(registered=10, room=4, remote=2, by_country={"MX": 3}, by_group={"business": 5})


def test_without_a_roster_participation_is_an_upper_bound(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0, arm="remote"), receive(1, author="luis"), receive(2, author="eva")])
    counted = replace(meeting, attendance=ATTENDANCE)
    assert participation(window(), counted) == {
        "label": "upper_bound",
        "arms": {
            "room": {"authors": 0, "of": 4, "share": 0.0},
            "remote": {"authors": 1, "of": 2, "share": 0.5},
            "public": {"authors": 2, "of": None, "share": None},
        },
        "groups": {"business": {"authors": None, "of": 5, "share": None}},
        "countries": {"MX": {"authors": None, "of": 3, "share": None}},
    }
    assert intensity(window(), counted) == 3 / 10


def test_intensity_counts_days_in_the_zone_of_the_meeting(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0)])
    night = replace(meeting, attendance=ATTENDANCE, ends=meeting.starts + timedelta(hours=14))
    assert intensity(window(), night) == 1 / 10  # already the 27th in UTC, the 26th in Mexico
    assert intensity(window(), replace(night, attendance=Attendance())) is None
    midnight = replace(night, ends=meeting.starts + timedelta(hours=15))
    assert intensity(window(), midnight) == 1 / 10


def test_with_a_roster_its_people_are_counted(
    archive: Archive, meeting: Meeting, receive: Receive, window: Windows
) -> None:
    roster = (
        Participant(
            name="Ana",
            country="MX",
            group="business",
            attendance="remote",
            accounts=("x:@BC_ana", "x:ana2"),
        ),
        Participant(name="Luis", country="FR", attendance="room", accounts=("x:bc_luis",)),
    )
    archive.write([receive(0, author="ana"), receive(1, author="ana2"), receive(2, author="stranger")])
    found = participation(window(), replace(meeting, attendance=ATTENDANCE, participants=roster))
    assert found["label"] == "roster"
    assert found["arms"]["remote"] == {"authors": 1, "of": 2, "share": 0.5}
    assert found["arms"]["room"]["authors"] == 0
    assert found["arms"]["public"]["authors"] is None
    assert found["countries"] == {"MX": {"authors": 1, "of": 3, "share": 1 / 3}}
    assert found["groups"]["business"]["share"] == 0.2
    loud = replace(ATTENDANCE, by_group={"Business": 5})
    again = participation(window(), replace(meeting, attendance=loud, participants=roster))
    assert again["groups"] == found["groups"], "the roster's groups are kept in small letters"
