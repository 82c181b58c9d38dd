"""HTTP as the sources need it: lines as they arrive, and what a status or an error means to the loop."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from archive.shown import printable
from archive.vocabulary import Unmapped
from collector.importers.records import loads
from collector.sources.base import Limited, Lost, Refused, SourceError, Unavailable

MAX_LINE = 2_000_000  # bytes; a post with all that it refers to takes about 20,000
KEPT = 100_000  # bytes of a longer one that quarantine keeps
CONNECT_SECONDS = 10.0
_PIECE = 65_536
_BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ssl.SSLError,
    OSError,
    # What urllib3 runs into when another thread closes the connection under it.
    AttributeError,
    ValueError,
)


class Sockets:
    """The open sockets of a conversation, so that another thread can break off whoever waits at one."""

    def __init__(self) -> None:
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._closed = False

    def add(self, sock: socket.socket) -> None:
        """Remember a socket; broken at once where all are to be."""
        with self._guard:
            self._open.add(sock)
            closed = self._closed
        if closed:
            _shut(sock)

    def close(self) -> None:
        """Break all of them, and those to come; safe to call twice."""
        with self._guard:
            self._closed = True
            sockets = list(self._open)
        for sock in sockets:
            _shut(sock)


class Session(requests.Session):
    """A session that sends no token to another host, and that another thread can break off.

    A redirect to another host raises Unavailable. ``close`` makes whatever waits for a server fail at
    once, and every later request with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 5
        self._sockets = Sockets()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self._sockets.add))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The address to go on to; Unavailable where it is another server's."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        address = urljoin(str(resp.url), target)
        if origin(address) != origin(str(resp.url)):
            resp.close()
            raise Unavailable(
                f"the server sends us on to {urlsplit(address).hostname}, where no token of ours goes; "
                "mend base_url"
            )
        return target

    def close(self) -> None:
        """Break off every connection, from any thread; safe to call twice."""
        self._sockets.close()
        super().close()


def _shut(sock: socket.socket) -> None:
    # Closing would not wake a thread that reads from it, and closing the response would wait for that
    # thread. The plain method, since that of a TLS socket takes its cipher away under the reader.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Tells of every socket that it opens."""

    def __init__(self, opened: Callable[[socket.socket], None]) -> None:
        self._pools = _telling_pools(opened)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _telling_pools(opened: Callable[[socket.socket], None]) -> dict[str, Any]:
    # urllib3 makes connections from a class, so what they tell has to be part of the class.
    class Plain(urllib3.connection.HTTPConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            opened(sock)
            return sock

    class Secure(urllib3.connection.HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            opened(sock)
            return sock

        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                opened(self.sock)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def origin(url: str) -> str:
    """Scheme, host and port of an address, for comparison; empty for a relative one."""
    parts = urlsplit(url)
    if not parts.hostname:
        return ""
    port = parts.port or {"https": 443, "wss": 443}.get(parts.scheme, 80)
    return f"{parts.scheme}://{parts.hostname.casefold()}:{port}"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Whatever breaks inside becomes ``Lost``; what is a ``SourceError`` already passes."""
    try:
        yield
    except SourceError:
        raise
    except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
        raise Lost(f"{what} fell silent") from None
    except _BROKEN as error:
        raise Lost(f"{what} cannot be reached or broke off ({_cause(error)})") from None


def refuse(status: int, headers: Mapping[str, str], now: datetime, *, what: str, said: str = "") -> None:
    """Raise what an HTTP status other than 2xx means; ``said`` is the server's own reason, made short."""
    if 200 <= status < 300:
        return
    reason = f"{what} answers {status}{f': {said}' if said else ''}"
    if status in (401, 403):
        raise Refused(reason)
    if status in (420, 429):
        raise Limited(reason, reset_of(headers, now))
    raise Unavailable(reason)


def said(body: bytes | str) -> str:
    """The reason in an error body, short and printable; empty where there is none to read."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        value: Any = loads(text[:_PIECE])
    except ValueError:
        return ""
    if not isinstance(value, dict):
        return ""
    errors = value.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    found = next(
        (
            part
            for holder in (value, first)
            for name in ("detail", "error_description", "message", "error", "title")
            if isinstance(part := holder.get(name), str) and part.strip()
        ),
        "",
    )
    return printable(found)[:200].strip()


def reset_of(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a rate limit ends: ``retry-after`` or ``x-rate-limit-reset`` in any of their forms, else None."""
    known = {name.casefold(): value.strip() for name, value in headers.items()}
    for name in ("retry-after", "x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset"):
        if (value := known.get(name)) and (moment := _moment(value, now)):
            return moment
    return None


def _moment(value: str, now: datetime) -> datetime | None:
    try:
        if value.replace(".", "", 1).isdigit():
            number = float(value)
            # Small numbers are seconds from now, large ones seconds since 1970.
            return now + timedelta(seconds=number) if number < 10_000_000 else _since_1970(number)
        moment = datetime.fromisoformat(value) if value[:1].isdigit() else parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _since_1970(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def body(
    response: requests.Response, what: str, limit: int, until: Callable[[], bool] | None = None
) -> bytes:
    """The whole body of an answer asked for with ``stream=True``, and the end of the connection's use.

    Raises Lost where it breaks off or ``until`` says that it takes too long, Unavailable where it is
    longer than ``limit`` bytes.
    """
    held = bytearray()
    try:
        with translated(what):
            while piece := response.raw.read1(_PIECE, decode_content=True):
                held += piece
                if len(held) > limit:
                    raise Unavailable(f"{what} sends more than {limit:,} bytes")
                if until is not None and until():
                    raise Lost(f"{what} answers too slowly")
    finally:
        response.close()
    return bytes(held)


def lines(response: requests.Response, where: str, limit: int = MAX_LINE) -> Iterator[bytes | Unmapped]:
    """The lines of a streamed answer, each without its line end, as soon as it is there; empty ones too.

    Only complete lines: half a line before the end is an ``Unmapped``. One longer than ``limit`` bytes is
    an ``Unmapped`` with its beginning, and never held as a whole. Raises ``Lost``.
    """
    held = bytearray()
    size = 0
    broken: Lost | None = None
    try:
        while True:
            try:
                with translated(where):
                    piece = response.raw.read1(_PIECE, decode_content=True)
            except Lost as error:
                broken, piece = error, b""
            if not piece:
                break
            *complete, rest = piece.split(b"\n")
            for part in complete:
                size = _grown(held, size, part, limit)
                if size > limit:
                    yield _too_long(held, size, limit, where)
                else:
                    yield bytes(held).removesuffix(b"\r")
                held.clear()
                size = 0
            size = _grown(held, size, rest, limit)
    finally:
        response.close()
    if size > limit:
        yield _too_long(held, size, limit, where)
    elif held.strip():
        yield Unmapped("half a line: the connection ended in the middle of it", _text(held), where)
    if broken is not None:
        raise broken


def _grown(held: bytearray, size: int, part: bytes, limit: int) -> int:
    """Add to a line what is worth keeping of it; its size so far."""
    held += part
    size += len(part)
    if size > limit:
        del held[KEPT:]
    return size


def _too_long(held: bytearray, size: int, limit: int, where: str) -> Unmapped:
    return Unmapped(f"longer than {limit:,} bytes ({size:,}); its beginning is kept", _text(held), where)


def _text(data: bytes | bytearray) -> str:
    return bytes(data[:KEPT]).decode("utf-8", "backslashreplace")


def _cause(error: BaseException) -> str:
    """The innermost reason, without addresses and their queries, which could hold more than they should."""
    while (inner := error.__cause__ or error.__context__ or getattr(error, "reason", None)) is not None:
        if not isinstance(inner, BaseException):
            break
        error = inner
    text = getattr(error, "strerror", None) or type(error).__name__
    return str(text)
