from __future__ import annotations

import io

import pytest

from archive.vocabulary import Meeting, Private
from collector.importers import IMPORTERS, twarc1
from collector.importers.base import Context, head_of
from tests.collector import golden


@pytest.mark.parametrize("case", golden.cases("twarc1"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case)
    assert golden.made(twarc1, case, context) == golden.expected("twarc1", case)


@pytest.mark.parametrize("case", golden.cases("twarc1"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "twarc1" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "twarc1"


def test_direct_messages_leave_nothing_behind(meeting: Meeting) -> None:
    lines = (
        '{"events": [{"type": "message_create", "message_create": {"text": "secret"}}]}\n'
        '{"id": "1", "sender_id": 1, "recipient_id": 2, "text": "secret"}\n'
        '{"kind": "dm", "text": "secret"}\n'
        '{"id": 1, "sender": {}, "recipient": {}, "text": "secret"}\n'
        '{"direct_message_events": [{"text": "secret"}]}\n'
    )
    items = list(twarc1.read(io.BytesIO(lines.encode()), Context(meeting, "file")))
    assert items == [Private("line 1, post 1"), *(Private(f"line {number}") for number in range(2, 6))]


def test_files_of_direct_messages_are_found_too() -> None:
    assert twarc1.sniff(head_of(b'{"events": [{"message_create": {}}]}'))
    assert not twarc1.sniff(head_of(b'screen_name,"id_str":'))
