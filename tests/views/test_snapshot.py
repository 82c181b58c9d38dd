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
from archive.vocabulary import Correction, Deleted, Meeting, Received, Span, Tagging
from views.snapshot import (
    MANY,
    REASON,
    SHOWN,
    TEXT,
    Snapshot,
    about,
    age,
    difference,
    feed,
    gap_words,
    gaps_of,
    take,
    trouble,
)


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


NO_OUTAGES = {"total": 0, "pending": 0, "refilled": 0, "unknown": 0, "missing": 0, "newest": []}


def health(state: str, reason: str | None = None, age_s: float | None = 3.4, **fields: Any) -> dict[str, Any]:
    """A source as ``live.feed_health`` gives it."""
    return {
        "name": "main",
        "source": "x",
        "state": state,
        "since": "2012-03-26T15:00:00Z",
        "until": None,
        "reason": reason,
        "last_post": None,
        "lag_s": None,
        "last_heard": None,
        "age_s": age_s,
        "outages": NO_OUTAGES,
        **fields,
    }


@pytest.mark.parametrize(
    ("given", "over", "expected"),
    [
        (health("listening"), False, ("listening", "")),
        (
            health("listening", "900 of at most 1,000 posts read"),
            False,
            ("listening", "900 of at most 1,000 posts read"),
        ),
        (health("deaf", "no answer", 90.0), False, ("deaf", "no answer")),
        (health("deaf", "no answer", 9e9), True, ("ended", "")),
        (health("deaf", "no answer", 90.0), True, ("deaf", "no answer")),
        (health("imported", None, 9e9), False, ("imported", "")),
        (health("waiting", "too many requests", None), False, ("waiting", "too many requests")),
        (health("stopped", "stopped"), False, ("stopped", "")),
        (health("stopped", "401: the token is refused"), False, ("stopped", "401: the token is refused")),
        (health("stopped", "not started yet", None, since=None), False, ("unstarted", "")),
        (health("catching_up"), False, ("catching_up", "looking for earlier posts")),
        (
            health("catching_up", "900 of 1,000", outages={**NO_OUTAGES, "total": 3, "pending": 2}),
            False,
            ("catching_up", "refilling 2 gaps · 900 of 1,000"),
        ),
    ],
)
def test_the_health_of_a_source(given: dict[str, Any], over: bool, expected: tuple[str, str]) -> None:
    said = feed(given, over=over)
    assert (said["state"], said["note"]) == expected


def test_the_times_of_a_source_are_left_to_the_viewer() -> None:
    times = {
        "until": "2012-03-26T15:05:30Z",
        "last_post": "2012-03-26T14:59:00Z",
        "last_heard": "2012-03-26T15:00:00Z",
    }
    said = feed(health("waiting", "w" * 5000, lag_s=2.5, **times))
    assert (said["since"], said["until"]) == ("2012-03-26T15:00:00Z", times["until"])
    assert (said["post"], said["heard"], said["lag"]) == (times["last_post"], times["last_heard"], 2.5)
    assert len(said["note"]) == REASON and said["note"].endswith("…")


@pytest.mark.parametrize(
    ("total", "pending", "refilled", "unknown", "missing", "catching_up", "expected"),
    [
        (0, 0, 0, 0, 0, False, (False, "", "")),
        (1, 0, 1, 0, 0, False, (False, "1 gap refilled", "")),
        (2500, 0, 2500, 0, 0, False, (False, "2,500 gaps refilled", "")),
        (3, 0, 1, 0, 14, False, (True, "2 gaps", "about 14 posts missing")),
        (1, 0, 0, 0, 1, False, (True, "1 gap", "about 1 post missing")),
        (1, 0, 0, 0, 0, False, (True, "1 gap", "nothing thought missing")),
        (1, 1, 0, 0, 0, False, (True, "1 gap", "unknown number missing")),
        (2, 0, 0, 1, 14, False, (True, "2 gaps", "14 posts or more missing")),
        (2, 2, 0, 0, 0, True, (False, "", "")),
        (3, 2, 0, 0, 14, True, (True, "1 other gap", "about 14 posts missing")),
        (3, 2, 1, 0, 0, True, (False, "1 gap refilled", "")),
    ],
)
def test_gaps_in_words(
    total: int,
    pending: int,
    refilled: int,
    unknown: int,
    missing: int,
    catching_up: bool,
    expected: tuple[bool, str, str],
) -> None:
    outages = {
        "total": total,
        "pending": pending,
        "refilled": refilled,
        "unknown": unknown,
        "missing": missing,
    }
    said = gap_words(outages, catching_up=catching_up)
    assert (said["bad"], said["said"], said["missing"]) == expected
    assert said["total"] == total


@pytest.mark.parametrize(
    ("state", "fields", "fate", "bad"),
    [
        ("listening", {"refilled": ["search"], "missing": 0}, "refilled by search", False),
        (
            "listening",
            {"refilled": ["search; reposts are lost"], "missing": 4},
            "refilled by search · reposts are lost · about 4 posts missing",
            True,
        ),
        (
            "listening",
            {"refilled": ["nothing; it cannot be asked"]},
            "not refilled · it cannot be asked · an unknown number of posts is missing",
            True,
        ),
        (
            "listening",
            {"refilled": ["search", "a replay"], "missing": 0},
            "refilled by search and a replay",
            False,
        ),
        ("listening", {"pending": True}, "not refilled yet", True),
        ("catching_up", {"pending": True}, "being refilled", False),
        ("deaf", {"pending": True, "to": None}, "", True),
    ],
)
def test_what_became_of_a_gap(state: str, fields: dict[str, Any], fate: str, bad: bool) -> None:
    gap = {
        "from": "f",
        "to": "t",
        "causes": ["cut"],
        "refilled": [],
        "pending": False,
        "missing": None,
        **fields,
    }
    (said,) = gaps_of(health(state, outages={**NO_OUTAGES, "newest": [gap]}))
    assert said == {"from": "f", "to": gap["to"], "cause": "cut", "fate": fate, "bad": bad}


@pytest.mark.parametrize(
    ("causes", "said"),
    [([], "cause not recorded"), (["a", "b"], "a; b"), (["a", "b", "c", "d", "e"], "a; b; c; and more")],
)
def test_the_causes_of_a_gap(causes: list[str], said: str) -> None:
    gap = {"from": "f", "to": "t", "causes": causes, "refilled": [], "pending": True, "missing": None}
    assert gaps_of(health("deaf", outages={**NO_OUTAGES, "newest": [gap]}))[0]["cause"] == said


def listening(archive: Archive, *gaps: int, name: str = "main") -> None:
    """Listens from the start of the meeting on, but for a minute in each of the given ones."""
    start, spans, since = archive.meeting.starts, [], archive.meeting.starts
    for minute in gaps:
        cut = start + timedelta(minutes=minute)
        spans.append(Span(name=name, source="x", state="listening", started_at=since, ended_at=cut))
        since = cut + timedelta(minutes=1)
        spans.append(Span(name=name, source="x", state="deaf", started_at=cut, ended_at=since, cause="cut"))
    archive.write([*spans, Span(name=name, source="x", state="listening", started_at=since)])


def test_quiet_and_deaf_are_not_the_same(archive: Archive, receive: Callable[..., Received]) -> None:
    listening(archive)
    archive.write([receive(1)])
    archive.heard("main", "x", archive.meeting.starts + timedelta(minutes=60))
    (quiet,) = taken(archive)["feeds"]
    assert (quiet["state"], quiet["post"]) == ("listening", "2012-03-26T15:01:00Z")
    (deaf,) = taken(archive, 70)["feeds"]
    assert (deaf["state"], deaf["since"]) == ("deaf", "2012-03-26T16:00:00Z")
    assert deaf["note"] == "nothing heard since, not even a sign of life"


def test_a_ledger_of_thousands_of_gaps_stays_small_on_the_wire(archive: Archive) -> None:
    listening(archive, *range(2, 1000, 2))
    snapshot = taken(archive, 1001)
    assert snapshot["feeds"][0]["gaps"] == {
        "total": 499,
        "bad": True,
        "said": "499 gaps",
        "missing": "unknown number missing",
    }
    assert len(snapshot["gaps"]["main"]) == 20
    assert len(json.dumps(snapshot["gaps"])) < 3000


def test_gaps_are_sent_again_only_where_there_are_others(archive: Archive) -> None:
    listening(archive, 5)
    listening(archive, name="other")
    before = taken(archive, 9)
    archive.heard("main", "x", archive.meeting.starts + timedelta(minutes=9.1))
    after = taken(archive, 9.2)
    assert set(difference(before, after)) == {"feeds", "now"}
    listening(archive, 5, 9)
    assert set(difference(after, taken(archive, 10))["gaps"]) == {"main"}


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


def test_marks_of_posts_are_sent_where_there_are_any(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(n, author=f"a{n}") for n in (57, 58, 59)])
    tag(archive)
    archive.save_groups({1: 1, 2: 1, 3: 3})
    archive.write([receive(60, text="No sound")])
    tag(archive, logistics=True)
    complaint, newest, *others = taken(archive, minutes=61)["posts"]
    assert (complaint["logistics"], "to_chair" in complaint) == (True, False)
    assert (newest["to_chair"], "logistics" in newest, "asked" in newest) == (True, False, False)
    assert [post["asked"] for post in others] == ["asked by 2", "asked by 2"]
    assert newest["key"] == f"x:9{59:018d}"


def test_complaints_are_told_while_the_meeting_runs(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(57, text="No  sound\nagain")])
    before = taken(archive)
    tag(archive, logistics=True, sentiment="negative")
    after = taken(archive)
    assert (before["alarm"], after["alarm"]["posts"]) == (None, 1)
    assert after["alarm"]["newest"][0]["text"] == "No sound again"
    assert difference(before, after)["alarm"] == after["alarm"]
    assert taken(archive, minutes=300)["alarm"] is None


def test_what_was_heard_is_passed_on(archive: Archive) -> None:
    conn = open_readonly(archive.path)
    heard = {"topics": [], "names": [], "active": []}
    assert difference(take(conn), take(conn, heard=heard))["heard"] == heard
    conn.close()


def test_learning_is_said_where_tagging_is(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    tag(archive)
    assert taken(archive)["tagger"] is None
    archive.correct(f"x:9{1:018d}", Correction(by="Ana", themes=()))
    assert taken(archive)["tagger"] == {
        "state": "listening",
        "note": "1 correction given, not learned from yet",
    }
    archive.chosen_by("other themes")
    assert taken(archive)["tagger"]["state"] == "catching_up"
