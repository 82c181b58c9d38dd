"""The session under mastodon-py: what it lets through, what it refuses, and the names of servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
import requests

from collector.sources.base import Limited, Lost, Refused, Unavailable
from collector.sources.mastodon_wire import Client, Gone, Wire, server_of
from tests.fakes.mastodon import TOKEN, MastodonServer


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[MastodonServer]:
    with MastodonServer(heartbeat=0.1) as opened:
        yield opened


@pytest.fixture
def client(server: MastodonServer) -> Iterator[Client]:
    made = Client(server.url, TOKEN, now, 3.0)
    with closing(made.wire):
        yield made


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://Social.example", "social.example"),
        ("https://social.example:443/", "social.example"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://social.example:80", "social.example"),
        ("https://bc:secret@social.example", "social.example"),
    ],
)
def test_server_of(base_url: str, name: str) -> None:
    assert server_of(base_url) == name


def test_the_body_is_as_it_was_sent(client: Client, server: MastodonServer) -> None:
    server.post("Hello #sample2012")
    body = client.ask(client.timeline_hashtag, "sample2012")
    assert b"Hello #sample2012" in body
    assert client.wire.headers_seen["x-ratelimit-limit"] == "300"
    assert client.wire.take_body() is None


def test_headers_that_mastodon_py_dies_of(client: Client, server: MastodonServer) -> None:
    server.fault("page_odd_headers")
    assert client.ask(client.timeline_hashtag, "sample2012").startswith(b"[")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("page_429", Limited),
        ("page_503", Unavailable),
        ("page_html", Unavailable),
        ("page_cut", Lost),
        ("page_closed", Lost),
        ("page_silent", Lost),
        ("page_redirect", Unavailable),
    ],
)
def test_what_an_answer_means(
    fault: str, error: type[Exception], client: Client, server: MastodonServer
) -> None:
    server.fault(fault)
    with pytest.raises(error) as raised:
        client.ask(client.timeline_hashtag, "sample2012")
    assert TOKEN not in str(raised.value)


def test_gone(client: Client) -> None:
    with pytest.raises(Gone, match="Record not found") as gone:
        client.ask(client.status, "7")
    assert gone.value.of_a_record


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("connect_401", Refused),
        ("connect_html", Unavailable),
        ("connect_closed", Lost),
        ("connect_429", Limited),
    ],
)
def test_streams_that_do_not_open(
    fault: str, error: type[Exception], client: Client, server: MastodonServer
) -> None:
    server.fault(fault)
    with pytest.raises(error):
        client.read_stream("sample2012", lambda _: pytest.fail("it was accepted"))


def test_a_stream(client: Client) -> None:
    read: list[bytes] = []

    def take(response: requests.Response) -> None:
        read.append(response.raw.read1(3))

    client.read_stream("sample2012", take)
    assert read == [b":)\n"]


def test_a_bug_in_reading_is_not_hidden(client: Client) -> None:
    with pytest.raises(ZeroDivisionError):
        client.read_stream("sample2012", lambda _: 1 // 0)  # type: ignore[arg-type, return-value]


def test_a_bug_in_asking_is_not_hidden(client: Client) -> None:
    with pytest.raises(TypeError):
        client.ask(client.status)
    with pytest.raises(Lost, match="no answer"):
        client.ask(lambda: None)


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://social.example/x", "https://social.example.evil/", "https://[", ""],
)
def test_hosts_that_get_no_token(url: str) -> None:
    with closing(Wire("https://social.example", now)) as wire, pytest.raises((Unavailable, Lost)):
        wire.request("GET", url)
