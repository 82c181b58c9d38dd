from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Unmapped
from collector.sources import web
from collector.sources.base import Limited, Lost, Refused, SourceError, Unavailable

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PATIENCE = 20.0  # seconds
Talk = Callable[[socket.socket], None]


class Server:
    """One that says byte for byte what the test wants, to every connection."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.talk: Talk = lambda connection: None
        self.asked: list[bytes] = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                self.asked.append(connection.recv(65_536))
                if not self.done.is_set():
                    self.talk(connection)

    def close(self) -> None:
        self.done.set()
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join(PATIENCE)


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    yield opened
    opened.close()


@pytest.fixture
def session() -> Iterator[web.Session]:
    opened = web.Session()
    yield opened
    opened.close()


def head(*fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def redirect(target: str) -> bytes:
    fields = (f"Location: {target}", "Connection: close", "Content-Length: 0")
    return head(*fields).replace(b"200 OK", b"302 Found")


OK = head("Connection: close", "Content-Length: 2") + b"ok"
CHUNKED = head("Transfer-Encoding: chunked")


def read(server: Server, session: web.Session, *parts: bytes, limit: int = 1_000) -> list[Any]:
    """The lines of an answer sent in these parts; at last the error, where there is one."""

    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    server.talk = talk
    found: list[Any] = []
    with web.translated("it"):
        response = session.get(server.url, stream=True, timeout=PATIENCE)
    try:
        found += web.lines(response, "it", limit)
    except Lost as error:
        found.append(error)
    return found


# -- lines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [CHUNKED, chunk(b"one\r\n\r\ntwo\n"), chunk(b""), b""],
        [CHUNKED, chunk(b"on"), chunk(b"e\r"), chunk(b"\n\r\n"), chunk(b"two\n"), chunk(b"")],
        [head("Content-Length: 11"), b"one\r\n\r", b"\ntwo\n"],
        [head("Connection: close"), b"one\r\n", b"\r\ntwo\n"],
        [head("Content-Encoding: gzip", "Connection: close"), gzip.compress(b"one\r\n\r\ntwo\n")],
    ],
)
def test_lines_however_they_are_sent(parts: list[bytes], server: Server, session: web.Session) -> None:
    assert read(server, session, *parts) == [b"one", b"", b"two"]


def test_a_line_is_there_as_soon_as_it_was_sent(server: Server, session: web.Session) -> None:
    packer = zlib.compressobj(wbits=31)
    heard = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(head("Transfer-Encoding: chunked", "Content-Encoding: gzip"))
        for number in range(3):
            data = packer.compress(b"line %d\r\n" % number) + packer.flush(zlib.Z_SYNC_FLUSH)
            connection.sendall(chunk(data))
            assert heard.wait(PATIENCE)
            heard.clear()
        connection.sendall(chunk(packer.flush()) + chunk(b""))

    server.talk = talk
    found = []
    for line in web.lines(session.get(server.url, stream=True, timeout=PATIENCE), "it"):
        found.append(line)
        heard.set()
    assert found == [b"line 0", b"line 1", b"line 2"]


@pytest.mark.parametrize(
    ("parts", "lost"),
    [
        ([CHUNKED, chunk(b"one\ntw"), chunk(b"")], False),
        ([CHUNKED, chunk(b"one\ntw")], True),
        ([CHUNKED, b"ff\r\none\ntw"], True),
        ([CHUNKED, chunk(b"one\ntw"), b"no length\r\n"], True),
        ([head("Content-Length: 99"), b"one\ntw"], True),
        ([head("Connection: close"), b"one\ntw"], False),
    ],
)
def test_half_a_line_at_the_end(parts: list[bytes], lost: bool, server: Server, session: web.Session) -> None:
    first, half, *end = read(server, session, *parts)
    assert first == b"one"
    assert isinstance(half, Unmapped) and half.payload == "tw" and "half a line" in half.reason
    assert [type(error) for error in end] == ([Lost] if lost else [])


def test_a_long_line_is_cut_and_harms_no_other(server: Server, session: web.Session) -> None:
    long = b"x" * 300_000
    parts = [
        CHUNKED,
        chunk(b"a\n" + long),
        chunk(long + b"\nb\n" + b"y" * 2_000 + b"\nc\n" + long),
        chunk(b""),
    ]
    one, cut, two, short, three, last = read(server, session, *parts)
    assert (one, two, three) == (b"a", b"b", b"c")
    for item, size in ((cut, 600_000), (short, 2_000), (last, 300_000)):
        assert isinstance(item, Unmapped)
        assert f"longer than 1,000 bytes ({size:,})" in item.reason
        assert len(item.payload or "") == min(size, web.KEPT)


def test_broken_compression_is_lost(server: Server, session: web.Session) -> None:
    (error,) = read(server, session, head("Content-Encoding: gzip", "Connection: close"), b"no gzip at all")
    assert isinstance(error, Lost)


@given(st.lists(st.binary(max_size=9).map(lambda part: part.replace(b"\r", b"")), max_size=9))
def test_lines_of_any_pieces(pieces: list[bytes]) -> None:
    left = [piece for piece in pieces if piece]

    class Raw:
        def read1(self, size: int, decode_content: bool) -> bytes:
            return left.pop(0) if left else b""

    response = requests.Response()
    response.raw = Raw()
    response.close = lambda: None  # type: ignore[method-assign]
    *whole, rest = b"".join(pieces).split(b"\n")
    found = list(web.lines(response, "it"))
    assert found[: len(whole)] == whole
    assert len(found) == len(whole) + bool(rest.strip())


# -- bodies ------------------------------------------------------------------------------------------


def test_a_body_is_read_whole_or_not_at_all(server: Server, session: web.Session) -> None:
    def ask(*parts: bytes, until: Callable[[], bool] | None = None) -> bytes:
        server.talk = lambda connection: connection.sendall(b"".join(parts))
        return web.body(session.get(server.url, stream=True, timeout=PATIENCE), "it", 10, until)

    assert ask(head("Connection: close", "Content-Length: 3"), b"abc") == b"abc"
    with pytest.raises(Lost, match="broke off"):
        ask(head("Connection: close", "Content-Length: 9"), b"abc")
    with pytest.raises(Unavailable, match="more than 10 bytes"):
        ask(head("Connection: close", "Content-Length: 11"), b"x" * 11)
    with pytest.raises(Lost, match="too slowly"):
        ask(head("Connection: close", "Content-Length: 3"), b"abc", until=lambda: True)


# -- sessions ----------------------------------------------------------------------------------------


def test_closing_wakes_whoever_waits_for_a_line(server: Server, session: web.Session) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(CHUNKED + chunk(b"one\n"))
        server.done.wait(60)

    server.talk = talk
    response = session.get(server.url, stream=True, timeout=60)
    found = web.lines(response, "it")
    assert next(found) == b"one"
    closer = threading.Timer(0.1, session.close)
    closer.start()
    began = time.monotonic()
    with pytest.raises(Lost):
        next(found)
    assert time.monotonic() - began < PATIENCE  # nothing else would have woken it by then
    server.done.set()
    closer.join()


def test_closing_wakes_whoever_waits_for_an_answer(server: Server, session: web.Session) -> None:
    server.talk = lambda connection: bool(server.done.wait(60)) and None  # type: ignore[return-value,func-returns-value]
    closer = threading.Timer(0.1, session.close)
    closer.start()
    began = time.monotonic()
    with pytest.raises(Lost), web.translated("it"):
        session.get(server.url, timeout=60)
    assert time.monotonic() - began < PATIENCE
    server.done.set()
    closer.join()
    session.close()
    with pytest.raises(Lost), web.translated("it"):
        session.get(server.url, timeout=30)


@pytest.mark.parametrize(
    "target",
    ["http://elsewhere.example/x", "//elsewhere.example/x", "https://127.0.0.1/", "http://127.0.0.1:1/x"],
)
def test_no_redirect_to_another_host(target: str, server: Server, session: web.Session) -> None:
    answer = (
        f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()
    )
    server.talk = lambda connection: connection.sendall(answer)
    with pytest.raises(Unavailable, match="no token of ours"), web.translated("it"):
        session.get(server.url, headers={"Authorization": "Bearer a-token"}, timeout=PATIENCE)
    assert len(server.asked) == 1


def test_a_redirect_within_the_server_is_followed(server: Server, session: web.Session) -> None:
    def talk(connection: socket.socket) -> None:
        if len(server.asked) == 1:
            connection.sendall(
                b"HTTP/1.1 302 Found\r\nLocation: /there\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
        else:
            connection.sendall(OK)

    server.talk = talk
    assert session.get(server.url, timeout=PATIENCE).text == "ok"
    assert server.asked[1].startswith(b"GET /there ")


def test_a_proxy_is_broken_off_too(server: Server, session: web.Session) -> None:
    server.talk = lambda connection: connection.sendall(OK)
    proxies = {"http": server.url}
    assert session.get("http://nowhere.example/", proxies=proxies, timeout=PATIENCE).text == "ok"
    session.close()
    with pytest.raises(Lost), web.translated("it"):
        session.get("http://nowhere.example/", proxies=proxies, timeout=PATIENCE)


def test_a_server_without_tls(server: Server, session: web.Session) -> None:
    server.talk = lambda connection: connection.sendall(b"plain")
    with pytest.raises(Lost), web.translated("it"):
        session.get(server.url.replace("http", "https"), timeout=PATIENCE)


# -- what things mean --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (requests.ReadTimeout("secret"), "it fell silent"),
        (TimeoutError("secret"), "it fell silent"),
        (ConnectionResetError(104, "Connection reset by peer"), "Connection reset by peer"),
        (requests.ConnectionError("secret"), "(ConnectionError)"),
    ],
)
def test_whatever_breaks_is_lost(error: Exception, text: str) -> None:
    with pytest.raises(Lost) as caught, web.translated("it"):
        raise error
    assert text in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_is_said_already_passes() -> None:
    with pytest.raises(Refused, match="no"), web.translated("it"):
        raise Refused("no")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Refused), (403, Refused), (420, Limited), (429, Limited), (302, Unavailable), (500, Unavailable)],
)
def test_statuses(status: int, kind: type[SourceError]) -> None:
    with pytest.raises(kind, match=rf"it answers {status}: why"):
        web.refuse(status, {}, NOW, what="it", said="why")
    web.refuse(204, {}, NOW, what="it")


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:10 GMT"}, 10),
        ({"X-Rate-Limit-Reset": str(int(NOW.timestamp()) + 4)}, 4),
        ({"x-ratelimit-reset": "2026-11-26T12:00:05.000Z"}, 5),
        ({"x-ratelimit-reset": "2026-11-26T12:00:05"}, 5),
        ({"x-rate-limit-reset": "soon"}, None),
        ({"x-rate-limit-reset": "9" * 40}, None),
    ],
)
def test_when_a_limit_ends(headers: dict[str, str], wait: float | None) -> None:
    found = web.reset_of(headers, NOW)
    assert found == (None if wait is None else NOW + timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"detail": "no\\nway"}', "no way"),
        (b'{"errors": [{"message": "first"}]}', "first"),
        (b'{"title": "' + b"x" * 900 + b'"}', "x" * 200),
        ("[1]", ""),
        (b"\xff<html>", ""),
        (b'{"errors": 7, "detail": " "}', ""),
    ],
)
def test_reasons(body: bytes | str, text: str) -> None:
    assert web.said(body) == text


def test_origins() -> None:
    assert web.origin("HTTPS://Api.Example/x") == web.origin("https://api.example:443")
    assert web.origin("wss://a") == "wss://a:443"
    assert web.origin("http://a") == "http://a:80"
    assert web.origin("/x") == ""
