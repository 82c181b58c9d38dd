"""The lists of names: the meeting file's own, and the world's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis import name_lists
from analysis.name_lists import everywhere, folded, key, lists, of_meeting
from analysis.sentiment_model import ModelError
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
    assert all(len(code) == 2 and names for code, names in lists().countries.items())
    phrases = [key(phrase) for one in everywhere() for phrase in {key(p) for p in one.phrases}]
    twice = {phrase for phrase in phrases if phrases.count(phrase) > 1}
    assert twice <= {"guinea", "congo"}, "a name of two countries is told apart nowhere"


def test_words_by_which_names_are_told() -> None:
    assert {"ministerio", "university"} <= folded("heads", "organisation")
    assert "ley" in folded("heads") - folded("heads", "organisation")
    assert "lunes" in folded("never")


def damaged(**changes: Any) -> str:
    return json.dumps(json.loads(name_lists.LISTS.read_text(encoding="utf-8")) | changes)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        "[]",
        damaged(countries=None),
        damaged(countries={"MX": []}),
        damaged(organisations=["OECD"]),
        damaged(heads={"organisation": "agency", "document": "act"}),
        damaged(never={"days": "monday"}),
    ],
)
def test_a_file_of_names_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meeting: Meeting, content: str | None
) -> None:
    names = tmp_path / "names.json"
    if content is not None:
        names.write_text(content, encoding="utf-8")
    monkeypatch.setattr(name_lists, "LISTS", names)
    with pytest.raises(ModelError, match=r"names\.json: the names .*; install Backchannel again"):
        of_meeting(meeting)
