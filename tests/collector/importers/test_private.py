"""Nothing of a direct message stays behind, however damaged or misnamed the file is."""

from __future__ import annotations

import pytest

from archive.vocabulary import Private, Skipped, Unmapped
from collector.importers.private import Net, hushed


@pytest.mark.parametrize(
    "payload",
    [
        '{"direct_message" {"text": "secret"}}',
        '"messageCreate" : {',
        "window.YTD.direct_messages.part0 = [",
        '{"event_type": "MessageCreate", "text": "secr',
        '{"dm_conversation_id": "1-2", "text": "secr',
        '{"text": "secret", "recipient": {}}',
        '{"text": "secret", "recipient_screen_name": "luis"}',
        '{"content": "secret", "visibility": "direct"}',
        "14:03:10\t From Ana to Luis : secret",
        "Ana an Luis (Privately) : secret",
    ],
)
def test_from_the_first_private_trace_on_no_payload_is_kept(payload: str) -> None:
    before = Unmapped("no id", "a,b,c", "line 1")
    items = [before, Unmapped("damaged", payload, "line 2"), Unmapped("damaged", "secret", "line 3")]
    assert list(hushed(items)) == [
        before,
        Unmapped("damaged", None, "line 2"),
        Unmapped("damaged", None, "line 3"),
    ]


def test_after_a_private_message_no_payload_is_kept() -> None:
    items = [Private("line 1"), Skipped("like"), Unmapped("damaged", "secret", "line 3")]
    assert list(hushed(items)) == [*items[:2], Unmapped("damaged", None, "line 3")]


def test_other_damage_keeps_its_payload() -> None:
    items = [
        Unmapped("damaged", payload, "line 1")
        for payload in ("9000000000000000001,NA,ana,from here to there", '{"visibility": "public"')
    ]
    assert list(hushed(items)) == items


def test_a_net_goes_on_from_one_look_at_a_file_to_the_next() -> None:
    net = Net()
    kept = Unmapped("damaged", "harmless", "line 1")
    assert net.through(kept) == kept
    assert net.through(Private("line 2")) == Private("line 2")
    assert net.through(kept) == Unmapped("damaged", None, "line 1")
