"""The past by search, edits and deletions by look-up: what comes, and what is said to be lost."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from archive.vocabulary import Deleted, Meeting, Received, Unmapped
from collector.sources.base import Gap, Refilled, Signal
from collector.sources.bluesky import Bluesky
from collector.sources.bluesky_search import MAX_PAGES
from tests.collector.sources.bluesky_driver import Held, setup_of
from tests.fakes.bluesky import Network, SearchServer

TAG = "#Sample2012"
HOUR = timedelta(hours=1)
PATIENCE = 20.0  # seconds


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def search(network: Network) -> Iterator[SearchServer]:
    with SearchServer(network, page=3) as opened:
        yield opened


class Desk:
    """A feed whose search is the fake, and what an archive would hold of it."""

    def __init__(self, meeting: Meeting, url: str | None, **settings: Any) -> None:
        self.held = Held()
        setup = setup_of(
            meeting, settings.pop("base_url", "ws://127.0.0.1:9"), self.held, search_url=url, **settings
        )
        self.feed = Bluesky(setup)

    def take(self, signals: Iterator[Signal]) -> list[Signal]:
        said = list(signals)
        for signal in said:
            self.held.take(signal)
        return said

    def refill(self, *, first: bool = False, ended: timedelta = timedelta(0)) -> Refilled:
        now = datetime.now(UTC)
        said = self.take(self.feed.refill(Gap(now - HOUR, now - ended, first)))
        assert isinstance(said[-1], Refilled)
        assert not any(isinstance(signal, Refilled) for signal in said[:-1])
        return said[-1]


@pytest.fixture
def desk(meeting: Meeting, search: SearchServer) -> Iterator[Desk]:
    opened = Desk(meeting, search.url)
    yield opened
    opened.feed.close()


def test_a_gap_is_refilled_page_by_page(network: Network, search: SearchServer, desk: Desk) -> None:
    for number in range(10):
        network.post(f"Number {number} {TAG}", "bc_luis")
    network.post("Only in the list", tags=["SAMPLE2012"])
    network.post("Nothing of ours")
    network.post(f"Much too early {TAG}", created_at=datetime.now(UTC) - 5 * HOUR)
    refilled = desk.refill()
    assert refilled.by == "search" and "reposts" in str(refilled.lost) and refilled.again
    assert desk.refill(ended=timedelta(minutes=5)).again is None
    assert len(desk.held.posts) == 11
    post = next(iter(desk.held.posts.values())).post
    assert post.engagement is not None and (post.engagement.likes, post.engagement.quotes) == (3, 0)
    assert desk.refill(first=True) and len(desk.held.posts) == 12
    assert any("cursor" in query for _, query in search.asked)
    assert {query["limit"][0] for _, query in search.asked} == {"100"}


def test_search_and_stream_make_the_same_post(network: Network, desk: Desk) -> None:
    parent = network.post(f"Hello {TAG}")
    network.post(f"An answer {TAG} https://example.org", "bc_luis", reply_to=parent)
    desk.refill()
    found = {key: item.post for key, item in desk.held.posts.items()}
    other = Held()
    for entry in network.log:
        event = {"did": entry.did, "time_us": entry.time_us, "kind": "commit", "commit": entry.change}
        for signal in desk.feed._sorter.sort(event, None, "a stream"):
            other.take(signal)
    for key, item in other.posts.items():
        assert found[key].engagement is not None
        assert item.post.engagement is None
        for name in (
            "author",
            "text",
            "created_at",
            "kind",
            "reply_to",
            "links",
            "hashtags",
            "url",
            "edited_at",
        ):
            assert getattr(found[key], name) == getattr(item.post, name), name


def test_what_is_known_to_be_gone_stays_gone(network: Network, desk: Desk) -> None:
    """A search index lags: it still shows what the stream has seen deleted."""
    key = network.post(f"Not meant for you {TAG}")
    desk.feed._sorter.memory.bury(key, None)
    desk.refill()
    assert key in desk.held.gone and not desk.held.posts


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ("401", "refuses"),
        ("403", "refuses"),
        ("429", "enough of us"),
        ("500", "500"),
        ("html", "something else"),
        ("garbage", "cannot be asked"),
        ("list", "something else"),
        ("redirect", "302"),
        ("hang_up", "asked|reached"),
    ],
)
@pytest.mark.parametrize("page", [0, 1])
def test_a_search_that_fails_says_so(
    network: Network, search: SearchServer, desk: Desk, fault: str, lost: str, page: int
) -> None:
    for number in range(5):
        network.post(f"Number {number} {TAG}")
    if page:
        refill = desk.feed.refill(Gap(datetime.now(UTC) - HOUR, datetime.now(UTC)))
        next(refill)  # the first page
        search.fault(fault)
        said = [*refill][-1]
    else:
        search.fault(fault)
        said = desk.refill()
    assert isinstance(said, Refilled) and said.lost is not None
    assert re.search(lost, said.lost)
    assert (said.again is not None and 5 < said.again <= 7) if fault == "429" else said.again is None


def test_a_search_without_end(network: Network, search: SearchServer, desk: Desk) -> None:
    network.post(f"Hello {TAG}")
    search.fault("endless")
    assert desk.refill().by == "search"
    assert len(search.asked) < 10 < MAX_PAGES


def test_answers_that_are_no_posts(network: Network, search: SearchServer, desk: Desk) -> None:
    network.post(f"Hello {TAG}")
    search.fault("odd")
    desk.refill()
    assert len(desk.held.posts) == 1
    assert len(desk.held.unmapped) == 2 and all(isinstance(item, Unmapped) for item in desk.held.unmapped)


def test_login(meeting: Meeting, network: Network) -> None:
    network.post(f"Hello {TAG}")
    with SearchServer(network, login=True) as search:
        settings = {"handle": "bc-desk.example.org", "app_password_env": "BSKY"}
        for secrets, fine in (
            ({"BSKY": SearchServer.PASSWORD}, True),
            ({"BSKY": "wrong-one"}, False),
            ({}, False),
        ):
            desk = Desk(meeting, search.url, secrets=secrets, **settings)
            refilled = desk.refill()
            assert bool(desk.held.posts) is fine
            if not fine:
                assert "set handle and app_password_env" in str(refilled.lost)
                assert "wrong-one" not in str(refilled.lost)
            states = [finding.state for finding in desk.feed._search.check("x")]  # type: ignore[union-attr]
            assert states == ["ok" if fine else "failed"]
            desk.feed.close()
        assert any(header.startswith("Bearer ") for header in search.seen)


def test_refresh_finds_edits_and_deletions(network: Network, desk: Desk) -> None:
    keys = network.post_many(f"Number {number} {TAG}" for number in range(60))
    repost = network.post("", "bc_kofi", repost_of=keys[0])
    desk.refill()
    for entry in network.log[-1:]:
        event = {"did": entry.did, "time_us": entry.time_us, "kind": "commit", "commit": entry.change}
        desk.take(iter(desk.feed._sorter.sort(event, None, "a stream")))
    assert repost in desk.held.posts
    network.delete(keys[7])
    network.edit(keys[8], "Other words")
    said = desk.take(desk.feed.refresh(datetime.now(UTC) - HOUR))
    assert [signal.key for signal in said if isinstance(signal, Deleted)] == [keys[7]]
    found = {signal.post.key for signal in said if isinstance(signal, Received)}
    assert found - {repost} == {key for key in keys if key != keys[7]}
    assert said[-1] == Refilled(by="look-up")
    assert desk.held.texts() == network.truth()


@pytest.mark.parametrize("fault", ["401", "500", "html", "list", "garbage", "hang_up"])
def test_a_failed_look_up_deletes_nothing(
    network: Network, search: SearchServer, desk: Desk, fault: str
) -> None:
    network.post(f"Hello {TAG}")
    desk.refill()
    search.fault(fault)
    said = desk.take(desk.feed.refresh(datetime.now(UTC) - HOUR))
    assert len(said) == 1 and isinstance(said[0], Refilled) and said[0].lost
    assert len(desk.held.posts) == 1


def test_look_ups_at_a_pds(meeting: Meeting, network: Network) -> None:
    """A base_url of subscribeRepos may be a PDS: it knows its own posts, and cannot search."""
    with SearchServer(network) as server:
        desk = Desk(meeting, None, base_url=server.url.replace("http", "ws") + "/xrpc")
        assert "set search_url" in str(desk.refill().lost)
        gone, kept = network.post_many([f"One {TAG}", f"Two {TAG}"])
        for entry in network.log:
            event = {"did": entry.did, "time_us": entry.time_us, "kind": "commit", "commit": entry.change}
            desk.take(iter(desk.feed._sorter.sort(event, None, "a stream")))
        network.delete(gone)
        network.edit(kept, f"Two, better {TAG}")
        said = desk.take(desk.feed.refresh(datetime.now(UTC) - HOUR))
        assert [signal.key for signal in said if isinstance(signal, Deleted)] == [gone]
        assert desk.held.texts() == network.truth()
        assert [finding.state for finding in desk.feed._search.check("x")] == ["warning"]  # type: ignore[union-attr]
        desk.feed.close()
        desk.feed.close()
        assert desk.take(desk.feed.refresh(datetime.now(UTC) - HOUR))[-1] == Refilled(
            by="nothing", lost="stopped"
        )


def test_closing_breaks_off_a_question_that_is_under_way(meeting: Meeting) -> None:
    """Else a stop would have to wait, or leave a thread behind, until a silent server is given up."""
    asked = threading.Event()
    over = threading.Event()
    said: list[Signal] = []

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            asked.set()
            over.wait(60)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        desk = Desk(meeting, f"http://127.0.0.1:{listening.getsockname()[1]}")
        refilling = threading.Thread(target=lambda: said.append(desk.refill()))
        refilling.start()
        assert asked.wait(PATIENCE)
        desk.feed.close()
        refilling.join(PATIENCE)
        over.set()
        serving.join(PATIENCE)
    assert not refilling.is_alive()
