"""Filters against the posts that they should leave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive.filters import Filters, languages
from archive.store import Archive
from archive.vocabulary import Author, Correction, Meeting, Participant, Received, Tagging
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
        (Filters(language="en"), [1]),
        (Filters(language="it"), [2]),
        (Filters(language="es"), []),  # so says its source; we found it to be Italian
        (Filters(language="fr"), [200]),
        (Filters(language="unknown"), [100]),
        (Filters(kind="repost"), [200]),
        (Filters(kind="original", source="x"), [1]),
        (Filters(theme="x' OR 1 --"), []),
    ],
)
def test_each_filter(filled: Archive, filters: Filters, numbers: list[int]) -> None:
    assert left(filled, filters) == numbers
    filled.close()


def left(archive: Archive, filters: Filters) -> list[int]:
    where, params = filters.where("post")
    rows = archive.conn.execute(
        f"SELECT platform_id FROM posts post WHERE {where or '1'} ORDER BY created_at", params
    )
    return [int(row[0]) - 9 * 10**18 for row in rows]


def test_the_language_of_a_post_that_waits_for_its_tags(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(1, language="es"), receive(2), receive(3, language="es"), receive(4)])
    for number in (3, 4):  # what a person says counts at once
        archive.correct(f"x:9{number:018d}", Correction(by="Eva", language="fr"))
    assert left(archive, Filters(language="es")) == [1]
    assert left(archive, Filters(language="fr")) == [3, 4]
    assert left(archive, Filters(language="untagged")) == [2]
    assert left(archive, Filters(language="unknown")) == []


def test_a_language_is_unknown_where_a_person_says_so(filled: Archive) -> None:
    filled.correct(f"x:9{1:018d}", Correction(by="Eva", language="unknown"))
    assert left(filled, Filters(language="en")) == []
    assert left(filled, Filters(language="unknown")) == [1, 100]
    filled.close()


def test_the_languages_of_an_archive_are_those_marked_and_those_found(filled: Archive) -> None:
    assert languages(filled.conn) == ["en", "es", "fr", "it"]
    filled.close()
