"""The WebSocket connection: how it begins, how it ends, and quiet against deaf."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from collector.sources import bluesky_socket
from collector.sources.base import Limited, Lost, Refused, Unavailable
from collector.sources.bluesky_socket import NotSpoken, Sign, TooBig, Wires, dial, frames
from tests.fakes.bluesky import JetstreamServer

PATIENCE = 20.0  # seconds
Talk = Callable[[ServerConnection], None]


def now() -> datetime:
    return datetime(2026, 3, 26, 9, tzinfo=UTC)


@pytest.fixture
def talking() -> Iterator[Callable[[Talk], str]]:
    """Starts servers that hold the conversation they are given; returns their address."""
    started: list[Any] = []

    def start(talk: Talk) -> str:
        server = serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=1)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        started.append((server, thread))
        return f"ws://127.0.0.1:{server.socket.getsockname()[1]}"

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join(PATIENCE)


def listen(url: str, wires: Wires | None = None, stall_after: float = 5.0) -> Iterator[bytes | Sign]:
    with dial(url, None, what="Server", wires=wires or Wires(), clock=now) as connection:
        yield from frames(connection, "Server", stall_after)


def test_frames_come_as_bytes_whatever_they_are(talking: Any) -> None:
    def talk(connection: ServerConnection) -> None:
        connection.send("é")
        connection.send(b"\xff", text=True)
        connection.send(b"\x00")

    assert list(listen(talking(talk))) == ["é".encode(), b"\xff", b"\x00"]


@pytest.mark.parametrize(("code", "reason"), [(1011, "tired"), (4000, ""), (1008, "a\x07b")])
def test_a_close_that_is_none(talking: Any, code: int, reason: str) -> None:
    with pytest.raises(Lost, match=str(code)):
        list(listen(talking(lambda connection: connection.close(code, reason))))


def test_a_message_beyond_any_limit(talking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_socket, "MAX_FRAME", 1_000)
    with pytest.raises(TooBig, match="1,000 bytes"):
        list(listen(talking(lambda connection: connection.send("x" * 1_001))))


def test_quiet(talking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that passes when we say so: the pong may take its time."""
    clock = [0.0]
    monkeypatch.setattr(bluesky_socket, "monotonic", lambda: clock[0])
    monkeypatch.setattr(bluesky_socket, "_TICK", 0.02)
    over = threading.Event()
    heard = listen(talking(lambda connection: over.wait(PATIENCE) and None), stall_after=60)
    for seconds in (0, 19):
        clock[0] = seconds
        assert next(heard) is Sign.NOTHING
    clock[0] = 59  # only now it is asked whether it is there
    limit = time.monotonic() + PATIENCE
    while (sign := next(heard)) is Sign.NOTHING:
        assert time.monotonic() < limit, "no pong"
    assert sign is Sign.PONG
    clock[0] = 118
    assert isinstance(next(heard), Sign), "the pong counts from when it came"
    over.set()
    heard.close()  # type: ignore[attr-defined]


def test_deaf(talking: Any) -> None:
    over = threading.Event()

    def talk(connection: ServerConnection) -> None:
        with connection.recv_flow_control:  # reads nothing more, so it answers no ping
            over.wait(PATIENCE)

    with pytest.raises(Lost, match="not even a pong"):
        list(listen(talking(talk), stall_after=0.4))
    over.set()


def test_a_slow_reader_is_not_a_silent_server(talking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(bluesky_socket, "monotonic", lambda: clock[0])
    over = threading.Event()

    def talk(connection: ServerConnection) -> None:
        connection.send("x")
        over.wait(PATIENCE)

    heard = listen(talking(talk), stall_after=0.4)
    assert next(heard) == b"x"
    clock[0] = 60.0  # the archive took a minute
    assert next(heard) is Sign.NOTHING
    over.set()
    heard.close()  # type: ignore[attr-defined]


def test_closing_from_another_thread(talking: Any) -> None:
    over, wires = threading.Event(), Wires()
    heard = listen(talking(lambda connection: over.wait(60) and None), wires, 30)
    assert next(heard) is Sign.NOTHING
    threading.Timer(0.1, wires.close).start()
    with pytest.raises(Lost, match="broke off"):
        list(heard)
    with pytest.raises(Lost):
        list(listen(talking(lambda connection: over.wait(60) and None), wires, 30))
    over.set()


@pytest.mark.parametrize(
    ("fault", "error"),
    [("401", Refused), ("403", Refused), ("429", Limited), ("503", Unavailable), ("html", Unavailable)],
)
def test_what_the_handshake_says(fault: str, error: Any) -> None:
    with JetstreamServer(2) as server:
        server.fault(fault)
        with pytest.raises(error):
            list(listen(server.url))
        with pytest.raises(Unavailable, match="404"):
            list(listen(server.url))
        with (
            pytest.raises(NotSpoken),
            dial(server.url, None, what="Server", wires=Wires(), clock=now, may_be_unknown=True),
        ):
            pass


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff" * 50,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
    ],
)
def test_something_else_than_a_websocket_server(answer: bytes) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(answer)

        thread = threading.Thread(target=once, daemon=True)
        thread.start()
        with pytest.raises((Lost, Unavailable)):
            list(listen(f"ws://127.0.0.1:{listening.getsockname()[1]}"))
        thread.join(PATIENCE)


def test_an_address_that_is_none() -> None:
    with pytest.raises((Unavailable, Lost)):
        list(listen("ws://127.0.0.1:1/"))
    with pytest.raises(Unavailable):
        list(listen("gopher://example.org"))
