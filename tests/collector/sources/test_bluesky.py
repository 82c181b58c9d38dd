"""Bluesky over both Jetstreams and subscribeRepos: whatever the server does, the archive ends up true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic, thread_time
from typing import Any

import pytest

from archive.vocabulary import Meeting, Received
from collector.sources import bluesky, bluesky_socket
from collector.sources.base import (
    CaughtUp,
    Connected,
    Gap,
    Heard,
    Limited,
    Lost,
    Missed,
    Reached,
    Refilled,
    Refused,
    Unavailable,
)
from collector.sources.bluesky import Bluesky, open_feed
from collector.sources.bluesky_events import Sorter
from tests.collector.sources.bluesky_driver import Held, Loop, setup_of
from tests.fakes.bluesky import (
    ENDING,
    HANDSHAKE,
    HARMLESS,
    HOSTILE,
    JetstreamServer,
    ReposServer,
    SearchServer,
    Server,
)

KINDS = ("v1", "v2", "repos")
TAG = "#Sample2012"
#: Seconds without a word after which a server is deaf, in the tests of these names.
DEAF = {"silence": 0.6, "deaf": 2.0}


def new_server(kind: str) -> Server:
    return ReposServer() if kind == "repos" else JetstreamServer(int(kind[1]))


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    with new_server(request.param) as opened:
        yield opened


@pytest.fixture
def loop(
    server: Any, meeting: Meeting, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Loop]:
    # Silence is short only where the test is about it: a busy machine answers no ping for a while, either.
    monkeypatch.setattr(bluesky_socket, "_TICK", 0.15)
    stall_after = next((s for name, s in DEAF.items() if name in request.node.name), 60)
    with Loop(setup_of(meeting, server.url, stall_after=stall_after)) as listening:
        listening.connected()
        yield listening


def cursor_at(moment: datetime, url: str) -> str:
    """The cursor of someone who was listening until a moment, by time."""
    return f"v1:0:{int(moment.timestamp() * 1_000_000)}:{url.removeprefix('ws://')}"


def test_a_conversation_with_everything_in_it(server: Any, loop: Loop) -> None:
    first = server.post(f"Good morning {TAG}")
    server.foreign(20)
    server.post("Nothing of ours")
    reply = server.post(f"And to you {TAG}", "bc_luis", reply_to=first)
    server.post("", "bc_kofi", repost_of=first)
    gone = server.post(f"Not meant for you {TAG}")
    server.post("", "bc_kofi", repost_of=gone)
    server.post("Only in the list", "bc_luis", tags=["sample2012"])
    features = [{"$type": "app.bsky.richtext.facet#tag", "tag": "SAMPLE2012"}]
    server.post("Only in the facet", "bc_luis", facets=[{"index": {}, "features": features}])
    server.edit(first, f"Good morning, all {TAG}")
    server.edit(reply, "And to you, without the hashtag")
    server.delete(gone)
    loop.knows(server)
    assert len(server.truth()) == 5
    assert not loop.held.unmapped
    kinds = sorted(str(item.post.kind) for item in loop.held.posts.values())
    assert kinds == ["original", "original", "original", "reply", "repost"]
    assert loop.said(Connected) == [Connected(None)]


# A handshake has two places only: before anything happened, and after.
STEPS = [(fault, step) for fault in HANDSHAKE for step in (0, 3)]
STEPS += [(fault, step) for fault in (*HOSTILE, *HARMLESS, *ENDING) for step in range(4)]


@pytest.mark.parametrize(("fault", "step"), STEPS)
def test_every_fault_at_every_step(server: Any, loop: Loop, fault: str, step: int) -> None:
    """Four things happen; before one of them the server does its worst."""
    keys = [server.post(f"Before {TAG}")]
    loop.knows(server)
    for number in range(4):
        if number == step:
            server.fault(fault)
            if fault in (*HANDSHAKE, "close_at_once"):
                server.disconnect()
        match number:
            case 0:
                keys.append(server.post(f"One {TAG}", "bc_luis"))
            case 1:
                server.edit(keys[1], f"One, better {TAG}")
            case 2:
                server.post("", "bc_kofi", repost_of=keys[1])
            case 3:
                server.delete(keys[0])
    server.post(f"The last one {TAG}")
    loop.knows(server)
    assert server.struck[fault] == 1
    assert not loop.missed or fault == "giant"
    if fault in HOSTILE and fault != "nul":
        loop.until(lambda: bool(loop.held.unmapped))
        assert len(loop.held.unmapped) >= 1
        assert all(len(item.payload or "") <= 100_000 for item in loop.held.unmapped)
    elif fault == "nul":
        assert any(key.endswith("3hostile") for key in loop.held.posts)  # the archive refuses it
    else:
        assert not loop.held.unmapped


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", Refused),
        ("403", Refused),
        ("429", Limited),
        ("503", Unavailable),
        ("html", Unavailable),
        ("redirect", Unavailable),
        ("hang_up", (Lost, Unavailable)),
    ],
)
def test_what_a_handshake_means(server: Any, meeting: Meeting, fault: str, error: Any) -> None:
    now = datetime(2026, 3, 26, 9, tzinfo=UTC)
    feed = Bluesky(setup_of(meeting, server.url, clock=lambda: now))
    server.fault(fault, times=2 if fault == "hang_up" else 1)  # it hangs up on both versions of Jetstream
    with pytest.raises(error) as caught:
        list(feed.listen(None))
    if fault == "429":
        assert caught.value.until == now + timedelta(seconds=7)


def test_nobody_there(meeting: Meeting) -> None:
    with pytest.raises(Lost, match="refused"):
        list(Bluesky(setup_of(meeting, "ws://127.0.0.1:9")).listen(None))


def test_a_handshake_without_end(server: Any, meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky_socket, "CONNECT_SECONDS", 0.2)
    server.fault("slow_handshake")
    server.slow = 60
    with pytest.raises(Lost, match="answer"):
        list(Bluesky(setup_of(meeting, server.url)).listen(None))


def test_no_jetstream_at_all(meeting: Meeting) -> None:
    with JetstreamServer(1) as server:
        server.fault("unspoken")
        server.fault("unspoken")
        feed = Bluesky(setup_of(meeting, server.url))
        with pytest.raises(Unavailable, match="no Jetstream there"):
            list(feed.listen(None))


def test_the_version_that_is_spoken_is_remembered(meeting: Meeting) -> None:
    with JetstreamServer(1) as server, Loop(setup_of(meeting, server.url)) as loop:
        loop.connected()
        server.disconnect()
        loop.connected(2)
        assert len(server.asked) == 2  # version 2 was tried once, and not recorded there
        assert loop.feed._spoken == "v1"


@pytest.mark.parametrize("elsewhere", ["400", "426", "close", "close_badly", "hang_up"])
def test_version_1_is_found_whatever_the_server_does_at_the_address_of_version_2(
    elsewhere: str, meeting: Meeting
) -> None:
    with JetstreamServer(1) as server:
        server.elsewhere = elsewhere
        with Loop(setup_of(meeting, server.url), cursor_at(datetime.now(UTC), server.url)) as loop:
            server.post(f"Hello {TAG}")
            loop.knows(server)
            assert not loop.errors and loop.feed._spoken == "v1"


def test_a_server_that_closes_at_once_is_no_other_server(meeting: Meeting) -> None:
    with JetstreamServer(2) as server:
        server.fault("close_at_once")
        with Loop(setup_of(meeting, server.url)) as loop:
            loop.connected()
            server.post(f"Hello {TAG}")
            loop.knows(server)
            assert [type(error) for error in loop.errors] == [Lost]


def test_a_server_that_goes_on_from_no_time_is_listened_to_from_the_present(meeting: Meeting) -> None:
    with JetstreamServer(2) as server:
        server.numbers_only = True
        with Loop(setup_of(meeting, server.url), cursor_at(datetime.now(UTC), server.url)) as loop:
            loop.connected()
            server.post(f"Hello {TAG}")
            loop.knows(server)
            (missed,) = loop.said(Missed)
            assert "400" in missed.cause and not loop.errors


@pytest.mark.parametrize(
    ("version", "path"), [(1, "/subscribe"), (2, "/xrpc/network.bsky.jetstream.subscribeEvents")]
)
def test_an_address_may_name_the_stream(meeting: Meeting, version: int, path: str) -> None:
    with JetstreamServer(version) as server, Loop(setup_of(meeting, server.url + path)) as loop:
        loop.connected()
        server.post(f"Hello {TAG}")
        loop.knows(server)


def test_deaf_is_not_quiet(server: Any, loop: Loop) -> None:
    loop.until(lambda: len(loop.said(Heard)) >= 2)  # pongs
    assert not loop.errors
    server.post(f"Somebody hears this {TAG}")
    loop.knows(server)
    server.fault("silence")
    server.post(f"Nobody hears this yet {TAG}")
    loop.until(lambda: bool(loop.errors))
    assert "not even a pong" in str(loop.errors[0])
    loop.knows(server)


def test_what_was_missed_comes_with_the_cursor(server: Any, meeting: Meeting) -> None:
    held = Held()
    with Loop(setup_of(meeting, server.url, held)) as loop:
        loop.connected()
        server.post(f"Before {TAG}")
        loop.knows(server)
        cursor = loop.cursor
    assert cursor is not None
    key = server.post(f"While nobody listened {TAG}")
    server.edit(key, f"While nobody listened at all {TAG}")
    server.delete(server.post(f"Withdrawn {TAG}"))
    with Loop(setup_of(meeting, server.url, held), cursor) as loop:
        loop.knows(server)
        loop.caught_up()
        assert [each.replays for each in loop.said(Connected)] == ["the cursor"]
        assert not loop.missed
        place = loop.signals.index(CaughtUp())
        assert any(isinstance(signal, Received) for signal in loop.signals[:place])


def test_a_cursor_goes_with_every_kept_post(server: Any, loop: Loop) -> None:
    for number in range(5):
        server.post(f"Number {number} {TAG}")
    loop.knows(server)
    loop.until(lambda: len(loop.said(Reached)) >= 5)
    for place, signal in enumerate(loop.signals):
        if isinstance(signal, Received):
            assert isinstance(loop.signals[place + 1], Reached)


def test_foreign_posts_are_heard_and_counted_cheaply(server: Any, loop: Loop) -> None:
    before, began = len(loop.signals), monotonic()
    server.foreign(3_000)
    server.post(f"At last {TAG}")
    loop.knows(server)
    plain = [signal for signal in loop.signals[before:] if isinstance(signal, Heard | Reached)]
    # One for every thousand events and every kept post, and so many a second: a busy machine takes longer.
    assert len(plain) <= 10 + 4 * (monotonic() - began)


def test_a_cursor_that_is_too_old_leaves_a_gap(server: Any, meeting: Meeting) -> None:
    held = Held()
    old = datetime.now(UTC) - timedelta(hours=40)
    server.post(f"Before {TAG}")
    server.post(f"Lost for good {TAG}")
    server.foreign(3_000)
    server.forget(keep=10)
    host = server.url.removeprefix("ws://").removesuffix("/xrpc")
    kind = "repos" if isinstance(server, ReposServer) else f"v{server.version}"
    time_us = int(old.timestamp() * 1_000_000)
    cursor = f"{kind}:{time_us if kind == 'v1' else 1}:{time_us}:{host}"
    with Loop(setup_of(meeting, server.url, held), cursor) as loop:
        loop.until(lambda: bool(loop.missed))
        assert loop.missed[0].starts == old.replace(microsecond=time_us % 1_000_000)
        ends = loop.missed[0].ends
        assert ends is not None and ends > old
        key = server.post(f"From here on {TAG}")
        loop.until(lambda: key in held.posts)
        assert len(loop.missed) == 1


def test_a_cursor_from_the_future(server: Any, meeting: Meeting) -> None:
    host = server.url.removeprefix("ws://").removesuffix("/xrpc")
    kind = "repos" if isinstance(server, ReposServer) else "v2"
    with Loop(setup_of(meeting, server.url), f"{kind}:900000::{host}") as loop:
        loop.connected()
        server.post(f"Hello {TAG}")
        loop.knows(server)
        if kind == "repos" or server.version == 2:
            assert len(loop.missed) == 1


def test_a_cursor_of_elsewhere(meeting: Meeting) -> None:
    """Numbers are an instance's own; the time is not, and serves either Jetstream."""
    with JetstreamServer(2) as server:
        server.post(f"Before {TAG}")
        time_us = server.log[0].time_us
        for cursor in (f"v1:{time_us}:{time_us}:other.example.org", f"v2:7:{time_us}:other.example.org"):
            with Loop(setup_of(meeting, server.url), cursor) as loop:
                loop.knows(server)
                assert [each.replays for each in loop.said(Connected)] == ["the cursor"]
        with Loop(setup_of(meeting, server.url), "nonsense") as loop:
            loop.connected()
            assert loop.said(Connected) == [Connected(None)]


def test_an_account_that_is_withdrawn(server: Any, loop: Loop) -> None:
    server.post(f"Mine {TAG}", "bc_ana")
    server.post(f"His {TAG}", "bc_luis")
    loop.knows(server)
    server.account("bc_luis", "deactivated")
    loop.knows(server)
    assert len(server.truth()) == 1
    server.account("bc_luis", None)
    server.post(f"Back again {TAG}", "bc_luis")
    loop.knows(server)
    assert len(server.truth()) == 2


def test_a_delete_before_its_post(server: Any, loop: Loop) -> None:
    """In whichever order they come, the post is gone, and a repost waits for what it passes on."""
    server.post(f"First {TAG}")
    loop.knows(server)
    with server.changed:
        key = server.post(f"Too late {TAG}")
        server.delete(key)
        server.fault("reorder")
    kept = None
    loop.until(lambda: key in loop.held.gone)
    with server.changed:
        kept = server.post(f"Passed on before it came {TAG}")
        repost = server.post("", "bc_kofi", repost_of=kept)
        server.fault("reorder")
    loop.until(lambda: repost in loop.held.posts)
    loop.knows(server)
    assert server.struck["reorder"] == 2


def test_a_replay_is_over_when_it_runs_no_faster_than_time(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock of ours that is wrong must not leave us catching up for ever."""
    now = [0.0]
    monkeypatch.setattr(bluesky, "monotonic", lambda: now[0])
    ahead = datetime(2030, 1, 1, tzinfo=UTC)
    setup = setup_of(meeting, "ws://127.0.0.1:9", clock=lambda: ahead)
    feed = Bluesky(setup)
    stream = bluesky.STREAMS["v1"]
    mark = bluesky.Mark("v1", 1, 1, "x")
    reading = bluesky._Reading(stream, "x", 1, mark, feed._sorter, setup.clock)
    base = 1_800_000_000_000_000
    said = []
    for second in range(40):
        now[0] = float(second)
        faster = 100 if second < 20 else 1
        base += faster * 1_000_000
        frame = f'{{"did":"did:plc:x","time_us":{base},"kind":"identity"}}'.encode()
        said.append([type(signal) for signal in reading.signals(frame)])
    assert [place for place, kinds in enumerate(said) if CaughtUp in kinds] == [30]


def test_times_that_cannot_be(meeting: Meeting) -> None:
    """A time far in the future must not become the place to go on from."""
    with JetstreamServer(1) as server, Loop(setup_of(meeting, server.url)) as loop:
        loop.connected()
        with server.changed:
            server.post(f"Hello {TAG}")
            server.log[-1].time_us = 9_000_000_000_000_000
        loop.until(lambda: bool(loop.held.posts))
        assert loop.cursor is not None and "9000000000000000" not in loop.cursor


def test_no_search_no_refill(meeting: Meeting) -> None:
    feed = open_feed(setup_of(meeting, None))
    now = datetime.now(UTC)
    assert feed.label == "bluesky" and feed.notice is None
    (refilled,) = feed.refill(Gap(now - timedelta(hours=1), now))
    assert isinstance(refilled, Refilled) and "search_url" in str(refilled.lost)
    (refreshed,) = feed.refresh(now)
    assert isinstance(refreshed, Refilled) and refreshed.lost
    feed.close()
    feed.close()


def test_check(server: Any, meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluesky, "_LOOK", 40.0)  # it looks no longer than until something came
    server.noise(50)
    findings = list(Bluesky(setup_of(meeting, server.url, stall_after=40)).check())
    assert [finding.state for finding in findings] == ["ok", "ok", "warning"]
    assert "answers" in findings[0].text and "agree" in findings[1].text
    late = Bluesky(
        setup_of(meeting, server.url, stall_after=40, clock=lambda: datetime.now(UTC) + timedelta(minutes=2))
    )
    assert any("behind our clock" in finding.text for finding in late.check())


def test_check_does_not_take_a_replay_for_the_present(meeting: Meeting) -> None:
    now = datetime.now(UTC)
    running = replace(meeting, starts=now - timedelta(hours=2), ends=now + timedelta(hours=2))
    with JetstreamServer(1) as server:
        server.post(f"Hello {TAG}")
        with server.changed:
            server.log[-1].time_us -= 3_600_000_000
        findings = list(Bluesky(setup_of(running, server.url, stall_after=1)).check())
    assert not any("our clock; set it" in finding.text for finding in findings)


def test_check_where_it_is_quiet_and_where_nobody_is(meeting: Meeting) -> None:
    with JetstreamServer(2) as server:
        findings = list(Bluesky(setup_of(meeting, server.url, stall_after=1)).check())
        assert "quiet" in findings[1].text
    failed = next(iter(Bluesky(setup_of(meeting, "ws://127.0.0.1:9")).check()))
    assert failed.state == "failed" and "127.0.0.1:9" in failed.text


def test_search_is_asked_where_it_is_set(meeting: Meeting) -> None:
    with JetstreamServer(2) as network, SearchServer(network) as search:
        network.post(f"Of the past {TAG}")
        feed = Bluesky(setup_of(meeting, network.url, search_url=search.url, stall_after=1))
        now = datetime.now(UTC)
        held = Held()
        for signal in feed.refill(Gap(now - timedelta(hours=1), now + timedelta(seconds=5))):
            held.take(signal)
        assert held.texts() == network.truth()
        assert any(isinstance(signal, Refilled) for signal in feed.refresh(now - timedelta(hours=1)))
        assert list(feed.check())[-1].text.endswith("answers")
        feed.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_events_a_second_take_a_fraction_of_a_core(meeting: Meeting, kind: str) -> None:
    """Decoding, filtering and signals, without the socket."""
    with new_server(kind) as server:
        server.foreign(2_000)
        frames = [server.frame(entry) for entry in server.log]
    data = [frame.encode() if isinstance(frame, str) else frame for frame in frames]
    setup = setup_of(meeting, "ws://127.0.0.1:9")
    stream = bluesky.STREAMS[kind]  # type: ignore[index]
    reading = bluesky._Reading(stream, "x", None, None, Sorter(setup), setup.clock)
    before = thread_time()
    for frame in data:
        for _ in reading.signals(frame):
            pass
    assert thread_time() - before < 1.0  # for two seconds of a stream of 1,000 a second
