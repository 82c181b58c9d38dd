"""The chats of Webex: the golden pairs, and what is never kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import canonical
from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Private, Received, Unmapped
from collector.importers import IMPORTERS, webex
from collector.importers.base import Context, head_of
from collector.importing import import_file
from tests.collector.golden import TESTDATA, cases, expected, made, posts
from tests.collector.meeting_tools import MEETING, read

LINE = "from Bc Ana to Everyone:    2:03 PM\nHello\n"


@pytest.mark.parametrize("case", cases("webex"))
def test_golden(case: str) -> None:
    assert made(webex, case, Context(MEETING, case)) == expected("webex", case)


@pytest.mark.parametrize("case", cases("webex"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((TESTDATA / "webex" / case).read_bytes())
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)] == ["webex"]


@pytest.mark.parametrize(
    "text", ["from here to everyone: hello\n", "Note to self: 10:00\n", "2:03 PM Bc Ana: to all: hi\n"]
)
def test_other_texts_are_none(text: str) -> None:
    assert not webex.sniff(head_of(text.encode()))


def test_a_chat_of_zoom_stays_one() -> None:
    head = head_of(b"14:03:10 From Bc Ana to Everyone: Hello\n")
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "zoom"


@pytest.mark.parametrize(
    "header",
    [
        "from Bc Ana to Everyone:    2:03 PM",
        "From Bc Ana to everyone: 14:03",
        "Bc Ana to All Participants: 2:03 PM",
        "\u200efrom Bc Ana to all: 2:03 PM",
        "de Bc Ana a Todos: 14:03",
        "[2:03 PM] from Bc Ana to Everyone: ",
        "3/16/2026 2:03:00 PM from Bc Ana to Everyone:",
    ],
)
def test_headers_have_variants(header: str) -> None:
    (post,) = posts(read(webex, f"{header}\nHello\n"))
    assert (post.author.name, post.text, f"{post.created_at:%H:%M}") == ("Bc Ana", "Hello", "20:03")


def test_a_growing_message_keeps_its_key() -> None:
    (post,) = posts(read(webex, LINE))
    (grown,) = posts(read(webex, f"{LINE}and it goes on\n"))
    assert (grown.key, grown.text) == (post.key, "Hello\nand it goes on")
    keys = [post.key for post in posts(read(webex, LINE * 3))]
    assert len(set(keys)) == 3 and keys[0] == post.key


def test_days_and_midnights() -> None:
    late = "from Bc Ana to Everyone: 11:59 PM\nHello\nfrom Bc Ana to Everyone: 12:01 AM\nHello\n"
    before, after = posts(read(webex, late))
    assert after.created_at - before.created_at == timedelta(minutes=2)
    longer = replace(MEETING, ends=MEETING.ends + timedelta(days=1))
    with pytest.raises(UsageError, match="--date 2026-03-16"):
        read(webex, LINE, meeting=longer)
    (post,) = posts(read(webex, LINE, meeting=longer, date=date(2026, 3, 17)))
    assert post.created_at.date() == date(2026, 3, 17)


def test_what_may_be_private_leaves_its_reason_only() -> None:
    chat = (
        "A secret\n"
        + LINE
        + "from Bc Ana to Bc Luis:\nA secret\n"
        + "12.05 from Bc Ana to Bc Luis: A secret\n"
        + "x" * 9_000_000
        + "\nA secret\n"
        + LINE
    )
    items = read(webex, chat)
    assert [type(item) for item in items] == [Unmapped, Received, *[Unmapped] * 4, Received]
    assert "secret" not in repr(items)


@given(
    name=st.sampled_from(["Bc Ana", "Way to Go", "Tom (she/her)", "from Rome"]),
    to=st.sampled_from(
        ["Bc Luis", "Host", "Host & Presenter", "Everyone Else", "everyonex", "Way to Go", "(privately)"]
    ),
    mark=st.sampled_from(["", " (privately)", " (Direct Message)"]),
    form=st.sampled_from(
        [
            "from {name} to {to}{mark}:    2:03 PM\n{text}",
            "{name} to {to}{mark}: 14:03\n{text}",
            "2:03 PM from {name} to {to}{mark}: {text}",
            "\u200e[2:03 PM] from {name} to {to}{mark}: {text}",
            "3/16/2026 2:03:10 PM from {name} to {to}{mark}: {text}",
            "from {name} to {to}{mark}: {text}",
            "16.3.2026 14:03 from {name} to {to}{mark}: {text}",
        ]
    ),
    long=st.sampled_from([1, 300]),
)
def test_what_goes_to_one_person_is_never_kept(name: str, to: str, mark: str, form: str, long: int) -> None:
    chat = form.format(name=name, to=to, mark=mark, text="secret " * long)
    items = read(webex, f"{LINE}{chat}\nmore secret\n")
    assert "secret" not in repr(items)
    assert isinstance(items[-1], Private | Unmapped)


@pytest.mark.parametrize("case", cases("webex"))
def test_twice_in_is_once_in(case: str, tmp_path: Path) -> None:
    path = tmp_path / "tools.db"
    with Archive.open(path, MEETING) as archive:
        first = import_file(archive, MEETING, TESTDATA / "webex" / case)
        once = list(canonical(path))
        again = import_file(archive, MEETING, TESTDATA / "webex" / case)
    assert (again.counts.new, again.counts.read) == (0, first.counts.read)
    assert list(canonical(path)) == once
