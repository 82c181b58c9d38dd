"""The lists of names: the meeting file's own, and the world's."""

from __future__ import annotations

from dataclasses import replace

from analysis.name_lists import everywhere, folded, key, lists, of_meeting
from archive.vocabulary import Attendance, Meeting, Participant, Session, Theme


def test_spellings_of_one_name() -> None:
    assert len({key(name) for name in ("Open Science", "OpenScience", "open-science", "Ópen_Science")}) == 1
    assert key("🐙") == "🐙"


def test_the_lists_of_a_meeting(meeting: Meeting) -> None:
    session = Session(
        slug="a",
        title="One door: services without ministries",
        starts=meeting.starts,
        ends=meeting.ends,
        speakers=("Ana Pérez (OECD)", "Luis Gil, University of Nowhere", " ", "TBA"),
    )
    rest = replace(session, slug="b", title="A long coffee break", kind="break", speakers=())
    own = replace(
        meeting,
        sessions=(session, rest, replace(session, slug="c", title="Opening", speakers=("Luis Gil",))),
        themes=(Theme(slug="t", title="Open data"),),
        attendance=Attendance(by_country={"MX": 3, "QQ": 1}),
        participants=(Participant(name="Never Named", country="KR", accounts=("x:@never",)),),
    )
    known = of_meeting(own)
    assert known[0].phrases == ("Ana Pérez", "Pérez")
    assert known[1].phrases == ("Luis Gil",)
    assert [(one.kind, one.name) for one in known] == [
        ("person", "Ana Pérez"),
        ("person", "Luis Gil"),
        ("place", "South Korea"),
        ("place", "Mexico"),
        ("document", "One door: services without ministries"),
    ]


def test_a_surname_of_two_speakers_is_nobodys(meeting: Meeting) -> None:
    session = replace(
        meeting.sessions[0], speakers=("Ana Quintanilla Rea", "Eva Quintanilla", "Luis Echeverría Lugo")
    )
    people = of_meeting(replace(meeting, sessions=(session,), themes=()))
    assert [one.phrases[1:] for one in people] == [(), (), ("Echeverría",)]


def test_the_file_of_names_is_in_order() -> None:
    assert all(len(code) == 2 and names for code, names in lists()["countries"].items())
    phrases = [key(phrase) for one in everywhere() for phrase in {key(p) for p in one.phrases}]
    twice = {phrase for phrase in phrases if phrases.count(phrase) > 1}
    assert twice <= {"guinea", "congo"}, "a name of two countries is told apart nowhere"
    assert {"organisation", "document", "place"} == set(lists()["heads"])


def test_words_by_which_names_are_told() -> None:
    assert {"ministerio", "university"} <= folded("heads", "organisation")
    assert "ley" in folded("heads") - folded("heads", "organisation")
    assert "lunes" in folded("never")
