"""Filters against the posts that they should leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive.filters import Filters
from archive.store import Archive
from archive.vocabulary import Author, Meeting, Participant, Received, Tagging
from tests.conftest import START


@pytest.fixture
def filled(tmp_path: Path, meeting: Meeting, receive: Callable[..., Received]) -> Archive:
    people = (
        Participant(name="Ana", group="academia", accounts=("x:@BC_Ana",)),
        Participant(name="Luis", group="business", accounts=("x:luis",)),
    )
    archive = Archive.open(tmp_path / "filters.db", replace(meeting, participants=people))
    luis = Author(key="x:luis", source="x", handle="bc_luis")
    archive.write(
        [
            receive(1, language="en"),
            receive(2, author=luis, kind="reply", arm="room", language="es"),
            receive(100, source="bluesky", language="en"),
            receive(200, kind="repost", language="fr"),
        ]
    )
    first, second, third = archive.untagged(3, newest_first=False)
    plain = {"sentiment": None, "sentiment_score": None, "sure": None, "question": False, "tags": ()}
    archive.save_tags(
        [
            (first, Tagging(language="en", themes=(("open-data", 0.9),), **plain)),  # type: ignore[arg-type]
            (second, Tagging(language="it", themes=(), **plain)),  # type: ignore[arg-type]
            (third, Tagging(language=None, themes=(("agility", 0.5),), **plain)),  # type: ignore[arg-type]
        ],
        version="1",
    )
    return archive


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (Filters(), [1, 2, 100, 200]),
        (Filters(from_=START + timedelta(minutes=2)), [2, 100, 200]),
        (Filters(from_=START, to=START + timedelta(minutes=2)), [1]),
        (Filters(session="coffee"), [100]),
        (Filters(track="main"), [1, 2, 100, 200]),
        (Filters(track="other"), []),
        (Filters(theme="open-data"), [1]),
        (Filters(theme="none"), [2]),
        (Filters(theme="untagged"), [200]),
        (Filters(source="bluesky"), [100]),
        (Filters(arm="room"), [2]),
        (Filters(group="academia"), [1, 100, 200]),
        (Filters(group="business"), [2]),
        (Filters(group="government"), []),
        (Filters(language="en"), [1, 100]),
        (Filters(language="it"), [2]),
        (Filters(language="fr"), [200]),
        (Filters(kind="repost"), [200]),
        (Filters(kind="original", source="x"), [1]),
        (Filters(theme="x' OR 1 --"), []),
    ],
)
def test_each_filter(filled: Archive, filters: Filters, numbers: list[int]) -> None:
    where, params = filters.where("post")
    rows = filled.conn.execute(
        f"SELECT platform_id FROM posts post WHERE {where or '1'} ORDER BY created_at", params
    )
    assert [int(row[0]) - 9 * 10**18 for row in rows] == numbers
    filled.close()
