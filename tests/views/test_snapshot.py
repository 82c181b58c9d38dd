"""What the Live page is told, and what of it is sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from archive.errors import DamagedArchive, NewerArchive, NotAnArchive
from archive.playback import Playback, write_playback
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Deleted, Meeting, Received, Tagging
from views.snapshot import MANY, SHOWN, TEXT, Snapshot, about, age, difference, feed, take, trouble


def taken(archive: Archive, minutes: float = 60) -> Snapshot:
    """The snapshot so many minutes into the meeting."""
    conn = open_readonly(archive.path)
    try:
        return take(conn, archive.meeting.starts + timedelta(minutes=minutes))
    finally:
        conn.close()


def tag(archive: Archive, **fields: Any) -> None:
    values: dict[str, Any] = {
        "language": "en",
        "themes": (("agility", 0.9),),
        "sentiment": "positive",
        "sentiment_score": 0.9,
        "sure": True,
        "question": True,
        "tags": (),
        **fields,
    }
    archive.save_tags([(post, Tagging(**values)) for post in archive.untagged(1000)], version="test")


def figure(snapshot: Snapshot, key: str) -> dict[str, Any]:
    return next(one for one in snapshot["figures"] if one["key"] == key)


def test_an_empty_archive_says_what_will_come(archive: Archive) -> None:
    snapshot = taken(archive)
    assert [one["value"] for one in snapshot["figures"][:4]] == [0, 0, 0, None]
    assert figure(snapshot, "mood")["sub"] == "no tags yet"
    assert "#sample2012 will appear here" in snapshot["empty"]
    assert "Import an archive" in taken(archive, minutes=500)["empty"]


@pytest.mark.parametrize(
    ("minutes", "phase"), [(-1, "before"), (0, "during"), (239, "during"), (240, "after")]
)
def test_the_phase_follows_the_clock(archive: Archive, minutes: int, phase: str) -> None:
    assert taken(archive, minutes)["now"]["phase"] == phase


def test_the_key_figures(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(n, language="en" if n else "es", author=f"a{n % 3}") for n in range(56, 59)])
    tag(archive)
    snapshot = taken(archive)
    assert figure(snapshot, "posts") == {
        "key": "posts",
        "label": "Posts",
        "value": 3,
        "sub": "+3 in the last 5 min",
    }
    assert figure(snapshot, "authors")["sub"] == "3 new in this session"
    assert figure(snapshot, "languages")["sub"] == "en 100%"
    assert figure(snapshot, "questions")["value"] == 3
    assert figure(snapshot, "questions")["since"] == "2012-03-26T15:56:00Z"
    assert figure(snapshot, "mood")["positive"] == 1.0
    assert figure(snapshot, "mood")["sub"] == "of 3; 0% neutral, 0% not sure"


def test_final_figures_say_nothing_of_the_last_minutes(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(1)])
    tag(archive)
    snapshot = taken(archive, minutes=1000)
    assert figure(snapshot, "posts")["sub"] == "in all"
    assert figure(snapshot, "questions")["sub"] == "were asked"


def test_a_long_post_is_cut_and_an_event_stays_small(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(1, text="x" * 5000)])
    (post,) = taken(archive)["posts"]
    assert len(post["text"]) == TEXT
    assert len(json.dumps(post)) < 1024


def test_a_stopped_tagger_is_named_with_its_queue(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(n) for n in range(5)])
    assert taken(archive)["tagger"] == {"state": "deaf", "note": "stopped · 5 posts waiting, oldest 60 min"}
    assert taken(archive, minutes=9e3)["tagger"] == {
        "state": "waiting",
        "note": "5 posts to go: run backchannel tag",
    }
    assert taken(archive, minutes=0.5)["tagger"] == {"state": "catching_up", "note": "5 posts to go"}
    tag(archive)
    assert taken(archive)["tagger"] is None


def test_posts_that_are_just_being_tagged_are_not_worth_a_word(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(0)])
    assert taken(archive, minutes=0.05)["tagger"] is None
    start = archive.meeting.starts
    state = Playback(start, archive.meeting.ends, start + timedelta(minutes=10), 288.0, False, start)
    with archive.transaction() as conn:
        write_playback(conn, state)
    assert taken(archive, minutes=0)["tagger"] is None  # ten minutes of the replay, two seconds of real time
    archive.write([receive(0, key=f"x:{n}") for n in range(MANY)])
    assert taken(archive, minutes=0)["tagger"] == {"state": "catching_up", "note": "501 posts to go"}


@pytest.mark.parametrize(
    ("health", "over", "expected"),
    [
        (("listening", None, 3.4), False, ("listening", "", 3)),
        (("deaf", "no answer", 90.0), False, ("deaf", "no answer", 90)),
        (("deaf", "no answer", 9e9), True, ("ended", "", None)),
        (("imported", None, 9e9), False, ("imported", "", None)),
        (("waiting", "rate limit", None), False, ("waiting", "rate limit", None)),
    ],
)
def test_the_health_of_a_source(health: Any, over: bool, expected: Any) -> None:
    state, reason, seconds = health
    said = feed({"name": "x", "state": state, "reason": reason, "age_s": seconds}, over=over)
    assert (said["state"], said["note"], said["age"]) == expected


def test_nothing_new_is_not_sent(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    assert difference(taken(archive, 60), taken(archive, 60.01)) == {}


def test_only_what_changed_is_sent(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1), receive(2)])
    before = taken(archive)
    archive.write([receive(3)])
    after = taken(archive)
    update = difference(before, after)
    assert [post["id"] for post in update["posts"]] == [3]
    assert [figure["key"] for figure in update["figures"]] == ["posts"]
    assert "meeting" not in update and "gone" not in update
    tag(archive)
    assert len(difference(after, taken(archive))["posts"]) == 3


def test_a_deleted_post_is_taken_back(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1), receive(2)])
    before = taken(archive)
    archive.write([Deleted("x:9000000000000000002", "x")])
    assert difference(before, taken(archive))["gone"] == [2]


def test_a_post_that_newer_ones_push_out_is_not_mentioned(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(n) for n in range(SHOWN)])
    before = taken(archive)
    archive.write([receive(SHOWN)])
    update = difference(before, taken(archive))
    assert [post["id"] for post in update["posts"]] == [SHOWN + 1]
    assert "gone" not in update


def test_another_meeting_is_sent_whole(archive: Archive) -> None:
    snapshot = taken(archive)
    assert difference(trouble(NotAnArchive("none")), snapshot) == snapshot
    assert difference(snapshot, trouble(DamagedArchive("bad"))) == trouble(DamagedArchive("bad"))


@pytest.mark.parametrize(
    ("error", "heading"),
    [
        (NewerArchive("n"), "This archive needs a newer Backchannel"),
        (NotAnArchive("n"), "There is no archive to show"),
        (DamagedArchive("n"), "This archive cannot be read"),
    ],
)
def test_trouble_is_named(error: Any, heading: str) -> None:
    assert trouble(error) == {"trouble": {"heading": heading, "text": "n"}}


def test_the_meeting_in_short(meeting: Meeting) -> None:
    said = about(meeting)
    assert said["days"] == 1
    assert said["themes"][0]["colours"] == ["#0072B2", "#4DA3E0"]
    assert [session["title"] for session in said["sessions"]] == ["Opening", "Coffee", "Open data"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (89, "89 s"), (120, "2 min"), (7200, "2 h"), (260_000, "3 days")]
)
def test_ages_in_words(seconds: float, words: str) -> None:
    assert age(seconds) == words
