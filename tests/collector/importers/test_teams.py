"""The chats of Teams: the golden pairs, what is between two people, edits, deletions and copied text."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import canonical
from archive.store import Archive
from archive.vocabulary import Deleted, Item, Private, Received, Skipped, Unmapped
from collector.importers import IMPORTERS, teams
from collector.importers.base import Context, head_of
from collector.importing import import_file
from tests.collector.golden import TESTDATA, cases, expected, made, posts
from tests.collector.meeting_tools import MEETING, read

MEETING_CHAT = "19:meeting_bc@thread.v2"


def sent(**fields: object) -> dict[str, Any]:
    """A message of a meeting's chat as Graph gives it."""
    return {
        "id": "1900000000001",
        "messageType": "message",
        "createdDateTime": "2026-03-16T15:05:00Z",
        "chatId": MEETING_CHAT,
        "from": {"user": {"id": "bc-1", "displayName": "Bc Ana"}},
        "body": {"contentType": "text", "content": "Hello"},
        **fields,
    }


def items(*messages: object) -> list[Item]:
    return read(teams, json.dumps({"value": list(messages)}))


def only(**fields: object) -> Item:
    (item,) = items(sent(**fields))
    return item


@pytest.mark.parametrize("case", cases("teams"))
def test_golden(case: str) -> None:
    assert made(teams, case, Context(MEETING, case)) == expected("teams", case)


@pytest.mark.parametrize("case", cases("teams"))
def test_its_files_are_taken_by_no_other_importer(case: str) -> None:
    head = head_of((TESTDATA / "teams" / case).read_bytes())
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)] == ["teams"]


@pytest.mark.parametrize(
    "text",
    [
        "[14:03] Bc Ana",
        "[1] Bc Ana",
        '[{"createdDateTime": "x", "body": "x"}]',
        "[2:03 PM]",
        "Bc Ana 2:03 PM",
    ],
)
def test_other_files_are_none(text: str) -> None:
    assert not teams.sniff(head_of(text.encode()))


@pytest.mark.parametrize("form", ["page", "array", "lines"])
def test_messages_come_in_pages_arrays_or_lines(form: str) -> None:
    messages = [sent(id="1"), sent(id="2")]
    texts = {
        "page": json.dumps({"@odata.count": 2, "value": messages}, indent=1),
        "array": json.dumps(messages),
        "lines": "\n".join(json.dumps(message) for message in messages),
    }
    assert [post.key for post in posts(read(teams, texts[form]))] == ["teams:1", "teams:2"]


@pytest.mark.parametrize("chat", ["19:bc-1_bc-2@unq.gbl.spaces", "48:notes"])
def test_what_is_between_two_people_is_only_counted(chat: str) -> None:
    item = only(chatId=chat, body={"content": "A secret"})
    assert isinstance(item, Private) and "secret" not in repr(item)


@pytest.mark.parametrize("chat", [None, "", 7, {}])
def test_what_may_be_private_leaves_its_reason_only(chat: object) -> None:
    item = only(chatId=chat, body={"content": "A secret"})
    assert isinstance(item, Unmapped) and item.payload is None


def test_damage_leaves_its_reason_only() -> None:
    found = read(teams, json.dumps(sent()) + '\n{"body": "A secret", \n' + json.dumps(sent(id="2")))
    assert [type(item) for item in found] == [Received, Unmapped, Received]
    assert "secret" not in repr(found)


def test_an_edited_message_says_when() -> None:
    item = only(lastEditedDateTime="2026-03-16T15:06:00Z")
    assert isinstance(item, Received)
    assert item.post.edited_at == datetime(2026, 3, 16, 15, 6, tzinfo=UTC)


def test_a_deleted_message_is_gone() -> None:
    item = only(deletedDateTime="2026-03-16T15:06:00Z", body={"content": ""})
    assert item == Deleted("teams:1900000000001", "teams", datetime(2026, 3, 16, 15, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("fields", "parent"),
    [
        ({"replyToId": "7"}, "teams:7"),
        (
            {
                "attachments": [
                    {"contentType": "messageReference", "id": "7", "content": '{"messageId": "8"}'}
                ]
            },
            "teams:8",
        ),
        ({"attachments": [{"contentType": "messageReference", "id": "7", "content": "{"}]}, "teams:7"),
        ({"attachments": [{"contentType": "messageReference"}]}, None),
        ({"attachments": [{"contentType": "reference", "id": "7"}]}, None),
        ({"attachments": 7, "replyToId": 7}, None),
    ],
)
def test_what_a_message_answers(fields: dict[str, object], parent: str | None) -> None:
    item = only(**fields)
    assert isinstance(item, Received)
    assert (item.post.reply_to, item.post.kind) == (parent, "reply" if parent else "original")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None}, "no id"),
        ({"createdDateTime": "soon"}, "createdDateTime is no time"),
        ({"from": None}, "a message without an author"),
    ],
)
def test_what_cannot_be_read_says_so(fields: dict[str, object], reason: str) -> None:
    broken, fine = items(sent(**fields), sent(id="2"))
    assert isinstance(broken, Unmapped) and (broken.reason, broken.where) == (reason, "line 1, item 1")
    assert isinstance(fine, Received)


def test_who_wrote_what_could_not_be_read_is_told() -> None:
    item = only(createdDateTime="soon")
    assert isinstance(item, Unmapped) and item.accounts == ("teams:Bc Ana", "teams:bc-1")
    (item,) = read(teams, "[Yesterday 2:03 PM] Bc Ana\nHello\n")
    assert isinstance(item, Unmapped) and item.accounts == ("teams:Bc Ana",)


def test_what_has_no_words_is_skipped() -> None:
    assert isinstance(
        only(body={"contentType": "html", "content": "<attachment id='1'></attachment>"}), Skipped
    )
    assert isinstance(only(messageType="systemEventMessage"), Skipped)
    assert isinstance(only(body=None), Skipped)


def test_likes_are_counted_where_reactions_are_told() -> None:
    for reactions, likes in (
        (None, None),
        ([], 0),
        ([{"reactionType": "like"}, {"reactionType": "sad"}, 7], 1),
    ):
        item = only(reactions=reactions)
        assert isinstance(item, Received)
        assert (item.post.engagement.likes if item.post.engagement else None) == likes


def test_addresses_are_not_kept() -> None:
    user = {
        "id": "bc-1",
        "displayName": "Bc Ana <bc_ana@example.org>",
        "userPrincipalName": "bc_ana@example.org",
    }
    item = only(**{"from": {"user": user, "email": "bc_ana@example.org"}})
    assert isinstance(item, Received)
    assert item.post.author.name == "Bc Ana"
    assert "example.org" not in repr(item)


def test_a_message_nested_beyond_all_measure_harms_no_other() -> None:
    deep = json.dumps(sent()).replace('"Hello"', "[" * 900 + "]" * 900)
    found = read(
        teams, f"{deep}\n{json.dumps(sent(id='2'))}\n" + "[" * 100_000 + "\n" + json.dumps(sent(id="3"))
    )
    assert [post.key for post in posts(found)][-1] == "teams:3"
    assert "teams:2" in {post.key for post in posts(found)}


def test_copied_text_grows_without_new_keys() -> None:
    chat = "[3/16/2026 2:03 PM] Bc Ana\nHello\n"
    (post,) = posts(read(teams, chat))
    grown = posts(read(teams, f"{chat}and it goes on\n[2:04 PM] Bc Luis\nHi\n"))
    assert [grown[0].key, grown[0].text] == [post.key, "Hello\nand it goes on"]
    assert grown[1].created_at - post.created_at == timedelta(minutes=1)


def test_copied_text_that_begins_in_the_middle() -> None:
    found = read(
        teams,
        "lost, bc@example.org\n" + "x" * 9_000_000 + "\nlost too\n[2:03 PM] Bc Ana\nHello\n[2:04 PM] ...\nHi",
    )
    assert [type(item) for item in found] == [Unmapped, Unmapped, Unmapped, Received, Received]
    assert "example.org" not in repr(found[0])


@pytest.mark.parametrize("case", cases("teams"))
def test_twice_in_is_once_in(case: str, tmp_path: Path) -> None:
    path = tmp_path / "tools.db"
    with Archive.open(path, MEETING) as archive:
        first = import_file(archive, MEETING, TESTDATA / "teams" / case)
        once = list(canonical(path))
        again = import_file(archive, MEETING, TESTDATA / "teams" / case)
    assert (again.counts.new, again.counts.read) == (0, first.counts.read)
    assert list(canonical(path)) == once


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["user", "id", "displayName", "content", "contentType", "value"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=9,
)


@given(name=st.sampled_from(sorted(sent())), value=values, other=values)
def test_any_value_anywhere_ends_in_an_item(name: str, value: object, other: object) -> None:
    found = items(sent(**{name: value, "reactions": other, "attachments": [other]}), sent(id="2"))
    assert len(found) >= 2
    assert isinstance(found[-1], Received)
