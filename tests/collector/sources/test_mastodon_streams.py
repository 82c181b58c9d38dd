"""Several streams as one: accepted together, ended together, slowed down by who listens."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest

from archive.vocabulary import Unmapped
from collector.sources.base import Connected, Heard, Lost, Refused, Signal
from collector.sources.mastodon_streams import Streams
from collector.sources.mastodon_wire import Client
from tests.fakes.mastodon import TOKEN, MastodonServer

TAGS = ("sample2012", "otro", "autre")


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer(TAGS, heartbeat=0.1) as opened:
        yield opened


def streams(server: MastodonServer, stall_after: float = 60.0) -> Streams:
    client = Client(server.url, TOKEN, lambda: datetime.now(UTC), stall_after)
    return Streams(client, TAGS, read)


def read(lines: Iterable[bytes | Unmapped], where: str) -> Iterator[Signal]:
    for line in lines:
        if line == b"trouble":
            raise ZeroDivisionError
        yield line if isinstance(line, Unmapped) else Heard()


def test_connected_once_all_are(server: MastodonServer) -> None:
    signals = streams(server).signals()
    assert any(isinstance(signal, Connected) for signal in signals)
    assert not any(isinstance(next(signals), Connected) for _ in range(20))
    server.wait_for_listeners(3)
    signals.close()
    server.wait_for_listeners(0)


def test_one_refused_ends_all(server: MastodonServer) -> None:
    server.fault("connect_401")
    with pytest.raises(Refused):
        list(streams(server).signals())
    server.wait_for_listeners(0)


@pytest.mark.parametrize("fault", ["cut", "silence", "end"])
def test_one_ended_ends_all(fault: str, server: MastodonServer) -> None:
    signals = streams(server, 1.0 if fault == "silence" else 60.0).signals()
    assert any(isinstance(signal, Connected) for signal in signals)
    server.fault(fault)
    server.post("Hello #otro")
    if fault == "end":
        list(signals)
    else:
        with pytest.raises(Lost):
            list(signals)
    server.wait_for_listeners(0)


def test_a_bug_is_heard(server: MastodonServer) -> None:
    signals = streams(server).signals()
    server.wait_for_listeners(0)
    assert next(signals) is not None
    server.wait_for_listeners(3)
    server.say(b"trouble\n")
    with pytest.raises(ZeroDivisionError):
        list(signals)


def test_who_does_not_listen_slows_it_down(server: MastodonServer) -> None:
    many = streams(server)
    signals = many.signals()
    assert any(isinstance(signal, Connected) for signal in signals)
    for _ in range(50):
        server.say(b":\n" * 100)
    assert sum(1 for _ in zip(range(10_000), signals, strict=False)) == 10_000
    assert len(many._queue._items) <= 200
    signals.close()


def test_close_from_another_thread(server: MastodonServer) -> None:
    server.heartbeat = 60
    many = streams(server, 60)
    ended = threading.Event()

    def listen() -> None:
        list(many.signals())
        ended.set()

    thread = threading.Thread(target=listen)
    thread.start()
    server.wait_for_listeners(3)
    many.close()
    assert ended.wait(10)
    thread.join()
