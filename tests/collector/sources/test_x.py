from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest

from archive.errors import UsageError
from archive.vocabulary import Deleted, Meeting, Received, Skipped, Unmapped
from collector.importers import twarc2
from collector.importers.base import Context
from collector.sources import x
from collector.sources.base import (
    Connected,
    Exhausted,
    Gap,
    Heard,
    Limited,
    Lost,
    Refused,
    SourceError,
    Spent,
    Unavailable,
)
from tests.collector.sources.x_observer import TOKEN, Clock, Observer, Shelf, heard, setup_of, with_hashtags
from tests.fakes.x import ANSWERS, LIVE, XServer

PATIENCE = 20.0  # seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[XServer]:
    with XServer(clock=clock, page_size=3, keep_alive=0.05) as opened:
        yield opened


@pytest.fixture
def feed(
    server: XServer, meeting: Meeting, clock: Clock, request: pytest.FixtureRequest
) -> Iterator[x.XFeed]:
    # Only where silence is what the test is about: a busy machine is silent for half a second by itself.
    stall_after = 0.5 if "silen" in request.node.name else 60
    opened = x.open_feed(setup_of(server, meeting, clock, stall_after=stall_after))
    yield opened
    opened.close()


@pytest.fixture
def observer(feed: x.XFeed, clock: Clock) -> Observer:
    return Observer(feed, clock)


def test_a_post_comes_with_its_payload_and_is_counted(observer: Observer, server: XServer) -> None:
    heard(observer, server, "Hello #Sample2012", "Again #sample2012")
    assert observer.texts() == server.truth()
    assert isinstance(observer.signals[0], Connected)
    item = next(iter(observer.posts.values()))
    assert item.raw is not None and "matching_rules" not in item.raw and "bc_ana" in item.raw
    assert item.received_at == item.observed_at is not None
    assert item.post.author.handle == "bc_ana"
    # The loop left at the second post, before it was counted.
    assert observer.all(Spent) == [Spent(1)]


def test_no_parameter_of_enterprise_is_asked_for(observer: Observer, server: XServer) -> None:
    heard(observer, server, "one #sample2012")
    asked = next(query for path, query in server.requests if path == "GET /2/tweets/search/stream")
    assert set(asked) == {"tweet.fields", "user.fields", "expansions"}
    assert "note_tweet" in asked["tweet.fields"][0]


def test_quiet_is_heard_and_silence_is_lost(observer: Observer, server: XServer) -> None:
    observer.listen(until=lambda: len(observer.all(Heard)) >= 2)
    assert observer.errors == []
    server.fault("live:silent")
    heard(observer, server, "unheard #sample2012")
    assert str(observer.errors[0]) == "the stream of X fell silent"


def test_the_stream_and_a_search_tell_the_same_of_a_post(observer: Observer, server: XServer) -> None:
    heard(observer, server, "one #sample2012 " + "long " * 100)
    streamed = next(iter(observer.posts.values()))
    observer.refill()
    searched = observer.all(Received)[-1]
    assert (searched.post, searched.raw) == (streamed.post, streamed.raw)


def test_a_kept_payload_can_be_imported_again(observer: Observer, server: XServer, meeting: Meeting) -> None:
    heard(observer, server, "one #sample2012")
    (item,) = observer.posts.values()
    (again,) = twarc2.read(io.BytesIO((item.raw or "").encode()), Context(meeting, "file"))
    assert isinstance(again, Received)
    assert (again.post, again.raw) == (item.post, item.raw)


@pytest.mark.parametrize("name", LIVE)
def test_any_fault_of_the_stream_leaves_no_hole(name: str, observer: Observer, server: XServer) -> None:
    server.fault(f"live:{name}")
    heard(observer, server, *(f"post {number} #sample2012" for number in range(7)))
    refilled = observer.refill()
    assert server.struck[f"live:{name}"] == 1
    assert observer.texts() == server.truth()
    assert refilled.lost == "reposts: X's search gives none"
    heard(observer, server, "afterwards #sample2012")
    observer.refill()
    assert observer.texts() == server.truth()


@pytest.mark.parametrize("name", [*ANSWERS, "too_many_connections", "no_rules", "partial_errors"])
@pytest.mark.parametrize("step", ["rules", "add_rules", "connect"])
def test_any_fault_before_the_stream_leaves_no_hole(
    step: str, name: str, observer: Observer, server: XServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if f"{step}:{name}" not in server.FAULTS:
        return
    if name == "silent":  # any other fault is an answer, which a busy machine may give late
        monkeypatch.setattr("collector.sources.x_api.ANSWER_SECONDS", 1.0)
    server.fault(f"{step}:{name}")
    if (step, name) != ("connect", "gzip"):
        server.post("meanwhile #sample2012")
        observer.listen(until=lambda: server.struck[f"{step}:{name}"] > 0 and bool(observer.all(Connected)))
    heard(observer, server, "afterwards #sample2012")
    observer.refill()
    assert server.struck[f"{step}:{name}"] == 1
    assert observer.texts() == server.truth()
    assert server.leaked == []


QUARANTINED = {
    "half_line": "half a line",
    "garbage": "no UTF-8",
    "html": "damaged JSON",
    "null_data": "a message without a post",
    "huge_post": "longer than 2,000,000 bytes",
    "deep": "nested too deeply",
    "surrogate": "half a character",
    "nul": "a NUL character",
    "nan": "NaN is no JSON value",
    "duplicate_keys": "stands twice",
    "wrong_types": "no post id",
    "unknown_message": "a kind of message that is not known",
    "big_id": "no post id",
}


@pytest.mark.parametrize("name", QUARANTINED)
def test_what_cannot_be_read_goes_to_quarantine(name: str, observer: Observer, server: XServer) -> None:
    server.fault(f"live:{name}")
    heard(observer, server, "unharmed #sample2012")
    found = observer.all(Unmapped)
    assert len(found) == 1
    assert QUARANTINED[name] in found[0].reason
    assert found[0].payload


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("live:operational_disconnect", Lost, "disconnected upstream"),
        ("live:connection_exception", Limited, "stop the other program"),
        ("live:cut_mid_line", Lost, "broke off"),
        ("connect:too_many_connections", Limited, "stop the other program"),
        ("connect:no_rules", Unavailable, "409"),
        ("connect:html", Unavailable, "a web page"),
        ("connect:redirect", Unavailable, "no token of ours"),
        ("connect:401", Refused, "bearer token"),
        ("connect:403", Refused, "credits"),
        ("connect:503", Unavailable, "503"),
        ("rules:401", Refused, "bearer token"),
        ("rules:garbage", Unavailable, "no JSON object"),
        ("rules:deep", Unavailable, "no JSON object"),
        ("rules:redirect", Unavailable, "no token of ours"),
        ("rules:page_cut", Lost, "broke off"),
        ("rules:reset", Lost, "broke off"),
        ("add_rules:503", Unavailable, "503"),
        ("add_rules:partial_errors", Refused, "mend the hashtags"),
    ],
)
def test_how_a_conversation_ends(
    fault: str, kind: type[SourceError], reason: str, observer: Observer, server: XServer
) -> None:
    server.fault(fault)
    heard(observer, server, "unheard #sample2012") if fault.startswith("live") else observer.listen()
    (error,) = observer.errors
    assert type(error) is kind or isinstance(error, kind)
    assert reason in str(error)
    assert TOKEN not in str(error) and server.leaked == []


@pytest.mark.parametrize(
    ("fault", "wait"), [("429_far", 900), ("429_past", -1000), ("429_soon", 1), ("429_missing", None)]
)
def test_a_rate_limit_says_until_when(
    fault: str, wait: float | None, observer: Observer, server: XServer, clock: Clock
) -> None:
    for step in ("rules", "connect"):
        server.fault(f"{step}:{fault}")
        observer.listen()
        (error,) = observer.errors
        assert isinstance(error, Limited)
        if wait is None:
            assert error.until is None
        else:
            assert error.until is not None
            assert abs((error.until - clock()).total_seconds() - wait) < 3
        observer.errors.clear()


def test_a_second_program_on_the_account_is_told_what_to_do(
    observer: Observer, server: XServer, meeting: Meeting, clock: Clock
) -> None:
    second = x.open_feed(setup_of(server, meeting, clock))
    with closing(observer.feed.listen(None)) as signals, closing(second):
        assert next(signals) == Connected()
        with pytest.raises(Limited, match="stop the other program") as caught:
            next(second.listen(None))
        assert caught.value.until is None


@pytest.mark.parametrize("step", ["rules", "connect", "live"])
def test_closing_breaks_off_what_waits(step: str, feed: x.XFeed, server: XServer) -> None:
    server.fault(f"{step}:silent")
    errors: list[BaseException] = []
    server_of = threading.Event()

    def work() -> None:
        try:
            for signal in feed.listen(None):
                if isinstance(signal, Connected):
                    server.post("unheard #sample2012")
                    server_of.set()
        except SourceError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not server.struck[f"{step}:silent"]:
        server_of.wait(0.01)
    feed.close()
    feed.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert isinstance(errors[0], Lost)


def test_a_gzipped_stream_is_read_as_it_comes(observer: Observer, server: XServer) -> None:
    server.fault("connect:gzip")
    heard(observer, server, "one #sample2012", "two #sample2012")
    assert observer.texts() == server.truth()


def test_an_edit_is_a_version_of_its_post(observer: Observer, server: XServer, clock: Clock) -> None:
    key = server.post("first #sample2012")
    clock.advance(minutes=2)

    def work() -> None:
        server.wait_for_listeners()
        server.edit(key, "second #sample2012")

    thread = threading.Thread(target=work)
    thread.start()
    observer.listen(until=lambda: bool(observer.posts))
    thread.join()
    (item,) = observer.posts.values()
    assert (item.post.key, item.post.text) == (key, "second #sample2012")
    assert item.post.edited_at is not None
    observer.refill(Gap(clock() - timedelta(hours=1), clock()))
    assert observer.texts() == server.truth() == {key: "second #sample2012"}


def test_reposts_come_by_the_stream_only(observer: Observer, server: XServer) -> None:
    key = server.post("worth it #sample2012")
    missed = server.post("", "bc_luis", repost_of=key)

    def work() -> None:
        server.wait_for_listeners()
        server.post("", "bc_mar", repost_of=key)

    thread = threading.Thread(target=work)
    thread.start()
    observer.listen(until=lambda: bool(observer.posts))
    thread.join()
    (item,) = observer.posts.values()
    assert (item.post.kind, item.post.repost_of, item.post.hashtags) == ("repost", key, ("sample2012",))
    observer.refill()
    assert server.lost_reposts() == {missed}
    assert observer.texts().keys() == server.truth().keys() - {missed}


def test_a_post_of_others_rules_is_kept_only_with_our_hashtag(observer: Observer, server: XServer) -> None:
    server.rules["7"] = {"id": "7", "value": "#other", "tag": "backchannel:another"}
    heard(observer, server, "not ours #other", "both #other #Sámple2012", keys=1)
    assert [item.post.text for item in observer.posts.values()] == ["both #other #Sámple2012"]
    assert observer.all(Skipped)
    assert len(observer.all(Spent)) == 1
    assert server.rules["7"]["tag"] == "backchannel:another"


def test_the_ceiling_warns_and_then_stops(server: XServer, meeting: Meeting, clock: Clock) -> None:
    feed = x.open_feed(setup_of(server, meeting, clock, max_posts=5, spent=2))
    observer = Observer(feed, clock)
    assert feed.notice is None
    heard(observer, server, *(f"post {number} #sample2012" for number in range(9)), keys=99)
    assert feed.notice == "100 % of the 5 posts that may be read have been read"
    assert len(observer.posts) == 3
    (error,) = observer.errors
    assert isinstance(error, Exhausted)
    assert str(error) == "the ceiling max_posts = 5 is reached: raise it in the meeting file"
    asked = len(server.requests)
    with pytest.raises(Exhausted):
        next(feed.listen(None))
    with pytest.raises(Exhausted):
        next(feed.refill(Gap(clock() - timedelta(hours=1), clock())))
    assert len(server.requests) == asked
    feed.close()


def test_endless_garbage_is_no_stream(observer: Observer, server: XServer) -> None:
    server.fault("live:endless_garbage")
    heard(observer, server, "unheard #sample2012", keys=99)
    assert "100 lines in a row" in str(observer.errors[0])
    assert len(observer.all(Unmapped)) == 100


def test_a_rule_that_x_does_not_take_is_noticed(server: XServer, meeting: Meeting, clock: Clock) -> None:
    long_tags = tuple(f"{'sample' * 10}{number}" for number in range(30))
    feed = x.open_feed(setup_of(server, with_hashtags(meeting, *long_tags), clock))
    server.fault("add_rules:partial_errors")
    with closing(feed.listen(None)) as signals:
        assert next(signals) == Connected()
    assert feed.notice is not None and "mend the hashtags" in feed.notice
    feed.close()


def test_refresh_and_check_are_those_of_the_account(server: XServer, meeting: Meeting, clock: Clock) -> None:
    gone = server.post("gone #sample2012")
    server.delete(gone)
    feed = x.open_feed(setup_of(server, meeting, clock, Shelf(gone.removeprefix("x:"))))
    found = [signal for signal in feed.refresh(clock()) if isinstance(signal, Deleted)]
    assert [item.key for item in found] == [gone]
    assert {finding.about for finding in feed.check()} == {"source x"}
    feed.close()


def test_what_cannot_be_opened(server: XServer, meeting: Meeting, clock: Clock) -> None:
    with pytest.raises(UsageError, match="base_url"):
        x.open_feed(setup_of(server, meeting, clock, base_url="nowhere"))
    with pytest.raises(UsageError, match="hashtags"):
        x.open_feed(setup_of(server, with_hashtags(meeting), clock))


@pytest.mark.parametrize("secrets", [{}, {"X_BEARER_TOKEN": "a token\nwith lines"}])
def test_a_token_that_cannot_be(
    secrets: dict[str, str], server: XServer, meeting: Meeting, clock: Clock
) -> None:
    feed = x.open_feed(setup_of(server, meeting, clock, secrets=secrets))
    with pytest.raises(Refused, match="X_BEARER_TOKEN") as caught:
        next(feed.listen(None))
    assert "with lines" not in str(caught.value)
    assert server.requests == []
    feed.close()
