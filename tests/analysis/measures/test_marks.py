"""What is for the chair, about logistics, asked by others too."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from analysis.measures.marks import asked_alike, complaints, marks_of
from archive.store import Archive
from archive.vocabulary import Deleted, Received, Tagging
from tests.conftest import START

Receive = Callable[..., Received]


def tag(archive: Archive, by_key: dict[str, dict[str, Any]] | None = None) -> None:
    values: dict[str, Any] = {"sentiment": "neutral", "sentiment_score": 0.9, "sure": True, "tags": ()}
    values |= {"language": "en", "themes": (), "question": True}
    results = [
        (post, Tagging(**{**values, **(by_key or {}).get(post.key, {})})) for post in archive.untagged(100)
    ]
    archive.save_tags(results, version="test")


def key(number: int) -> str:
    return f"x:9{number:018d}"


@pytest.fixture
def asked(archive: Archive, receive: Receive) -> Archive:
    """Four questions, three of which ask the same: two of one author, one in another language."""
    archive.write([receive(n, author=f"a{min(n, 2)}") for n in range(1, 5)])
    tag(archive, {key(3): {"language": "es", "logistics": True}, key(4): {"themes": (("agility", 0.9),)}})
    archive.save_groups({1: 1, 2: 1, 3: 1, 4: 4})
    return archive


def test_a_group_counts_people_and_languages(asked: Archive) -> None:
    group = {"representative": 1, "authors": 2, "languages": 2}
    assert marks_of(asked.conn, [1, 3, 4, 99]) == {
        1: {"to_chair": False, "logistics": False, "group": group},
        3: {"to_chair": False, "logistics": True, "group": group},
        4: {"to_chair": True, "logistics": False, "group": None},
    }


def test_a_language_that_was_not_found_is_no_language_of_a_group(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n, author=f"a{n}", language="es") for n in (1, 2)])
    tag(archive, {key(2): {"language": None}})
    archive.save_groups({1: 1, 2: 1})
    group = marks_of(archive.conn, [1])[1]["group"]
    assert group == {"representative": 1, "authors": 2, "languages": 1}


def test_the_others_that_ask_the_same(asked: Archive) -> None:
    assert asked_alike(asked.conn, 2, 9) == [key(1), key(3)]
    assert asked_alike(asked.conn, 1, 1) == [key(2)]
    assert asked_alike(asked.conn, 4, 9) == []
    assert asked_alike(asked.conn, 99, 9) == []


def test_a_question_that_waits_for_its_group_stands_alone(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    tag(archive)
    assert marks_of(archive.conn, [1])[1]["group"] is None
    assert asked_alike(archive.conn, 1, 9) == []


def test_a_deleted_question_leaves_its_group(asked: Archive) -> None:
    asked.write([Deleted(key(2), "x"), Deleted(key(3), "x")])
    assert marks_of(asked.conn, [1, 2]) == {1: {"to_chair": False, "logistics": False, "group": None}}


def test_complaints_of_the_last_minutes(archive: Archive, receive: Receive) -> None:
    kinds = {5: "repost"}
    archive.write([receive(n, kind=kinds.get(n, "original")) for n in range(1, 9)])
    said = {key(n): {"logistics": True} for n in range(1, 8)}
    said[key(4)] |= {"sentiment": "positive"}
    said[key(3)] |= {"sentiment": "positive", "sure": False}
    tag(archive, said)
    since, until = START + timedelta(minutes=2), START + timedelta(minutes=7)
    assert complaints(archive.conn, since, until, 2) == (3, [key(7), key(6)])
    assert complaints(archive.conn, until, until + timedelta(minutes=5), 2) == (0, [])
