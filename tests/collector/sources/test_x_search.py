from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from archive.vocabulary import Meeting, Received, Unmapped
from collector.sources import x
from collector.sources.base import Exhausted, Gap, Limited, Refused, Spent
from tests.collector.sources.x_observer import Clock, Observer, setup_of, with_hashtags
from tests.fakes.x import ANSWERS, OF_STEP, XServer

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[XServer]:
    with XServer(clock=clock, page_size=3) as opened:
        yield opened


@pytest.fixture
def observer(server: XServer, meeting: Meeting, clock: Clock) -> Iterator[Observer]:
    feed = x.open_feed(setup_of(server, meeting, clock))
    yield Observer(feed, clock)
    feed.close()


def pages_asked(server: XServer, kind: str = "recent") -> list[dict[str, list[str]]]:
    return [query for path, query in server.requests if path == f"GET /2/tweets/search/{kind}"]


def test_a_gap_is_refilled_page_by_page(observer: Observer, server: XServer) -> None:
    server.post_many(f"post {number} #sample2012" for number in range(8))
    refilled = observer.refill()
    assert (refilled.by, refilled.lost) == ("search", "reposts: X's search gives none")
    assert observer.texts() == server.truth()
    assert [spent.posts for spent in observer.all(Spent)] == [3, 3, 2]
    assert [page.get("next_token") is None for page in pages_asked(server)] == [True, False, False]


def test_a_fresh_gap_is_asked_for_twice(observer: Observer, server: XServer, clock: Clock) -> None:
    gap = Gap(clock() - timedelta(minutes=3), clock())
    server.post("not yet indexed #sample2012")
    server.search_lag = 60
    (first,) = [signal for signal in observer.feed.refill(gap) if not isinstance(signal, Received)]
    assert first.again == 30  # type: ignore[union-attr]
    clock.advance(seconds=30)
    assert observer.refill(gap).again is None
    assert observer.texts() == server.truth()
    clock.advance(minutes=5)
    assert observer.refill(gap).again is None


def test_what_was_said_a_moment_ago_comes_at_once_where_the_server_allows(
    observer: Observer, server: XServer, clock: Clock
) -> None:
    """X searches up to 30 s ago where no end is named, and refuses one that is nearer than 10 s."""
    server.usual_end = timedelta(0)
    gap = Gap(clock() - timedelta(seconds=3), clock() + timedelta(seconds=1))
    server.post("said in the gap #sample2012")
    clock.advance(seconds=1)
    assert [item.post.text for item in observer.feed.refill(gap) if isinstance(item, Received)] == [
        "said in the gap #sample2012"
    ]
    clock.advance(seconds=30)
    list(observer.feed.refill(gap))
    assert ["end_time" in page for page in pages_asked(server)] == [False, True]


def test_a_gap_of_the_last_seconds_asks_for_nothing_that_x_refuses(
    observer: Observer, server: XServer, clock: Clock
) -> None:
    for age in (0, 5, 20):
        list(observer.feed.refill(Gap(clock() - timedelta(seconds=age), clock())))
    assert len(pages_asked(server)) == 3


@pytest.mark.parametrize("fault", [*ANSWERS, *OF_STEP["search"]])
@pytest.mark.parametrize("page", [0, 1])
def test_any_fault_of_a_search_leaves_no_hole(
    fault: str, page: int, observer: Observer, server: XServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "silent":  # any other fault is an answer, which a busy machine may give late
        monkeypatch.setattr("collector.sources.x_api.ANSWER_SECONDS", 1.0)
    server.post_many(f"post {number} #sample2012" for number in range(8))
    clock.advance(minutes=2)
    gap = Gap(clock() - timedelta(hours=1), clock())
    signals = observer.feed.refill(gap)
    for _ in range(4 * page):
        observer.take(next(signals))
    server.fault(f"search:{fault}")
    while True:
        try:
            for signal in signals:
                observer.take(signal)
            break
        except Exception as error:
            observer.errors.append(error)  # type: ignore[arg-type]
            signals = observer.feed.refill(gap)
    refilled: Any = observer.signals[-1]
    if fault == "token_repeated":
        assert "circles" in refilled.lost
        assert set(observer.texts()) < set(server.truth())
    else:
        assert observer.texts() == server.truth()
        assert len(observer.errors) == (fault != "empty_page")
    # What had been read before the fault was not read, and paid for, again.
    assert sum(spent.posts for spent in observer.all(Spent)) <= 8
    assert server.leaked == []


def test_a_rate_limit_in_the_middle_keeps_the_page(observer: Observer, server: XServer, clock: Clock) -> None:
    server.post_many(f"post {number} #sample2012" for number in range(5))
    clock.advance(minutes=2)
    gap = Gap(clock() - timedelta(hours=1), clock())
    server.fault("search:429_far")
    with pytest.raises(Limited) as caught:
        list(observer.feed.refill(gap))
    assert caught.value.until is not None
    assert observer.refill(gap).lost is not None
    assert observer.texts() == server.truth()


@pytest.mark.parametrize("fault", ["garbage", "page_garbled_with_token"])
def test_a_page_that_stays_unreadable_is_passed_over(fault: str, observer: Observer, server: XServer) -> None:
    server.post_many(f"post {number} #sample2012" for number in range(8))
    server.fault(f"search:{fault}", times=3)
    refilled = observer.refill()
    assert "a page that could not be read" in str(refilled.lost)
    assert len(observer.all(Unmapped)) == 3
    assert len(observer.posts) == (0 if fault == "garbage" else 5)


def test_a_strange_post_harms_no_other(
    observer: Observer, server: XServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.post("good #sample2012")
    plain = server.search

    def strange(*asked: Any) -> dict[str, Any]:
        page = plain(*asked)
        return {**page, "data": [None, 7, *page["data"], {"id": "x"}], "includes": json.loads("[7]")}

    monkeypatch.setattr(server, "search", strange)
    observer.refill()
    assert len(observer.posts) == 1
    assert len(observer.all(Unmapped)) == 3
    assert observer.all(Spent) == [Spent(4)]


def test_what_is_older_than_a_week_comes_from_the_full_archive(
    observer: Observer, server: XServer, clock: Clock
) -> None:
    for days in (1, 9):
        server.post(f"{days} days ago #sample2012", created_at=clock() - days * DAY)
    assert observer.refill(Gap(clock() - 10 * DAY, clock(), first=True)).by == "full-archive search"
    assert observer.texts() == server.truth()
    assert pages_asked(server, "all")[0]["max_results"] == ["500"]


def test_without_the_full_archive_the_recent_part_comes(
    observer: Observer, server: XServer, clock: Clock
) -> None:
    server.full_archive = False
    for days in (1, 9):
        server.post(f"{days} days ago #sample2012", created_at=clock() - days * DAY)
    refilled = observer.refill(Gap(clock() - 10 * DAY, clock()))
    assert refilled.by == "search"
    assert "everything before" in str(refilled.lost) and "403" in str(refilled.lost)
    assert list(observer.texts().values()) == ["1 days ago #sample2012"]
    assert "everything before" in str(observer.refill(Gap(clock() - 10 * DAY, clock() - 8 * DAY)).lost)


def test_a_refused_search_is_said(observer: Observer, server: XServer, clock: Clock) -> None:
    server.fault("search:403")
    with pytest.raises(Refused, match="credits"):
        list(observer.feed.refill(Gap(clock() - timedelta(hours=1), clock())))


def test_many_hashtags_take_several_searches(server: XServer, meeting: Meeting, clock: Clock) -> None:
    tags = [f"{'tag' * 20}{number}" for number in range(20)]
    feed = x.open_feed(setup_of(server, with_hashtags(meeting, *tags), clock))
    server.hashtags = tuple(tags)
    server.post_many(f"#{tag}" for tag in tags)
    observer = Observer(feed, clock)
    observer.refill()
    assert observer.texts() == server.truth()
    feed.close()


def test_no_page_reads_beyond_the_ceiling(server: XServer, meeting: Meeting, clock: Clock) -> None:
    server.page_size = 500
    server.post_many(f"post {number} #sample2012" for number in range(150))
    feed = x.open_feed(setup_of(server, meeting, clock, max_posts=125))
    observer = Observer(feed, clock)
    clock.advance(minutes=2)
    with pytest.raises(Exhausted):
        for signal in feed.refill(Gap(clock() - timedelta(hours=1), clock())):
            observer.take(signal)
    assert [page["max_results"] for page in pages_asked(server)] == [["100"], ["25"]]
    assert len(observer.posts) == server.read == 125
    feed.close()
