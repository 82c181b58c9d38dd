"""What the chats have in common: keys that stay, links without punctuation, names as compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from collector.mapping import MappingError, chat
from collector.mapping.chat import Message, Ordinals, links_in, to_post

AT = datetime(2026, 3, 16, 14, 3, 10, tzinfo=UTC)


def test_the_tools_own_ids_come_first() -> None:
    message = Message(name=" Ana ", text="Hi #One", at=AT, id="m1", author_id="u1")
    post = to_post("slido", message, Ordinals(), arm="room")
    assert (post.key, post.author.key, post.author.name) == ("slido:m1", "slido:u1", "Ana")
    assert (post.arm, post.hashtags, post.kind) == ("room", ("one",), "original")


def test_names_are_composed() -> None:
    keys = {
        to_post("zoom", Message(name=name, text="", at=AT), Ordinals(), arm="remote").author.key
        for name in ("Zoe\u0308", " Zoë ")
    }
    assert keys == {"zoom:Zoë"}


def test_nobody_said_it() -> None:
    with pytest.raises(MappingError, match="without an author"):
        to_post("zoom", Message(name="  ", text="Hi", at=AT), Ordinals(), arm="remote")


def test_messages_of_one_second_are_told_apart() -> None:
    ordinals = Ordinals()
    moments = [AT, AT + timedelta(milliseconds=300), AT + timedelta(seconds=1)]
    assert [ordinals.next(at, "Ana") for at in moments] == [0, 1, 0]
    assert ordinals.next(AT, "Luis") == 0


def test_ordinals_do_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "_REMEMBERED", 3)
    ordinals = Ordinals()
    for number in range(10):
        ordinals.next(AT + timedelta(seconds=number), "Ana")
    assert ordinals.next(AT + timedelta(seconds=9), "Ana") == 1
    assert ordinals.next(AT, "Ana") == 0


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("none", ()),
        ("see https://example.org/a. And https://example.org/a!", ("https://example.org/a",)),
        ("(https://example.org/a_(b))", ("https://example.org/a_(b)",)),
        ("<https://example.org> “http://example.org/x”", ("https://example.org", "http://example.org/x")),
        ("[https://example.org/{id}]", ("https://example.org/{id}",)),
    ],
)
def test_links(text: str, links: tuple[str, ...]) -> None:
    assert links_in(text) == links


def test_an_ordinal_can_be_taken_back() -> None:
    ordinals = Ordinals()
    assert [ordinals.next(AT, "Ana"), ordinals.next(AT, "Ana")] == [0, 1]
    ordinals.take_back(AT, "Ana")
    assert ordinals.next(AT, "Ana") == 1
    ordinals.take_back(AT, "Ana")
    ordinals.take_back(AT, "Ana")
    assert not ordinals._seen
