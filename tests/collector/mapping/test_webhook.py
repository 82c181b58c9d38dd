"""Items of the webhook: every key, what is wrong with each, keys without ids, privacy."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archive.vocabulary import ASKED, Deleted, Post, Private, Received
from collector.mapping import MappingError
from collector.mapping.webhook import Hearing, Unnamed, accounts, to_deletion, to_edit, to_item

NOW = datetime(2026, 3, 16, 14, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture
def hearing() -> Hearing:
    return Hearing("remote", NOW, Unnamed())


def post_of(hearing: Hearing, **value: Any) -> Post:
    item = to_item({"author": "Ana", "text": "Hello", **value}, hearing, "item 1")
    assert isinstance(item, Received)
    assert item.observed_at == item.received_at == NOW
    return item.post


def test_everything_that_can_be_told(hearing: Hearing) -> None:
    value = {
        "id": 17,
        "author": {"id": "bc_ana", "name": " Ana "},
        "text": "See https://example.org #Sample2012",
        "at": "2026-03-16T15:03:10+01:00",
        "edited_at": "2026-03-16T15:04:10+01:00",
        "reply_to": "m/1",
        "arm": "room",
        "private": False,
        "url": "https://example.org/m/17",
        "language": "pt-BR",
    }
    item = to_item(value, hearing, "item 1")
    assert isinstance(item, Received) and json.loads(item.raw or "") == value
    post = item.post
    assert (post.key, post.platform_id, post.source) == ("webhook:17", "17", "webhook")
    assert (post.author.key, post.author.name) == ("webhook:bc_ana", "Ana")
    assert post.created_at == datetime(2026, 3, 16, 14, 3, 10, tzinfo=UTC)
    assert post.edited_at == post.created_at + timedelta(minutes=1)
    assert (post.kind, post.reply_to, post.arm) == ("reply", "webhook:m/1", "room")
    assert (post.url, post.language) == ("https://example.org/m/17", "pt")
    assert (post.hashtags, post.links, post.flags) == (("sample2012",), ("https://example.org",), ())


def test_what_came_by_a_channel_for_questions_is_marked(hearing: Hearing) -> None:
    assert post_of(hearing, asked=True).flags == (ASKED,)
    assert post_of(hearing, asked=True, at="2026-03-16T15:00:00Z").flags == (ASKED, "clock")
    assert post_of(hearing, asked=False).flags == post_of(hearing, asked=None).flags == ()
    with pytest.raises(MappingError, match="asked"):
        post_of(hearing, asked="yes")


def test_what_is_taken_for_granted(hearing: Hearing) -> None:
    post = post_of(hearing)
    assert (post.created_at, post.arm, post.kind, post.edited_at) == (NOW, "remote", "original", None)
    assert post.author.key == "webhook:Ana"
    assert post_of(hearing, author={"id": "bc_ana"}).author.name is None


def test_a_clock_that_is_ahead_is_flagged(hearing: Hearing) -> None:
    assert post_of(hearing, at="2026-03-16T14:04:00Z").flags == ()
    assert post_of(hearing, at="2027-03-16T14:04:00Z").flags == ("clock",)


def test_messages_without_an_id(hearing: Hearing) -> None:
    at = "2026-03-16T14:03:10Z"
    one, two = post_of(hearing, text="one", at=at), post_of(hearing, text="two", at=at)
    assert one.key != two.key
    # Sent again, since no answer came: the same messages.
    assert post_of(hearing, text="two", at=at).key == two.key
    assert post_of(hearing, text="one", at=at, author="Luis").key not in (one.key, two.key)
    fresh = replace(hearing, unnamed=Unnamed())
    assert post_of(fresh, text="one", at=at).key == one.key


def test_what_is_remembered_of_them_is_bounded(hearing: Hearing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.mapping.webhook._REMEMBERED", 2)
    for second in range(9):
        post_of(hearing, at=f"2026-03-16T14:03:0{second}Z")
    assert len(hearing.unnamed._texts) == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"text": ""}, "text is missing"),
        ({"text": "  \n"}, "text is missing"),
        ({"text": ["a"]}, "text is missing"),
        ({"text": "a\x00b"}, "NUL"),
        ({"author": None}, "author is missing"),
        ({"author": 7}, "author is missing"),
        ({"author": {}}, "neither a name nor an id"),
        ({"author": " "}, "neither a name nor an id"),
        ({"author": {"name": 7}}, "author.name"),
        ({"author": "a\nb"}, "author.name"),
        ({"author": "x" * 301}, "author.name"),
        ({"author": {"nick": "a"}}, "unknown: 'author.nick'; known are author.id, author.name"),
        ({"autor": "a", "zeit": 1}, "unknown: 'autor', 'zeit'; known are id, author"),
        ({"id": ""}, "id is no"),
        ({"id": True}, "id is no"),
        ({"id": 1.5}, "id is no"),
        ({"id": "x" * 201}, "id is no"),
        ({"id": "a\x00"}, "id is no"),
        ({"id": {}}, "id is no"),
        ({"at": "2026-03-16T14:03:10"}, "at is no ISO"),
        ({"at": 1_700_000_000}, "at is no ISO"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at is no ISO"),
        ({"at": "9999-01-01T00:00:00Z"}, "at is no ISO"),
        ({"edited_at": "soon"}, "edited_at is no ISO"),
        ({"reply_to": []}, "reply_to is no"),
        ({"arm": "public "}, "arm is none of room, remote, public"),
        ({"arm": ["room"]}, "arm is none of"),
        ({"url": "javascript:alert(1)"}, "url is no"),
        ({"url": "https://a b"}, "url is no"),
        ({"url": 1}, "url is no"),
        ({"language": "English"}, "language is no"),
        ({"language": 1}, "language is no"),
    ],
)
def test_what_is_wrong_is_named(value: dict[str, Any], reason: str, hearing: Hearing) -> None:
    with pytest.raises(MappingError, match=r"\w") as caught:
        post_of(hearing, **value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("value", [None, [], "text", 7, True])
def test_what_is_no_object(value: Any, hearing: Hearing) -> None:
    with pytest.raises(MappingError, match="JSON object"):
        to_item(value, hearing, "item 1")
    with pytest.raises(MappingError, match="JSON object"):
        to_edit(value, "17", hearing, "edit")


@pytest.mark.parametrize("private", [True, 1, "yes", "false", [], 0])
def test_what_may_be_private_leaves_nothing(private: Any, hearing: Hearing) -> None:
    value = {"author": 7, "text": "a secret", "private": private, "whatever": "a secret"}
    assert to_item(value, hearing, "item 3") == Private("item 3")
    assert to_edit(value, "17", hearing, "edit") == Private("edit")


def test_an_edit_is_a_newer_version_of_the_same_post(hearing: Hearing) -> None:
    first = {"id": "17", "author": "Ana", "text": "Helo", "at": "2026-03-16T13:00:00Z"}
    edit = to_edit({**first, "text": "Hello"}, "17", hearing, "edit")
    assert isinstance(edit, Received)
    assert (edit.post.key, edit.post.edited_at, edit.post.text) == ("webhook:17", NOW, "Hello")
    del first["id"]
    edit = to_edit({**first, "edited_at": "2026-03-16T13:30:00Z"}, "17", hearing, "edit")
    assert isinstance(edit, Received) and edit.post.edited_at == NOW.replace(
        hour=13, minute=30, microsecond=0
    )
    with pytest.raises(MappingError, match="at is missing"):
        to_edit({"author": "Ana", "text": "Hello"}, "17", hearing, "edit")
    with pytest.raises(MappingError, match="not the one in the address"):
        to_edit({**first, "id": "18"}, "17", hearing, "edit")


def test_a_deletion(hearing: Hearing) -> None:
    assert to_deletion("m/17", hearing) == Deleted("webhook:m/17", "webhook", NOW)
    with pytest.raises(MappingError, match="id is no"):
        to_deletion(" ", hearing)


def test_who_may_have_written_what_could_not_be_read() -> None:
    assert accounts({"author": " Ana "}) == ("webhook:Ana",)
    assert accounts({"author": {"id": "bc_ana", "name": "Ana", "x": 1}}) == ("webhook:bc_ana", "webhook:Ana")
    assert accounts({"author": 7}) == accounts([]) == accounts({}) == ()
