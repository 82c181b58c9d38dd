from __future__ import annotations

import io
import json

import pytest

from archive.vocabulary import Meeting, Private, Received
from collector.importers import IMPORTERS, twarc2
from collector.importers.base import Context, head_of
from tests.collector import golden


@pytest.mark.parametrize("case", golden.cases("twarc2"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case)
    assert golden.made(twarc2, case, context) == golden.expected("twarc2", case)


@pytest.mark.parametrize("case", golden.cases("twarc2"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "twarc2" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "twarc2"


def test_a_payload_holds_the_post_and_what_it_needs(meeting: Meeting) -> None:
    page = (golden.TESTDATA / "twarc2" / "pages.jsonl").read_bytes()
    items = [
        item for item in twarc2.read(io.BytesIO(page), Context(meeting, "file")) if isinstance(item, Received)
    ]
    original, repost = (json.loads(item.raw or "") for item in items[:2])
    assert [user["id"] for user in original["includes"]["users"]] == ["101"]
    assert "tweets" not in original["includes"]
    assert [user["id"] for user in repost["includes"]["users"]] == ["101", "102"]
    assert [post["id"] for post in repost["includes"]["tweets"]] == ["9000000000000000007"]
    assert repost["__twarc"] == {"retrieved_at": "2012-03-26T16:00:00+00:00"}


def test_a_kept_payload_can_be_imported_again(meeting: Meeting) -> None:
    page = (golden.TESTDATA / "twarc2" / "pages.jsonl").read_bytes()
    context = Context(meeting, "file")
    items = [item for item in twarc2.read(io.BytesIO(page), context) if isinstance(item, Received)]
    lines = "\n".join(item.raw or "" for item in items).encode()
    assert [item.post for item in twarc2.read(io.BytesIO(lines), context) if isinstance(item, Received)] == [
        item.post for item in items
    ]


@pytest.mark.parametrize(
    "event",
    [
        {"id": "9", "text": "secret", "event_type": "MessageCreate"},
        {"id": "9", "text": "secret", "dm_conversation_id": "1-2", "author_id": "101"},
        {"id": "9", "text": "secret", "sender_id": "101", "created_at": "2012-03-26T15:00:00Z"},
    ],
)
def test_direct_messages_leave_nothing_behind(event: dict[str, str], meeting: Meeting) -> None:
    page = {"data": [event], "meta": {"result_count": 1}}
    lines = f"{json.dumps(page)}\n{json.dumps(event)}\n".encode()
    items = list(twarc2.read(io.BytesIO(lines), Context(meeting, "file")))
    assert items == [Private("line 1, post 1"), Private("line 2")]
