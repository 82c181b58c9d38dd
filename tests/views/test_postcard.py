from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from archive.evidence import StoredTag, TaggedPost
from archive.facets import Timeline
from archive.search import Found, hits_of
from archive.store import Archive
from archive.vocabulary import Author, Engagement, Meeting, Post, Received
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
    assert (whole["versions"], whole["evidence"], whole["failure"]) == ([], [], None)
    archive.write([Received(edited, None, START + timedelta(minutes=6))])
    whole = postcard.opened(archive.conn, KEY, meeting)
    assert whole["url"] is None
    assert whole["versions"] == [
        {"when": "26 Mar 2012 09:01:00, until 26 Mar 2012 09:05:00", "text": "Post number 1 #sample2012"}
    ]
    assert "gone" in postcard.opened(archive.conn, "x:nothing", meeting)


def tag(**fields: object) -> StoredTag:
    values: dict[str, object] = {
        "component": "theme",
        "label": "open-data",
        "score": 0.5,
        "evidence": None,
        "version": "3",
        "set_by": None,
        "seen_at": "2012-03-26T15:00:00.000000Z",
        "superseded_at": None,
        **fields,
    }
    return StoredTag(**values)  # type: ignore[arg-type]


def test_why_a_post_has_its_tags(meeting: Meeting) -> None:
    tags = (
        tag(superseded_at="2012-03-26T16:00:00.000000Z"),
        tag(evidence={"spans": [{"text": "Open data"}]}),
        tag(component="sentiment", label="positive", set_by="Ana", score=None, evidence={"sure": False}),
    )
    tagged = TaggedPost(
        key=KEY,
        text="",
        kind=None,
        language=None,
        sure=None,
        tagged_at=None,
        tagged_by=None,
        failure="it was too long",
        tags=tags,
    )
    found = postcard.evidence(tagged, meeting)
    assert [(one["label"], one["words"], one["by"]) for one in found["evidence"]] == [
        ("positive", [], "corrected by Ana · 26 Mar 2012 09:00:00"),
        ("Open data to open governments", ["Open data"], "3 · 26 Mar 2012 09:00:00"),
    ]
    assert [one["note"] for one in found["evidence"]] == ["too close to call: counted as not sure", None]
    assert found["earlier"] == ["theme Open data to open governments until 26 Mar 2012 10:00:00 (3)"]
    assert found["failure"] == "Tagging it failed: it was too long"
    assert postcard.evidence(None, meeting) == {"evidence": [], "earlier": [], "failure": None}


def test_every_form_of_evidence_gives_its_words() -> None:
    assert postcard.fired(None) == ()
    assert postcard.fired({"words": [["good", 0.3], ["good", 0.1], ["fine", 0.2]]}) == ("good", "fine")
    assert postcard.fired({"fired": [{"rule": "question mark", "text": "?"}]}) == ("?",)


def test_facets_keep_the_order_of_the_agenda(meeting: Meeting) -> None:
    facets = {
        "theme": [("none", 9), ("agility", 5), ("open-data", 3)],
        "sentiment": [("negative", 4), ("positive", 1)],
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
