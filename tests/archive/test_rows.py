from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from archive.rows import Record, Unfit, post_of, profile, profile_hash, rekeyed
from archive.vocabulary import Author, Received
from tests.conftest import START

Receive = Callable[..., Received]


def test_a_version_can_be_read_back(receive: Receive) -> None:
    item = receive(
        1,
        text="¿Datos? #sample2012",
        mentions=("bc_luis",),
        links=("http://example.org/",),
        flags=("unlisted",),
        edited_at=START + timedelta(hours=1),
        reply_to="x:90",
    )
    record = Record(item)
    post = post_of(item.post.key, item.post.author, json.loads(record.as_version()))
    assert post == item.post


def test_a_kind_that_is_not_known_comes_back_with_what_it_may_be(receive: Receive) -> None:
    item = receive(1, kind=None, kind_among=("quote", "original"))
    post = post_of(item.post.key, item.post.author, json.loads(Record(item).as_version()))
    assert (post.kind, post.kind_among) == (None, ("quote", "original"))


def beats(one: Record, other: Record) -> bool:
    return one.beats(other.rank(), other.payload_hash, other.content_hash)


def test_the_later_version_wins_then_the_later_observation_then_the_smaller_hash(receive: Receive) -> None:
    first = Record(receive(1))
    edited = Record(receive(1, text="edited", edited_at=START + timedelta(hours=1)))
    seen_later = Record(receive(1, observed_at=START + timedelta(hours=2)))
    assert beats(edited, seen_later) and beats(seen_later, first)
    one, other = Record(receive(1, text="a")), Record(receive(1, text="b"))
    assert beats(one, other) != beats(other, one)
    assert not beats(one, one)
    read, otherwise = (Record(replace(item, raw="{}")) for item in (one.item, other.item))
    assert read.payload_hash == otherwise.payload_hash
    assert beats(read, otherwise) != beats(otherwise, read)


def test_a_version_is_what_its_reader_sees(receive: Receive) -> None:
    same = {Record(receive(1)).content_hash, Record(receive(1, url="http://example.org/x")).content_hash}
    assert len(same) == 1
    assert Record(receive(1, text="other")).content_hash not in same


@pytest.mark.parametrize("text", ["\x00", "\ud83d"])
def test_what_sqlite_cannot_carry_is_unfit(receive: Receive, text: str) -> None:
    with pytest.raises(Unfit):
        Record(receive(1, text=text))
    with pytest.raises(Unfit):
        Record(receive(1, author=Author(key="x:1", source="x", description=text)))
    with pytest.raises(Unfit):
        profile_hash(Author(key="x:1", source="x", name=text))


def test_rekeyed_keeps_the_old_key_as_an_alias(receive: Receive) -> None:
    item = rekeyed(receive(1), "x:1")
    assert item.post.key == "x:1"
    assert receive(1).post.key in item.post.aliases


def test_a_bot_mark_is_a_number_or_unknown() -> None:
    assert profile(Author(key="x:1", source="x", bot=True))[-1] == 1
    assert profile(Author(key="x:1", source="x"))[-1] is None
