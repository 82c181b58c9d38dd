"""The fake proves itself: plain tweepy, run against it, fails in every way that research measured."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tweepy

from tests.fakes.x import LIVE, XServer


class Plain(tweepy.StreamingClient):
    """tweepy as it comes, but for the address; it keeps what happens to it."""

    def __init__(self, server: XServer) -> None:
        super().__init__(server.token, daemon=True)
        self.server = server
        self.heard: list[str] = []
        self.happened: list[str] = []
        self.changed = threading.Condition()

    def _connect(self, method: str, endpoint: str, **asked: Any) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.bearer_token}"
        url = f"{self.server.url}/2/tweets/{endpoint}/stream"
        tweepy.streaming.BaseStream._connect(self, method, url, timeout=0.5, **asked)

    def note(self, what: str) -> None:
        with self.changed:
            self.happened.append(what)
            self.changed.notify_all()

    def on_tweet(self, tweet: Any) -> None:
        self.heard.append(tweet.text)
        self.note(f"heard {tweet.text.split()[0]}")

    def on_connect(self) -> None:
        self.note("connected")

    def on_exception(self, exception: Exception) -> None:
        self.note(f"died of {type(exception).__name__}")

    def on_request_error(self, status_code: int) -> None:
        self.note(f"refused {status_code}")

    def on_connection_error(self) -> None:
        self.note("broken")

    def wait_for(self, what: str, times: int = 1) -> None:
        """Until it has happened so often."""
        with self.changed:
            happened = self.changed.wait_for(lambda: self.happened.count(what) >= times, 8)
        assert happened, self.happened


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer(keep_alive=0.05) as opened:
        opened.rules["1"] = {"id": "1", "value": "#sample2012", "tag": "ours"}
        yield opened


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long tweepy would have slept, each time."""
    taken: list[float] = []
    monkeypatch.setattr(tweepy.streaming, "sleep", taken.append)
    return taken


@pytest.fixture
def plain(server: XServer, naps: list[float]) -> Iterator[Plain]:
    logging.getLogger("tweepy").setLevel(logging.CRITICAL)
    client = Plain(server)
    yield client
    client.disconnect()
    server.close()
    if client.thread is not None:
        client.thread.join(5)
    client.session.close()


def listening(plain: Plain, server: XServer) -> None:
    plain.filter(threaded=True)
    plain.wait_for("connected")
    server.wait_for_listeners()


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("half_line", "JSONDecodeError"),
        ("garbage", "JSONDecodeError"),
        ("html", "JSONDecodeError"),
        ("null_data", "TypeError"),
        ("rule_without_tag", "KeyError"),
        ("deep", "RecursionError"),
        ("wrong_types", "TypeError"),
    ],
)
def test_the_thread_dies(fault: str, cause: str, plain: Plain, server: XServer) -> None:
    listening(plain, server)
    server.fault(f"live:{fault}")
    server.post("one #sample2012")
    plain.wait_for(f"died of {cause}")
    assert plain.thread is not None
    plain.thread.join(5)
    assert not plain.thread.is_alive()


@pytest.mark.parametrize(
    "fault", ["silent", "operational_disconnect", "cut_mid_line", "reset", "close_at_once"]
)
def test_the_posts_of_a_gap_are_lost(fault: str, plain: Plain, server: XServer) -> None:
    listening(plain, server)
    server.fault(f"live:{fault}")
    server.post("gap #sample2012")
    plain.wait_for("connected", 2)
    server.wait_for_listeners()
    server.post("after #sample2012")
    plain.wait_for("heard after")
    assert plain.heard == ["after #sample2012"]
    assert "gap #sample2012" in server.truth().values()
    assert not any("recent" in path for path, _ in server.requests)


@pytest.mark.parametrize("fault", ["connect:429_soon", "connect:too_many_connections"])
def test_the_reset_is_ignored(fault: str, plain: Plain, server: XServer, naps: list[float]) -> None:
    server.fault(fault)
    listening(plain, server)
    assert naps == [60]


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refusal_is_repeated_for_ever(
    status: str, plain: Plain, server: XServer, naps: list[float]
) -> None:
    server.fault(f"connect:{status}", times=10_000)
    plain.filter(threaded=True)
    plain.wait_for(f"refused {status}", 30)
    assert naps[:8] == [5, 10, 20, 40, 80, 160, 320, 320]
    assert plain.running


def test_a_server_that_closes_at_once_is_asked_without_any_wait(
    plain: Plain, server: XServer, naps: list[float]
) -> None:
    listening(plain, server)
    for number in range(12):
        server.fault("live:close_at_once")
        server.post(f"lost{number} #sample2012")
        plain.wait_for("connected", number + 2)
        server.wait_for_listeners()
    assert not any(naps)
    assert plain.heard == []


def test_deleted_and_superseded_versions_are_kept_and_duplicates_passed_on(
    plain: Plain, server: XServer
) -> None:
    listening(plain, server)
    key = server.post("first #sample2012")
    server.edit(key, "second #sample2012")
    plain.wait_for("heard second")
    server.delete(key)
    server.fault("live:duplicate")
    server.post("twice #sample2012")
    plain.wait_for("heard twice", 2)
    assert plain.heard == ["first #sample2012", "second #sample2012", *["twice #sample2012"] * 2]
    assert list(server.truth().values()) == ["twice #sample2012"]


def test_what_it_survives(plain: Plain, server: XServer) -> None:
    listening(plain, server)
    for fault in ("unknown_message", "split_bytes", "slow_bytes"):
        server.fault(f"live:{fault}")
        server.post(f"{fault} #sample2012")
        plain.wait_for(f"heard {fault}")


def test_every_fault_has_a_name_of_its_own(server: XServer) -> None:
    assert len(set(server.FAULTS)) == len(server.FAULTS) > 150
    assert {f"live:{name}" for name in LIVE} < set(server.FAULTS)
    with pytest.raises(AssertionError):
        server.fault("nothing of the kind")


def test_the_rules_of_search(server: XServer) -> None:
    first = server.post("one #sample2012")
    server.post("", repost_of=first)
    found = server.search("#sample2012", *_window(server), 10, None)
    assert [post["id"] for post in found["data"]] == [first.removeprefix("x:")]
    assert len(server.truth()) == 2


def test_many_posts_are_cheap(plain: Plain, server: XServer) -> None:
    listening(plain, server)
    server.post_many(f"{number} #sample2012" for number in range(600))
    plain.wait_for("heard 599")


def _window(server: XServer) -> tuple[Any, Any]:
    now: Callable[[], Any] = server.clock
    return now().replace(year=2020), now().replace(year=now().year + 1)
