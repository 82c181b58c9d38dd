from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from archive.vocabulary import Deleted, Meeting, Received, Unmapped
from collector.sources import x, x_refresh
from collector.sources.base import Exhausted, Heard, Limited, Signal, Spent, Unavailable
from tests.collector.sources.x_observer import Clock, Shelf, setup_of
from tests.fakes.x import XServer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[XServer]:
    with XServer(clock=clock) as opened:
        yield opened


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def feed(server: XServer, meeting: Meeting, clock: Clock, shelf: Shelf) -> Iterator[x.XFeed]:
    opened = x.open_feed(setup_of(server, meeting, clock, shelf))
    yield opened
    opened.close()


@pytest.fixture
def small_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_refresh, "JOB_FROM", 1)


def kept(server: XServer, shelf: Shelf, number: int = 3) -> list[str]:
    keys = server.post_many(f"post {n} #sample2012" for n in range(number))
    shelf.ids = [key.removeprefix("x:") for key in keys]
    return keys


def of(kind: type, signals: list[Signal]) -> list[Any]:
    return [signal for signal in signals if isinstance(signal, kind)]


def lookups(server: XServer) -> int:
    return sum(path == "GET /2/tweets" for path, _ in server.requests)


def test_deleted_edited_and_unchanged(feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock) -> None:
    gone, edited, _ = kept(server, shelf)
    server.delete(gone)
    server.edit(edited, "better #sample2012")
    shelf.ids.append("1e+18")
    signals = list(feed.refresh(clock()))
    (deleted,) = of(Deleted, signals)
    assert (deleted.key, deleted.source) == (gone, "x")
    assert deleted.seen_at is not None
    texts = {item.post.key: item.post.text for item in of(Received, signals)}
    assert texts == server.truth()
    assert [spent.posts for spent in of(Spent, signals)] == [2, 1]


def test_protected_posts_must_go_and_other_errors_say_nothing(
    feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock
) -> None:
    protected, odd, foreign = kept(server, shelf)
    problem = "https://api.twitter.com/2/problems/"
    for key, kind in ((protected, "not-authorized-for-resource"), (odd, "whatever")):
        post_id = key.removeprefix("x:")
        server.extra_errors.append({"resource_id": post_id, "type": f"{problem}{kind}"})
    server.extra_errors.append({"resource_id": "5", "type": f"{problem}resource-not-found"})
    assert [item.key for item in of(Deleted, list(feed.refresh(clock())))] == [protected]
    assert foreign in server.truth()


def test_hundreds_at_a_time_and_on_from_where_it_was(
    feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock
) -> None:
    kept(server, shelf, 250)
    signals = []
    found = feed.refresh(clock())
    for _ in range(50):
        signals.append(next(found))
    server.fault("lookup:429_far")
    with pytest.raises(Limited):
        signals += found
    server.fault("lookup:garbage")
    with pytest.raises(Unavailable):
        list(feed.refresh(clock()))
    list(feed.refresh(clock()))
    assert server.read == 250
    assert lookups(server) == 5
    list(feed.refresh(clock()))
    assert server.read == 500


def test_lookups_keep_to_the_ceiling(server: XServer, meeting: Meeting, clock: Clock, shelf: Shelf) -> None:
    kept(server, shelf, 150)
    feed = x.open_feed(setup_of(server, meeting, clock, shelf, max_posts=120))
    with pytest.raises(Exhausted):
        list(feed.refresh(clock()))
    assert server.read == 120
    feed.close()


@pytest.mark.usefixtures("small_jobs")
def test_a_job_tells_deletions_for_nothing(
    feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock
) -> None:
    gone, edited, _ = kept(server, shelf)
    server.delete(gone)
    server.edit(edited, "better #sample2012")
    signals = list(feed.refresh(clock()))
    assert [item.key for item in of(Deleted, signals)] == [gone]
    assert {item.post.text for item in of(Received, signals)} == {"post 1 #sample2012", "better #sample2012"}
    assert of(Heard, signals)
    assert lookups(server) == 2  # the edited one, and its newest version


@pytest.mark.usefixtures("small_jobs")
@pytest.mark.parametrize("fault", ["jobs:403", "jobs:failed", "jobs:null_data"])
def test_without_a_job_posts_are_looked_up(
    fault: str, feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock
) -> None:
    gone, *_ = kept(server, shelf)
    server.delete(gone)
    server.fault(fault)
    assert [item.key for item in of(Deleted, list(feed.refresh(clock())))] == [gone]
    assert lookups(server) == 1


@pytest.mark.usefixtures("small_jobs")
@pytest.mark.parametrize(
    "fault", ["jobs:503", "jobs:conflict", "upload:reset", "download:page_cut", "jobs:429_far"]
)
def test_a_job_goes_on_where_it_was(
    fault: str, feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock
) -> None:
    gone, *_ = kept(server, shelf)
    server.delete(gone)
    server.fault(fault)
    with pytest.raises(Exception, match="X"):
        list(feed.refresh(clock()))
    assert [item.key for item in of(Deleted, list(feed.refresh(clock())))] == [gone]
    assert lookups(server) == 0


@pytest.mark.usefixtures("small_jobs")
def test_results_of_any_form(
    feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = kept(server, shelf)
    ids = [key.removeprefix("x:") for key in keys]
    results = [
        {"id": ids[0], "reason": "suspended"},
        {"id": ids[1], "action": "scrub_geo"},
        {"id": ids[2], "error": "invalid_id"},
        {"id": "5", "action": "delete"},
        ["no object"],
    ]
    monkeypatch.setattr(server, "_results", lambda ids: results)
    signals = list(feed.refresh(clock()))
    assert [item.key for item in of(Deleted, signals)] == [keys[0]]
    assert [item.payload for item in of(Unmapped, signals)] == [json.dumps(results[-1])]


@pytest.mark.usefixtures("small_jobs")
def test_no_token_goes_to_another_host(
    feed: x.XFeed, server: XServer, shelf: Shelf, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(server, shelf)
    plain = server.job

    def elsewhere(*asked: str) -> Any:
        job = plain(*asked)
        if asked[0] == "create":
            job |= {"upload_url": f"{server.elsewhere}/u", "download_url": f"{server.elsewhere}/d"}  # type: ignore
        elif asked[0] == "show":
            job |= {"status": "complete"}  # type: ignore[operator]
        return job

    monkeypatch.setattr(server, "job", elsewhere)
    list(feed.refresh(clock()))
    assert server.leaked == ["", ""]


@pytest.mark.usefixtures("small_jobs")
@pytest.mark.parametrize("change", [{"upload_url": "file:///etc"}, {"status": "unheard of"}])
def test_a_job_that_says_strange_things(
    change: dict[str, str],
    feed: x.XFeed,
    server: XServer,
    shelf: Shelf,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept(server, shelf)
    plain = server.job
    monkeypatch.setattr(server, "job", lambda *asked: {**plain(*asked), **change})  # type: ignore[dict-item]
    with pytest.raises(Unavailable):
        list(feed.refresh(clock()))
