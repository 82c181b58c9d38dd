"""Saved Zoom chats: the golden pairs of three forms, what is never kept, days and midnights."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from archive.vocabulary import Item, Meeting, Post, Private, Received, Skipped, Unmapped
from collector.importers import zoom
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made, posts

DAY = date(2026, 3, 16)


@pytest.mark.parametrize("case", cases("zoom"))
def test_golden(case: str, meeting: Meeting) -> None:
    assert made(zoom, case, Context(meeting, case, date=DAY)) == expected("zoom", case)


@pytest.mark.parametrize("case", cases("zoom"))
def test_sniff(case: str) -> None:
    assert zoom.sniff(head_of((TESTDATA / "zoom" / case).read_bytes()))


def test_a_text_is_no_chat() -> None:
    assert not zoom.sniff(head_of(b"14:03 From here on, everything is fine: really\n"))


def read(text: str, meeting: Meeting, **known: object) -> list[Item]:
    stream = io.BytesIO(text.encode())
    return list(zoom.read(stream, Context(meeting, "chat.txt", **known)))  # type: ignore[arg-type]


def only(text: str, meeting: Meeting, **known: object) -> Post:
    (item,) = read(text, meeting, **known)
    assert isinstance(item, Received)
    return item.post


LINE = "14:03:10\t From Ana : Hello\n"


def test_the_day_is_that_of_a_meeting_of_one_day(meeting: Meeting) -> None:
    assert only(LINE, meeting).created_at == datetime(2012, 3, 26, 20, 3, 10, tzinfo=UTC)


def test_a_meeting_of_several_days_needs_a_date(meeting: Meeting) -> None:
    longer = replace(meeting, ends=meeting.ends + timedelta(days=1))
    with pytest.raises(UsageError, match=r"--date 2012-03-26"):
        read(LINE, longer)
    assert only(LINE, longer, date=DAY).created_at.date() == DAY


def test_the_zone_may_be_another_one(meeting: Meeting) -> None:
    post = only(LINE, meeting, date=DAY, zone=ZoneInfo("Asia/Tokyo"))
    assert post.created_at == datetime(2026, 3, 16, 5, 3, 10, tzinfo=UTC)


def test_a_small_step_back_is_no_midnight(meeting: Meeting) -> None:
    chat = "14:03:10 From Ana : one\n14:03:09 From Ana : two\n"
    one, two = posts(read(chat, meeting))
    assert two.created_at == one.created_at - timedelta(seconds=1)


def test_the_same_chat_gives_the_same_keys(meeting: Meeting) -> None:
    chat = LINE * 3
    keys = [post.key for post in posts(read(chat, meeting))]
    assert len(set(keys)) == 3
    grown = posts(read(chat + "and it grows\n", meeting))
    assert [post.key for post in grown] == keys
    assert grown[-1].text == "Hello\nand it grows"


def test_a_reply_to_several_like_messages_names_none(meeting: Meeting) -> None:
    chat = LINE * 2 + '14:03:20 From Luis to Everyone:\n\tReplying to "Hello"\n\tHi\n'
    *_, reply = posts(read(chat, meeting))
    assert (reply.kind, reply.reply_to, reply.reply_to_account, reply.text) == ("reply", None, None, "Hi")
    *_, reply = posts(read(chat[len(LINE) :], meeting))
    assert reply.reply_to_account == "Ana"


def test_a_quotation_of_what_is_not_public_is_not_kept(meeting: Meeting) -> None:
    chat = (
        "14:03:10 From Ana to Luis (direct message):\n\tA secret plan\n"
        '14:03:12 From Eva to Everyone:\n\tReplying to "A secret plan"\n\n\tyes\n'
    )
    private, reply = read(chat, meeting)
    assert isinstance(private, Private)
    assert isinstance(reply, Received) and reply.post.kind == "reply" and reply.post.text == "yes"
    assert "secret" not in repr(reply)


def test_a_reply_to_a_chorus_names_none(meeting: Meeting) -> None:
    chorus = "".join(f"14:03:10 From Ana : Thank you all, {number}\n" for number in range(300))
    reply = '14:03:20 From Luis to Everyone:\n\tReplying to "Thank you all, 7"\n\tHi\n'
    *_, post = posts(read(chorus + reply, meeting))
    assert post.reply_to is None


def test_what_is_no_message(meeting: Meeting) -> None:
    huge = "x" * 9_000_000
    chat = (
        f"noise\n{huge}\nlost\n14:03:10 From  : nobody\n9999-12-31 23:59:59 From Ana to Everyone:\n\tlate\n"
    )
    items = read(chat, meeting)
    assert [type(item) for item in items] == [Unmapped] * 5
    assert all(item.payload is None for item in items[:3] if isinstance(item, Unmapped))


@given(
    name=st.sampled_from(["Ana", "Way to Go", "Ana: PhD", "Tom (she/her)", "A : B"]),
    to=st.sampled_from(["Luis Gil", "Way to Go", "everyonex", "Everyone Else", "Eva: MD", "(Privately)"]),
    mark=st.sampled_from(["", "(Direct Message)", " (direct message)", " (Privately)"]),
    form=st.sampled_from(
        [
            "{time}\t From {name} to {to}{mark} : {text}",
            "{time} From {name} to {to}{mark}:\n\t{text}",
        ]
    ),
)
def test_what_goes_to_one_person_is_never_kept(name: str, to: str, mark: str, form: str) -> None:
    start = datetime(2026, 3, 16, 15, tzinfo=UTC)
    meeting = Meeting(
        slug="m", title="M", hashtags=(), starts=start, ends=start + timedelta(hours=1), timezone="UTC"
    )
    chat = form.format(time="15:00:00", name=name, to=to, mark=mark, text="secret")
    kept = repr(read("15:00:00 From Ana : before\n" + chat + "\nmore secret\n", meeting))
    assert "secret" not in kept


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["zoom_agu2020", "zoom_bibsoc2023"])
def test_real_chats_equal_their_facts(name: str, test_data: Path, meeting: Meeting) -> None:
    folder = test_data / "archives" / name
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    with (folder / "meeting_saved_chat.txt").open("rb") as stream:
        items = list(zoom.read(stream, Context(meeting, name, date=DAY, zone=ZoneInfo("UTC"))))
    kinds = Counter(type(item) for item in items)
    assert (kinds[Received], kinds[Private], kinds[Skipped], kinds[Unmapped]) == (
        facts["posts"],
        facts["direct"],
        facts["reaction_lines"],
        0,
    )
    found = posts(items)
    assert len({post.author.key for post in found}) == facts["unique_authors"]
    assert sum(bool(post.links) for post in found) == facts["posts_with_url"]
    assert f"{found[0].created_at:%H:%M:%S}" == facts["first"]
    assert f"{found[-1].created_at:%H:%M:%S}" == facts["last"]
    ranked = Counter(post.author.name for post in found)
    top = sorted(ranked.items(), key=lambda pair: (-pair[1], pair[0].casefold()))[:10]
    assert [list(pair) for pair in top] == facts["top_authors"]


def test_a_chat_that_is_still_written(meeting: Meeting) -> None:
    tail = zoom.Tail(Context(meeting, "chat.txt"))
    first = list(tail.feed(["14:03:10\t From Ana : Hello\n", "and\n"]))
    assert first == []
    (shown,) = posts(tail.unfinished())
    assert shown.text == "Hello\nand"
    assert [post.text for post in posts(tail.unfinished("mo"))] == ["Hello\nand\nmo"]
    # What was looked at ahead is not remembered: neither the ordinal, nor the text, nor the day.
    assert posts(tail.unfinished("14:03:10\t From Ana : again"))[1].key != shown.key
    assert posts(tail.unfinished()) == [shown]
    # It may become the header of the next message.
    for half in ("1", "14:03", "14:03:10\t Fro"):
        assert posts(tail.unfinished(half)) == [shown]
    ended = list(tail.feed(["more\n", "14:03:10\t From Ana : Hello\n"]))
    assert [(post.key, post.text) for post in posts(ended)] == [(shown.key, "Hello\nand\nmore")]
    assert posts(tail.unfinished())[0].key != shown.key


def test_a_reaction_that_is_cut_off_is_no_post_yet(meeting: Meeting) -> None:
    tail = zoom.Tail(Context(meeting, "chat.txt"))
    list(tail.feed(["14:03:10 From Ana to Everyone:\n", '\tReacted to "Hello\n']))
    (item,) = tail.unfinished()
    assert isinstance(item, Received) and tail.may_turn(item)
    list(tail.feed(['\tand more" with 👍\n']))
    (item,) = tail.unfinished()
    assert item == Skipped("reaction") and not tail.may_turn(item)
