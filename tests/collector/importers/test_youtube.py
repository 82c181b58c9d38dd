"""YouTube live chats in three forms: the golden pairs, and the real archive against its facts."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import UsageError
from archive.vocabulary import Meeting, Received, Unmapped
from collector.importers import youtube
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made, posts

DAY = date(2026, 3, 16)


@pytest.fixture
def stream_meeting() -> Meeting:
    start = datetime(2026, 3, 16, 15, tzinfo=UTC)
    return Meeting(
        slug="stream",
        title="A stream",
        hashtags=("stream",),
        starts=start,
        ends=start + timedelta(hours=5),
        timezone="America/Mexico_City",
    )


@pytest.mark.parametrize("case", cases("youtube"))
def test_golden(case: str, stream_meeting: Meeting) -> None:
    assert made(youtube, case, Context(stream_meeting, case, date=DAY)) == expected("youtube", case)


@pytest.mark.parametrize("case", cases("youtube"))
def test_sniff(case: str) -> None:
    assert youtube.sniff(head_of((TESTDATA / "youtube" / case).read_bytes()))


@pytest.mark.parametrize("text", [b'[{"message": "Hi", "author": "Ana"}]', b"id,text\n1,Hi\n", b"[1] Hi"])
def test_other_files_are_not_youtube(text: bytes) -> None:
    assert not youtube.sniff(head_of(text))


def test_text_needs_a_day_on_which_something_begins(stream_meeting: Meeting) -> None:
    text = b"[0:10] Ana: Hello\n"
    with pytest.raises(UsageError, match="--date"):
        list(youtube.read(io.BytesIO(text), Context(stream_meeting, "chat.txt")))
    with pytest.raises(UsageError, match="neither the meeting nor a session begins"):
        list(youtube.read(io.BytesIO(text), Context(stream_meeting, "chat.txt", date=date(2020, 1, 1))))


def test_damaged_lines_of_text(stream_meeting: Meeting) -> None:
    text = b"[0:10] Ana: Hello\n" + b"x" * 9_000_000 + b"\n[0:11]  : nobody\n"
    items = list(youtube.read(io.BytesIO(text), Context(stream_meeting, "chat.txt", date=DAY)))
    assert Counter(type(item) for item in items) == {Received: 1, Unmapped: 2}


@pytest.mark.real_data
def test_real_archive_equals_its_facts(test_data: Path, stream_meeting: Meeting) -> None:
    folder = test_data / "archives" / "youtube_nasa2020"
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    found = {}
    for name in ("chat.json", "chat.csv"):
        with (folder / name).open("rb") as stream:
            found[name] = posts(youtube.read(stream, Context(stream_meeting, name)))
    as_json, as_csv = found.values()
    assert as_json == as_csv
    assert len({post.key for post in as_json}) == len(as_json) == facts["messages"]
    assert len({post.author.key for post in as_json}) == facts["unique_authors"]
    assert Counter(f"{post.created_at:%Y-%m-%dT%H:%M}" for post in as_json) == facts["per_minute"]
    assert min(post.created_at for post in as_json).isoformat() == facts["first"]


@pytest.mark.real_data
def test_real_text_gives_as_many_messages(test_data: Path, stream_meeting: Meeting) -> None:
    with (test_data / "archives" / "youtube_nasa2020" / "chat.txt").open("rb") as stream:
        found = posts(youtube.read(stream, Context(stream_meeting, "chat.txt", date=DAY)))
    assert len(found) == 3358
    assert all(post.flags == ("clock",) for post in found)
