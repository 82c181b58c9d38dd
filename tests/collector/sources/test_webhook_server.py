"""The webhook's server: who is let in, what bodies may be, limits, and what strangers leave: nothing."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from archive.vocabulary import Deleted, Item, Private, Received, SourceSpec, Unmapped
from collector.mapping.webhook import Unnamed
from collector.sources import webhook_server
from collector.sources.base import Setup
from collector.sources.webhook_server import Delivery, Endpoint, Limits

TOKEN = "a token that nobody gueßes"
PATIENCE = 20.0  # seconds
LIMITS = Limits(body=20_000, items=10, connections=8, waiting=4, reading=PATIENCE, commit=PATIENCE, leave=0.1)


class Server:
    """An endpoint, and a thread that stores whatever comes (unless told not to)."""

    def __init__(self, setup: Setup, limits: Limits = LIMITS) -> None:
        self.items: list[Item] = []
        self.stores = True
        self.waiting: queue.Queue[Delivery | None] = queue.Queue(limits.waiting)
        self.endpoint = Endpoint(setup, TOKEN, self.waiting, Unnamed(), limits)
        listener = socket.create_server(("127.0.0.1", 0))
        self.place = listener.getsockname()
        self.url = f"http://127.0.0.1:{self.place[1]}"
        self.endpoint.start(listener)
        self._thread = threading.Thread(target=self._store)
        self._thread.start()

    def _store(self) -> None:
        while (delivery := self.waiting.get()) is not None:
            if self.stores:
                self.items += delivery.items
                delivery.stored()

    def close(self) -> None:
        self.waiting.put(None)
        self._thread.join()
        self.endpoint.stop()
        assert not self.endpoint.is_running()

    def send(
        self, body: Any, path: str = "/posts", method: str = "POST", token: str | None = TOKEN
    ) -> requests.Response:
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        headers = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
        return requests.request(method, self.url + path, data=data, headers=headers, timeout=PATIENCE)

    def raw(self, text: bytes, *, seconds: float = PATIENCE) -> bytes:
        """What is answered to these bytes until the connection ends."""
        with socket.create_connection(self.place, seconds) as connection:
            connection.sendall(text)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
            return answer


def setup_in(folder: Path) -> Setup:
    spec = SourceSpec(kind="webhook", name="hook", arm="remote", settings={})
    unused: Any = None
    return Setup(spec, unused, folder, {}, unused, lambda: datetime.now(UTC))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(setup_in(tmp_path_factory.mktemp("hook")))
    yield server
    server.close()


@pytest.fixture
def server(running: Server) -> Server:
    """The one that runs, with nothing stored yet."""
    running.items.clear()
    running.stores = True
    return running


def hello(**more: Any) -> dict[str, Any]:
    return {"author": "Ana", "text": "Hello", **more}


def texts(items: list[Item]) -> list[str]:
    return [item.post.text for item in items if isinstance(item, Received)]


@pytest.mark.parametrize("form", ["object", "array", "lines", "spread", "marked"])
def test_the_forms_of_a_body(form: str, server: Server) -> None:
    values = [hello(id="1", text="one \u2028 line"), hello(id="2", text="two")]
    body = {
        "object": json.dumps(values[0]),
        "array": json.dumps(values),
        "lines": "\n".join(json.dumps(value, ensure_ascii=False) for value in values) + "\r\n\n",
        "spread": json.dumps(values[0], indent=1),
        "marked": "\ufeff" + json.dumps(values[0]),
    }[form]
    answer = server.send(body.encode())
    assert answer.status_code == 200
    expected = ["one \u2028 line", "two"][: len(answer.json()["items"])]
    assert texts(server.items) == expected and len(expected) == (2 if form in ("array", "lines") else 1)


def test_the_bare_address_will_do(server: Server) -> None:
    assert server.send(json.dumps(hello(id="1")).encode(), path="/").status_code == 200
    assert texts(server.items) == ["Hello"]


@pytest.mark.parametrize("token", [None, "", "another one", TOKEN + " ", TOKEN[:-1], "x" * 9_000])
def test_without_the_token_nothing_is_read_and_nothing_left(token: str | None, server: Server) -> None:
    for method, path in (("POST", "/posts"), ("PUT", "/posts/1"), ("DELETE", "/posts/1")):
        answer = server.send(hello(), path, method, token)
        if token == TOKEN + " ":  # a space around it is no part of it
            continue
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text
    assert server.items == [] or token == TOKEN + " "


def test_another_scheme_is_no_token(server: Server) -> None:
    headers = {"Authorization": f"Basic {TOKEN}".encode()}
    assert (
        requests.post(server.url + "/posts", json=hello(), headers=headers, timeout=PATIENCE).status_code
        == 401
    )


def test_health_needs_no_token(server: Server) -> None:
    answer = requests.get(server.url + "/health", timeout=PATIENCE)
    assert (answer.status_code, answer.headers["server"]) == (200, "backchannel")
    assert server.send("", "/elsewhere").status_code == 404
    assert server.send("", "/posts", "GET").status_code == 405


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "an empty body"),
        (b"[]", 400, "no item in it"),
        (b"<html>", 400, "line 1 column 1"),
        (b'{"author": "Ana", ', 400, "no JSON"),
        (b'{"author": "Ana"}\n{"author"', 400, "line 2: "),
        (b"\xff\xfe", 400, "no UTF-8 at byte 1"),
        (b"[" * 15_000, 400, "nested too deeply"),
        (b'{"a":' * 3_000, 400, "no JSON"),
        (b'"\\ud800"', 400, "lone surrogate"),
        (b'{"text": NaN}', 400, "NaN"),
        (b"9" * 5_000, 400, "digits"),
        (b"7", 422, "an item is a JSON object"),
        (b'{"author": "Ana", "text": ""}', 422, "text is missing"),
        (json.dumps([hello()] * 11).encode(), 413, "more than 10 items"),
        (b"\n".join([json.dumps(hello()).encode()] * 11), 413, "more than 10 items"),
        (json.dumps(hello(text="x" * 30_000)).encode(), 413, "more than 20,000 bytes"),
    ],
)
def test_what_is_no_item(body: bytes, status: int, reason: str, server: Server) -> None:
    answer = server.send(body)
    assert (answer.status_code, reason in answer.text) == (status, True), answer.text
    assert not texts(server.items)
    assert server.send(hello()).status_code == 200


def test_a_bad_item_among_good_ones(server: Server) -> None:
    answer = server.send(
        [hello(id="1"), {"author": "Luis", "text": 7}, hello(text="a secret", private=True), hello(id="4")]
    )
    assert answer.status_code == 200 and answer.json()["accepted"] == 3
    outcomes = answer.json()["items"]
    assert [outcome["outcome"] for outcome in outcomes] == ["stored", "refused", "private", "stored"]
    assert outcomes[0]["key"] == "webhook:1" and "text is missing" in outcomes[1]["reason"]
    good, bad, private, last = server.items
    assert isinstance(good, Received) and isinstance(last, Received) and private == Private("item 3")
    assert isinstance(bad, Unmapped) and bad.where == "item 2" and bad.accounts == ("webhook:Luis",)
    assert bad.payload == '{"author":"Luis","text":7}'


@pytest.mark.parametrize(
    "value", [hello(is_private=True), hello(text=0, note="a direct message"), [[[["deep"] * 9]]] * 2]
)
def test_what_may_have_been_private_is_not_quarantined(value: Any, server: Server) -> None:
    assert server.send([value] if isinstance(value, dict) else value).status_code == 422
    assert all(isinstance(item, Unmapped) and item.payload is None for item in server.items)


def test_an_item_too_deep_to_be_written(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(value: Any) -> str:
        raise RecursionError

    monkeypatch.setattr(webhook_server, "dump", refuse)
    assert server.send({"author": "Ana", "text": 7}).status_code == 422
    (item,) = server.items
    assert isinstance(item, Unmapped) and item.payload is None


def test_edits_and_deletions(server: Server) -> None:
    edit = hello(text="Hello again", at="2026-03-16T14:00:00Z")
    assert server.send(edit, "/posts/m%2F1", "PUT").json()["key"] == "webhook:m/1"
    assert server.send("", "/posts/m%2F1", "DELETE").json() == {"outcome": "deleted", "key": "webhook:m/1"}
    post, deletion = server.items
    assert isinstance(post, Received) and post.post.edited_at
    assert isinstance(deletion, Deleted) and deletion.key == "webhook:m/1"
    assert server.send(hello(), "/posts/1", "PUT").status_code == 422
    assert server.send("[", "/posts/1", "PUT").status_code == 400
    assert server.send("", "/posts/%20", "DELETE").status_code == 422
    assert server.send(hello(private=True), "/posts/1", "PUT").json() == {"outcome": "private"}


HEAD = (
    b"POST /posts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
    + TOKEN.encode()
    + b"\r\n"
)


def test_a_body_that_does_not_come(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.endpoint, "limits", replace(LIMITS, reading=0.1))
    answer = server.raw(HEAD + b'Content-Length: 100\r\n\r\n{"author"')
    assert b" 408 " in answer and server.items == []


def test_a_length_that_lies(server: Server) -> None:
    body = json.dumps(hello()).encode()
    assert b" 400 " in server.raw(HEAD + b"Content-Length: 10\r\n\r\n" + body)
    assert b" 400 " in server.raw(HEAD + b"Content-Length: -1\r\n\r\n" + body)
    assert server.items == []


def test_a_connection_that_is_cut(server: Server) -> None:
    with socket.create_connection(server.place, PATIENCE) as connection:
        connection.sendall(HEAD + b'Content-Length: 100\r\n\r\n{"author"')
    assert server.send(hello()).status_code == 200
    assert texts(server.items) == ["Hello"]


def test_headers_that_never_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.raw(b"POST /posts HTTP/1.1\r\nX: " + b"x" * 100_000).startswith(b"HTTP/1.1 400")
    monkeypatch.setattr(webhook_server._ImpatientProtocol, "PATIENCE", 0.3)
    for beginning in (b"", b"POST /posts HTTP/1.1\r\nHost: x\r\nX: slow"):
        with suppress(ConnectionError):  # an end without a reset is as good
            assert server.raw(beginning) == b""
    # A whole request, and then one that never ends.
    answered = HEAD.replace(b"Connection: close\r\n", b"") + b"Content-Length: 2\r\n\r\n[]"
    with suppress(ConnectionError):
        assert b"no item in it" in server.raw(answered + b"POST /po")
    assert server.send(hello()).status_code == 200


def test_too_many_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.stores = False
    monkeypatch.setattr(server.endpoint, "limits", replace(LIMITS, commit=0.1))
    statuses: list[int] = []
    senders = [
        threading.Thread(target=lambda: statuses.append(server.send(hello()).status_code)) for _ in range(20)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(PATIENCE)
    assert set(statuses) == {503} and len(statuses) == 20
    server.stores = True
    monkeypatch.setattr(server.endpoint, "limits", LIMITS)
    assert server.send(hello()).status_code == 200


def test_a_full_queue_says_so(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(delivery: object) -> None:
        raise queue.Full

    monkeypatch.setattr(server.waiting, "put_nowait", full)
    answer = server.send(hello())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_a_stop_answers_who_is_there(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # The last test of this server, which ends here.
    monkeypatch.setattr(webhook_server, "_BY_ITSELF", PATIENCE)
    server.stores = False
    statuses: list[Any] = []

    def send(act: Callable[[], Any]) -> None:
        try:
            statuses.append(act())
        except (requests.RequestException, OSError):
            statuses.append("cut")

    slow = HEAD + b'Content-Length: 100\r\n\r\n{"author"'
    senders = [
        threading.Thread(target=send, args=(lambda: server.send(hello()).status_code,)),
        threading.Thread(target=send, args=(lambda: server.raw(slow)[:12],)),
    ]
    for sender in senders:
        sender.start()
    limit = time.monotonic() + PATIENCE
    while not (server.endpoint._open and len(server.endpoint._server.server_state.connections) == 2):
        assert time.monotonic() < limit, "they do not come"
        senders[0].join(0.01)
    server.endpoint.stop()
    for sender in senders:
        sender.join(PATIENCE)
    assert not server.endpoint.is_running()
    assert 503 in statuses and len(statuses) == 2
    server.endpoint.stop()


def test_whoever_comes_while_it_ends_is_not_left_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is accepted when all others were told to go, by a server that is in a hurry."""
    monkeypatch.setattr(webhook_server, "_BY_ITSELF", 0.0)
    monkeypatch.setattr(webhook_server, "_BY_FORCE", PATIENCE)
    monkeypatch.setattr(webhook_server._ImpatientProtocol, "shutdown", lambda self: None)
    monkeypatch.setattr(Endpoint, "_leave", lambda self: None)
    server = Server(setup_in(tmp_path), replace(LIMITS, leave=0.0))
    with socket.create_connection(server.place, PATIENCE) as connection:
        limit = time.monotonic() + PATIENCE
        while not server.endpoint._server.server_state.connections:
            assert time.monotonic() < limit, "it is not accepted"
        server.close()
        with suppress(ConnectionError):
            assert connection.recv(1) == b""
