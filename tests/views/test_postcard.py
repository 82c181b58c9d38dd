from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from archive.facets import Timeline
from archive.search import Found, hits_of
from archive.store import Archive
from archive.vocabulary import Author, Correction, Engagement, Meeting, Post, Received, Tag, Tagging
from tests.conftest import START
from views import postcard

Receive = Callable[..., Received]
KEY = f"x:9{1:018d}"


def test_a_heading_is_escaped(meeting: Meeting) -> None:
    title = '<img src="https://canary.example.org/x.png"> & more'
    assert "<img" not in postcard.heading(replace(meeting, title=title))
    days = replace(meeting, ends=meeting.ends + timedelta(days=1))
    assert "26–27 Mar 2012" in postcard.heading(days)
    assert "26 Mar–5 Apr 2012" in postcard.heading(replace(meeting, ends=meeting.ends + timedelta(days=10)))


def test_a_post_of_a_list(archive: Archive, receive: Receive, meeting: Meeting) -> None:
    archive.write([receive(1, kind="reply", reply_to="x:0")])
    card = postcard.post(hits_of(archive.conn, [KEY])[KEY], meeting)
    assert (card["author"], card["name"], card["kind"], card["source"]) == ("@bc_ana", "Ana", "replied", "X")
    assert (card["when"], card["mood"], card["tagged"], card["themes"]) == ("26 Mar 09:01", None, False, [])


@pytest.mark.parametrize(
    ("handle", "name", "shown"),
    [
        (None, "Ana", ("Ana", None)),
        ("ana", None, ("@ana", None)),
        ("did:plc:a", None, ("did:plc:a", None)),
        (None, None, ("somebody", None)),
    ],
)
def test_who_said_it(
    archive: Archive, receive: Receive, meeting: Meeting, handle: str | None, name: str | None, shown: object
) -> None:
    archive.write([receive(1, author=Author(key="x:ana", source="x", handle=handle, name=name))])
    card = postcard.post(hits_of(archive.conn, [KEY])[KEY], meeting)
    assert (card["author"], card["name"]) == shown


def test_an_opened_post(archive: Archive, make_post: Callable[..., Post], meeting: Meeting) -> None:
    post = make_post(1, url="https://example.org/1", engagement=Engagement(likes=3))
    edited = replace(post, text="changed", edited_at=START + timedelta(minutes=5), url="javascript:alert(1)")
    archive.write([Received(post, None, START)])
    whole = postcard.opened(archive.conn, KEY, meeting)
    assert (whole["url"], whole["place"]) == ("https://example.org/1", "Opening")
    assert whole["engagement"][0]["likes"] == 3
    assert (whole["versions"], whole["why"], whole["history"], whole["failure"]) == ([], [], [], None)
    archive.write([Received(edited, None, START + timedelta(minutes=6))])
    whole = postcard.opened(archive.conn, KEY, meeting)
    assert whole["url"] is None
    assert whole["versions"] == [
        {"when": "26 Mar 2012 09:01:00, until 26 Mar 2012 09:05:00", "text": "Post number 1 #sample2012"}
    ]
    assert "gone" in postcard.opened(archive.conn, "x:nothing", meeting)


def tagging(**fields: Any) -> Tagging:
    values: dict[str, Any] = {
        "language": "en",
        "themes": (("open-data", 0.7),),
        "sentiment": "positive",
        "sentiment_score": 0.8,
        "sure": True,
        "question": True,
        "tags": (),
        **fields,
    }
    return Tagging(**values)


def test_an_opened_post_has_its_reasons_and_what_a_correction_begins_with(
    archive: Archive, receive: Receive, meeting: Meeting
) -> None:
    archive.write([receive(n, author=f"a{n}", text="Is open data a right?") for n in (1, 2)])
    evidence = {"spans": [{"start": 3, "end": 12, "text": "open data"}]}
    tags = (Tag(component="theme", label="open-data", score=0.7, evidence=evidence, version="theme 1"),)
    waiting = archive.untagged(9, newest_first=False)
    archive.save_tags([(waiting[0], tagging(tags=tags)), (waiting[1], tagging(sure=False))], version="1")
    archive.save_groups({1: 1, 2: 1})
    whole = postcard.opened(archive.conn, KEY, meeting)
    assert whole["segments"] == [["Is ", False], ["open data", "open-data"], [" a right?", False]]
    assert whole["why"][0]["labels"] == [["open-data", "Open data to open governments"]]
    assert (whole["asked"], whole["to_chair"], whole["logistics"]) == ("asked by 2", True, False)
    assert [one["author"] for one in whole["alike"]] == ["@bc_a2"]
    assert whole["values"] == {"sentiment": "positive", "question": "yes", "language": "en"}
    unsure = postcard.opened(archive.conn, f"x:9{2:018d}", meeting)
    assert unsure["values"]["sentiment"] is None
    archive.correct(KEY, Correction(by="Ana", themes=("agility",), note="it is not"))
    corrected = postcard.opened(archive.conn, KEY, meeting)
    assert (corrected["themes"], corrected["history"][0]["note"]) == (["agility"], "it is not")
    assert [(one["person"], one["outvoted"]) for one in corrected["why"]] == [("Ana", False), (None, True)]


def test_how_many_ask_the_same() -> None:
    assert postcard.asked(None) is None
    assert postcard.asked({"authors": 4, "languages": 3}) == "asked by 4 in 3 languages"


def test_a_correction_chooses_among_what_the_meeting_has(meeting: Meeting) -> None:
    assert postcard.correcting(meeting) == {
        "themes": ["open-data", "agility", "defragment"],
        "languages": [
            ["en", "English"],
            ["es", "Spanish"],
            ["fr", "French"],
            ["unknown", "none of these"],
        ],
    }


def test_facets_keep_the_order_of_the_agenda(meeting: Meeting) -> None:
    facets = {
        "theme": [("none", 9), ("agility", 5), ("open-data", 3)],
        "sentiment": [("negative", 4), ("positive", 1)],
        "logistics": [("0", 8), ("unknown", 1), ("1", 1)],
        "kind": [("repost", 3), ("original", 1), ("unknown", 1)],
        "language": [("es-MX", 3), ("und", 2), ("qq", 1)],
        "source": [("x", 5)],
        "session": [("after", 3), ("s2", 2), ("s1", 1), ("elsewhere", 1)],
    }
    drawn = {
        facet["name"]: facet
        for facet in postcard.facets(Found(9, (), facets, None, None), {"kind": "reply"}, meeting)
    }
    labels = {name: [value["label"] for value in facet["values"]] for name, facet in drawn.items()}
    assert labels["theme"] == ["Open data to open governments", "Improve agility", "no theme"]
    assert labels["sentiment"] == ["positive", "negative"]
    assert labels["logistics"] == ["stream, sound, room", "everything else", "not tagged yet"]
    assert labels["kind"] == ["original", "reply", "repost", "not known"]
    assert labels["language"] == ["Spanish", "undetermined", "qq"]
    assert labels["source"] == []
    assert labels["session"] == ["Opening", "Open data", "after the meeting", "elsewhere"]
    assert drawn["kind"]["chosen"] == "reply"


def test_a_timeline_stands_on_the_meetings_clock(meeting: Meeting) -> None:
    line = postcard.timeline(Timeline(int(START.timestamp()), 3600, (1, 0, 2, 3)), meeting)
    assert line is not None
    assert line["edges"] == [f"2012-03-26T{hour:02}:00" for hour in range(9, 14)]
    assert line["every"] == "1 hour"
    assert [(slot["title"], slot["left"], slot["width"], slot["pause"]) for slot in line["slots"][0]] == [
        ("Opening", 0.0, 37.5, False),
        ("Coffee", 37.5, 12.5, True),
        ("Open data", 50.0, 50.0, False),
    ]
    far = postcard.timeline(Timeline(int(START.timestamp()), 86_400, (1,) * 40), meeting)
    assert far is not None
    assert (far["slots"], far["every"]) == ([], "1 day")
    assert postcard.timeline(None, meeting) is None


def test_times_of_the_address_in_their_fields(meeting: Meeting) -> None:
    assert postcard.local_text(None, meeting) is None
    assert postcard.local_text("nonsense", meeting) is None
    assert postcard.local_text("2012-03-26T15:00Z", meeting) == "2012-03-26T09:00"
    assert postcard.local_text("2012-03-26", meeting) == "2012-03-26T00:00"


def test_colours_for_light_and_dark(meeting: Meeting) -> None:
    themes = postcard.themes(meeting)
    assert list(themes) == ["open-data", "agility", "defragment", "none", "untagged"]
    assert all(len(theme["colours"]) == 2 for theme in themes.values())
