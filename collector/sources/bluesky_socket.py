"""One WebSocket connection, read frame by frame: quiet and deaf are told apart by pings of our own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from enum import Enum
from threading import Event, Lock
from time import monotonic
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from collector.sources.base import Lost, Unavailable
from collector.sources.web import origin, refuse, said

#: Bytes of the longest frame that is taken at all; websockets holds a frame as a whole.
MAX_FRAME = 12_000_000
CONNECT_SECONDS = 10.0
_TICK = 0.5  # seconds between looks at the clock while nothing comes
_QUEUE = 64  # frames read ahead


class Sign(Enum):
    """What a connection says when no frame comes."""

    NOTHING = "nothing came for a moment"
    PONG = "nothing came, and the server answered that it is there"


class NotSpoken(Exception):
    """The server is there, and does not know this stream, or not the place in it that was asked for.

    ``closed`` is what it means if it knows no other stream either; ``place`` where it may be the place.
    """

    def __init__(self, reason: str, *, closed: Lost | None = None, place: bool = False) -> None:
        super().__init__(reason)
        self.closed = closed
        self.place = place


class TooBig(Lost):
    """A frame beyond any limit: asking for it again would break the connection again."""


class Wires:
    """The open connections of a feed, so that another thread can break them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: set[ClientConnection] = set()
        self.closed = False

    def add(self, connection: ClientConnection) -> None:
        """Remember a connection; broken at once where the feed is closed already."""
        with self._lock:
            self._open.add(connection)
            closed = self.closed
        if closed:
            cut(connection)

    def discard(self, connection: ClientConnection) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)

    def close(self) -> None:
        """Break all connections, and those to come."""
        with self._lock:
            self.closed = True
            waiting = list(self._open)
        for connection in waiting:
            cut(connection)


def cut(connection: ClientConnection) -> None:
    """End a connection without the closing handshake, which the other side may never answer."""
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def dial(
    url: str,
    subprotocol: str | None,
    *,
    what: str,
    wires: Wires,
    clock: Callable[[], datetime],
    may_be_unknown: bool = False,
) -> Iterator[ClientConnection]:
    """A connection to a stream; the errors of the handshake as the loop knows them.

    ``may_be_unknown``: an answer that a server gives to an unknown address raises NotSpoken instead.
    InvalidStatus passes where the body names an error of the cursor; see ``refused_cursor``.
    """
    made: list[ClientConnection] = []

    def create(sock: socket.socket, protocol: ClientProtocol, **kwargs: Any) -> ClientConnection:
        _stay(protocol.uri, url, what)
        connection = ClientConnection(sock, protocol, **kwargs)
        made.append(connection)
        wires.add(connection)
        return connection

    try:
        connection = _connect(url, subprotocol, what, create, clock, may_be_unknown)
        try:
            with connection:
                yield connection
        finally:
            cut(connection)
    finally:
        for each in made:
            wires.discard(each)


def _connect(
    url: str,
    subprotocol: str | None,
    what: str,
    create: Any,
    clock: Callable[[], datetime],
    may_be_unknown: bool,
) -> ClientConnection:
    try:
        return connect(
            url,
            subprotocols=[Subprotocol(subprotocol)] if subprotocol else None,
            compression=None,  # the streams are small, and a small frame must not unpack to a huge one
            open_timeout=CONNECT_SECONDS,
            ping_interval=None,  # pings are ours, see frames()
            close_timeout=1,
            max_size=MAX_FRAME,
            max_queue=_QUEUE,
            create_connection=create,
        )
    except InvalidStatus as error:
        raise _status(error, what, clock(), may_be_unknown) from None
    except (InvalidHandshake, InvalidURI) as error:
        reason = f"{what} does not speak WebSocket ({type(error).__name__})"
        raise NotSpoken(reason) if may_be_unknown else Unavailable(reason) from None
    except TimeoutError:
        raise Lost(f"{what} did not answer within {CONNECT_SECONDS:.0f} s") from None
    except (OSError, EOFError, ConnectionClosed) as error:
        cause = getattr(error, "strerror", None) or type(error).__name__
        raise Lost(f"{what} cannot be reached or broke off ({cause})") from None


def _stay(reached: WebSocketURI, url: str, what: str) -> None:
    """Refuse to be sent on to another host, before anything is said to it."""
    if f"{'wss' if reached.secure else 'ws'}://{reached.host.casefold()}:{reached.port}" != origin(url):
        raise Unavailable(f"{what} sends us on to {reached.host}; mend base_url if that is right")


def _status(error: InvalidStatus, what: str, now: datetime, may_be_unknown: bool) -> Exception:
    response = error.response
    status = response.status_code
    body = bytes(response.body or b"")
    if status == 400 and b"CursorTooOld" in body:
        return error
    if may_be_unknown and status in (400, 404, 405, 426, 501):
        return NotSpoken(f"{what} answers {status}", place=status == 400)
    try:
        refuse(status, dict(response.headers.raw_items()), now, what=what, said=said(body))
    except Exception as meant:
        return meant
    return Unavailable(f"{what} answers with a page ({status}) instead of a stream")


def frames(connection: ClientConnection, what: str, stall_after: float) -> Iterator[bytes | Sign]:
    """The frames as they come, and a ``Sign`` whenever none does; ends when the server closes.

    A connection on which neither a frame nor an answer to a ping comes for ``stall_after`` seconds is
    deaf: Lost.
    """
    heard = monotonic()
    pong: Event | None = None
    tick = min(_TICK, stall_after / 4)
    while True:
        try:
            # Bytes, since a text that is no UTF-8 would end the connection, each time it is replayed.
            frame = connection.recv(timeout=tick, decode=False)
        except TimeoutError:
            now = monotonic()
            if pong is not None and pong.is_set():
                pong, heard = None, now
                yield Sign.PONG
            elif now - heard >= stall_after:
                cut(connection)
                raise Lost(f"{what} fell silent: nothing for {stall_after:g} s, not even a pong") from None
            else:
                yield Sign.NOTHING
            if pong is None and monotonic() - heard >= stall_after / 3:
                pong = _ping(connection, what)
            continue
        except ConnectionClosed as error:
            _ended(error, what)
            return
        heard = monotonic()
        yield frame
        # Another thread may take as long as it likes with a frame: that is no silence of the server.
        heard = monotonic()


def _ping(connection: ClientConnection, what: str) -> Event:
    try:
        return connection.ping()
    except ConnectionClosed as error:
        _ended(error, what)
        raise Lost(f"{what} closed the connection") from None


def _ended(error: ConnectionClosed, what: str) -> None:
    """Return after a proper close, else raise Lost."""
    if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
        raise TooBig(f"{what} sent a message of more than {MAX_FRAME:,} bytes") from None
    if error.rcvd is None:
        raise Lost(f"{what} broke off") from None
    if error.rcvd.code not in (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY):
        reason = "".join(sign for sign in error.rcvd.reason if sign.isprintable())[:100]
        detail = f": {reason}" if reason else ""
        raise Lost(f"{what} closed the connection ({int(error.rcvd.code)}{detail})") from None
