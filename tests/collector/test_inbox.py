from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from archive.collecting import Heartbeat, Moved
from archive.vocabulary import Received, Skipped, Unmapped
from collector.inbox import Closed, Inbox

Receive = Callable[..., Received]
NOW = datetime(2012, 3, 26, 15, tzinfo=UTC)


def test_messages_come_out_in_order_and_say_that_they_came() -> None:
    arrived = []
    inbox = Inbox(lambda: arrived.append(1))
    for number in range(5):
        inbox.put(Moved("x", str(number)))
    assert len(arrived) == len(inbox) == 5
    assert [message.cursor for message in inbox.take(3)] == ["0", "1", "2"]  # type: ignore[union-attr]
    assert len(inbox.take(9)) == 2
    assert inbox.take(9) == []


def test_a_newer_sign_of_life_takes_the_place_of_the_last_only() -> None:
    inbox = Inbox()
    first, second, third = (Heartbeat("x", "x", NOW + timedelta(seconds=n)) for n in range(3))
    for message in (first, second, Skipped("a like"), third, Heartbeat("y", "x", NOW)):
        inbox.put(message)
    assert inbox.take(9) == [second, Skipped("a like"), third, Heartbeat("y", "x", NOW)]


@pytest.mark.parametrize("limits", [{"most": 3}, {"heaviest": 300}])
def test_a_full_inbox_makes_its_source_wait_and_loses_nothing(limits: dict[str, int]) -> None:
    inbox = Inbox(**limits)
    full = threading.Event()
    sent = [Unmapped("no post", "p" * 100, f"line {number}") for number in range(20)]

    def source() -> None:
        for item in sent:
            if len(inbox) == 3:
                full.set()
            inbox.put(item)

    thread = threading.Thread(target=source)
    thread.start()
    assert full.wait(5)
    got = []
    while len(got) < 20:
        assert len(inbox) <= 3
        got += inbox.take(2)
    thread.join(5)
    assert got == sent


def test_one_message_heavier_than_all_allowed_still_passes() -> None:
    inbox = Inbox(heaviest=10)
    inbox.put(Unmapped("long", "p" * 100, "line 1"))
    assert len(inbox.take(1)) == 1


def test_closing_wakes_who_waits_and_keeps_what_is_inside() -> None:
    inbox = Inbox(most=1)
    inbox.put(Skipped("a like"))
    failed = []

    def source() -> None:
        try:
            inbox.put(Skipped("another"))
        except Closed:
            failed.append(True)

    thread = threading.Thread(target=source)
    thread.start()
    inbox.close()
    thread.join(5)
    assert failed == [True]
    assert inbox.take(9) == [Skipped("a like")]


def test_a_post_without_a_payload_weighs_what_it_says(receive: Receive) -> None:
    inbox = Inbox(heaviest=100)
    inbox.put(replace(receive(1, text="x" * 90), raw=None))
    late = threading.Thread(target=inbox.put, args=(replace(receive(2, text="x" * 90), raw=None),))
    late.start()
    late.join(0.1)
    assert len(inbox) == 1
    inbox.take(1)
    late.join(5)
    assert len(inbox) == 1
