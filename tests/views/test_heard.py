"""What organisers should notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from archive.store import Archive
from archive.vocabulary import Author, Meeting, Name, Received, Tagging
from tests.conftest import START
from views.heard import LOUD, TEXT, alarm, cut, heard
from views.snapshot import Clock

Receive = Callable[..., Received]
AT = START + timedelta(minutes=60)


def tag(archive: Archive, **fields: Any) -> None:
    values: dict[str, Any] = {
        "language": "en",
        "themes": (),
        "sentiment": "neutral",
        "sentiment_score": 0.9,
        "sure": True,
        "question": False,
        "tags": (),
        **fields,
    }
    archive.save_tags([(post, Tagging(**values)) for post in archive.untagged(1000)], version="test")


def test_a_rising_topic_comes_with_posts(archive: Archive, receive: Receive, meeting: Meeting) -> None:
    words = ("quiet morning", "slow start", "warm coffee", "long queue")
    archive.write([receive(n, text=f"A {words[n % 4]}", author=f"b{n % 9}") for n in range(40)])
    archive.write([receive(50 + n, text="The blackout is everywhere", author=f"a{n}") for n in range(6)])
    topics = heard(archive.conn, Clock(AT), meeting)["topics"]
    assert "blackout" in topics[0]["term"]
    assert (topics[0]["posts"], topics[0]["authors"], topics[0]["earlier"]) == (6, 6, 0)
    assert topics[0]["examples"][0] == {
        "key": f"x:9{55:018d}",
        "author": "@bc_a5",
        "source": "x",
        "at": "2012-03-26T15:55:00.000000Z",
        "text": "The blackout is everywhere",
    }
    assert heard(archive.conn, Clock(meeting.ends), meeting)["topics"] == []


def test_names_and_accounts(archive: Archive, receive: Receive, meeting: Meeting) -> None:
    zoe = Author(key="zoom:zoe", source="zoom", name="Zoe")
    archive.write([receive(1), receive(2), receive(3, author="bo")])
    archive.write([receive(4, key="zoom:3", source="zoom", author=zoe)])
    tag(archive, names=(Name("organisation", "OECD"),))
    found = heard(archive.conn, Clock(AT), meeting)
    assert found["names"] == [{"kind": "organisation", "name": "OECD", "posts": 4, "authors": 3}]
    assert found["active"] == [
        {"name": "@bc_ana", "handle": "bc_ana", "source": "x", "posts": 2},
        {"name": "@bc_bo", "handle": "bc_bo", "source": "x", "posts": 1},
        {"name": "Zoe", "handle": None, "source": "zoom", "posts": 1},
    ]
    later = heard(archive.conn, Clock(AT + timedelta(hours=2)), meeting)
    assert (later["names"], later["active"]) == ([], found["active"])
    assert heard(archive.conn, Clock(meeting.ends), meeting)["names"] == found["names"]


def test_an_empty_archive_has_nothing_to_say(archive: Archive, meeting: Meeting) -> None:
    assert heard(archive.conn, Clock(AT), meeting) == {"topics": [], "names": [], "active": []}
    assert alarm(archive.conn, Clock(AT)) is None


def test_complaints_become_loud(archive: Archive, receive: Receive) -> None:
    archive.write([receive(51 + n, text=f"The stream drops {n}") for n in range(LOUD + 5)])
    tag(archive, logistics=True)
    found = alarm(archive.conn, Clock(START + timedelta(minutes=53, seconds=30)))
    assert found is not None
    assert (found["posts"], found["minutes"], found["loud"]) == (3, 5, True)
    assert [post["text"] for post in found["newest"]] == ["The stream drops 2", "The stream drops 1"]
    quiet = alarm(archive.conn, Clock(START + timedelta(minutes=52)))
    assert quiet is not None and not quiet["loud"]
    assert alarm(archive.conn, Clock(START + timedelta(minutes=80))) is None
    fast = alarm(archive.conn, Clock(START + timedelta(minutes=80), speed=288.0))
    assert fast is not None and fast["minutes"] == 30


def test_a_long_text_is_cut_to_one_line() -> None:
    assert cut("a \n b") == "a b"
    assert len(cut("word " * 10_000)) <= TEXT
