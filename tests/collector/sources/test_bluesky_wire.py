"""Addresses, cursors and frames of Bluesky's streams."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mapping.bluesky import Commit, commit_of, to_post
from collector.sources.base import Lost, Unavailable
from collector.sources.bluesky_wire import (
    STREAMS,
    Address,
    CursorRefused,
    Event,
    Mark,
    Notice,
    Stream,
    Unreadable,
    from_microseconds,
    jsonable,
    microseconds,
    said_error,
    whole,
)
from tests.fakes.bluesky import JetstreamServer, Link, ReposServer, Server, _cbor

T = 1_774_515_600_000_000
CID = Link(b"\x01\x71\x12\x20" + bytes(32))


@pytest.mark.parametrize(
    ("url", "only", "v2"),
    [
        ("wss://js.example.org", None, "wss://js.example.org/xrpc/network.bsky.jetstream.subscribeEvents"),
        ("https://js.example.org/", None, "wss://js.example.org/xrpc/network.bsky.jetstream.subscribeEvents"),
        ("http://proxy:8/js", None, "ws://proxy:8/js/xrpc/network.bsky.jetstream.subscribeEvents"),
        ("ws://h:1/subscribe", "v1", "ws://h:1/xrpc/network.bsky.jetstream.subscribeEvents"),
        ("wss://pds.example.org/xrpc", "repos", None),
        ("https://Relay.example.org/xrpc/", "repos", None),
        ("wss://r/xrpc/com.atproto.sync.subscribeRepos", "repos", None),
        ("wss://r/xrpc/network.bsky.jetstream.subscribeEvents", "v2", None),
    ],
)
def test_addresses(url: str, only: str | None, v2: str | None) -> None:
    address = Address.of(url)
    assert address.only == only
    if v2 is not None:
        assert STREAMS["v2"].url(address, None).startswith(v2 + "?")
    assert STREAMS["repos"].url(address, 7).endswith("/xrpc/com.atproto.sync.subscribeRepos?cursor=7")
    asked = STREAMS["v1"].url(address, None)
    assert "/subscribe?wantedCollections=app.bsky.feed.post&" in asked and "cursor" not in asked


@given(
    st.sampled_from(["v1", "v2", "repos"]),
    st.integers(0, 2**62),
    st.one_of(st.none(), st.integers(1, 2**62)),
    st.sampled_from(["js.example.org", "127.0.0.1:80"]),
)
def test_marks_come_back(stream: Any, position: int, time_us: int | None, host: str) -> None:
    mark = Mark(stream, position, time_us, host)
    assert Mark.parse(str(mark)) == mark


@pytest.mark.parametrize(
    "cursor", [None, "", "123", "v3:1:2:h", "v1:x:2:h", "v1:1:2:", "v2:" + "9" * 30 + "::h"]
)
def test_cursors_of_others(cursor: str | None) -> None:
    assert Mark.parse(cursor) is None


def test_from_where_to_go_on() -> None:
    v1, v2, repos = STREAMS["v1"], STREAMS["v2"], STREAMS["repos"]
    own = Mark("v2", 5_000, T, "h")
    assert v2.starts(own, "h") == [4_000, T - 5_000_000]
    assert v2.starts(own, "other") == v1.starts(own, "h") == [T - 5_000_000]
    assert v2.starts(Mark("v2", 5, None, "h"), "h") == [0]
    assert repos.starts(Mark("repos", 5, T, "h"), "h") == [5]
    assert repos.starts(Mark("repos", 5, T, "h"), "other") == repos.starts(own, "h") == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("FutureCursor", CursorRefused),
        ("CursorTooOld", CursorRefused),
        ("ConsumerTooSlow", Lost),
        ("Other", Unavailable),
        (None, Unavailable),
        ([], Unavailable),
    ],
)
def test_errors_of_the_server(name: Any, kind: type) -> None:
    error = said_error(name, "why\x00 " + "x" * 500, "Jetstream")
    assert type(error) is kind
    assert "\x00" not in str(error) and len(str(error)) < 300


def test_numbers_and_times() -> None:
    assert [whole(value) for value in (0, 7, -1, True, 2**63, "7", 1.0)] == [0, 7, *[None] * 5]
    moment = datetime(2026, 3, 26, 9, 0, 0, 123, tzinfo=UTC)
    assert from_microseconds(microseconds(moment)) == moment
    assert microseconds(None) is from_microseconds(None) is from_microseconds(2**62) is None


@pytest.mark.parametrize(
    "server", [JetstreamServer, ReposServer, lambda: JetstreamServer(1)], ids=["v2", "repos", "v1"]
)
def test_all_streams_tell_the_same_post(server: Any) -> None:
    with server() as opened:
        key = opened.post("Hello #sample2012 é", embed={"$type": "x", "n": 7, "list": [None, True, "x"]})
        name = "repos" if isinstance(opened, ReposServer) else f"v{opened.version}"
        frame = opened.frame(opened.log[0])
        data = frame.encode() if isinstance(frame, str) else frame
        (event,) = STREAMS[name].read(data)  # type: ignore[index]
        assert isinstance(event, Event)
        commit = commit_of(event.value)
        assert isinstance(commit, Commit)
        assert to_post(commit).key == key and commit.record == opened.states[key].record
        assert event.time_us == opened.log[0].time_us and event.position


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b'{"a":NaN}',
        b"[" * 100_000,
        b'{"a":"\\ud800"}',
        b"9" * 5_000,
    ],
)
@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_what_cannot_be_read(stream: Stream, frame: bytes) -> None:
    with pytest.raises(ValueError):
        list(stream.read(frame))


@given(st.binary(max_size=200))
def test_any_bytes(frame: bytes) -> None:
    for stream in STREAMS.values():
        with suppress(ValueError, Unavailable, Lost, CursorRefused):
            list(stream.read(frame))


def test_notices_and_errors() -> None:
    with JetstreamServer(2) as server:
        assert list(STREAMS["v2"].read(server._info("OutdatedCursor").encode())) == [
            Notice("OutdatedCursor", "said the fake")
        ]
        with pytest.raises(Lost):
            list(STREAMS["v2"].read(server.error("ConsumerTooSlow", "x").encode()))  # type: ignore[arg-type]
    repos = STREAMS["repos"]
    assert list(repos.read(_cbor({"op": 1, "t": "#info"}) + _cbor({"name": "OutdatedCursor"}))) == [
        Notice("OutdatedCursor", "")
    ]
    with pytest.raises(CursorRefused):
        list(repos.read(_cbor({"op": -1}) + _cbor({"error": "FutureCursor"})))


def body(**changes: Any) -> bytes:
    op = {"action": "create", "path": "app.bsky.feed.post/3aaa", "cid": CID}
    whole_body = {"seq": 1, "time": "2026-03-26T09:00:00Z", "repo": "did:plc:x", "ops": [op], **changes}
    return _cbor({"op": 1, "t": "#commit"}) + _cbor(whole_body)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (_cbor({"op": 1}) + _cbor({}), "what it is"),
        (_cbor({"op": 1, "t": "#commit"}), "header and body"),
        (_cbor([]) + _cbor({}), "header and body"),
        (body(), "without blocks"),
        (body(blocks=b"nothing"), "no CAR file"),
        (body(ops=[], tooBig=True), "too big"),
    ],
)
def test_commits_that_cannot_be_read(frame: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(STREAMS["repos"].read(frame))


def test_one_bad_change_leaves_the_others() -> None:
    with ReposServer() as server:
        common = {"seq": 3, "time": "2026-03-26T09:00:00Z"}
        good = {
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "3a",
            "record": {"text": "x"},
        }
        bad = {
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "3b",
            "record": {"deep": [1.5]},
        }
        deep: Any = 1
        for _ in range(200):
            deep = [deep]
        nested = {**bad, "rkey": "3c", "record": {"deep": deep}}
        gone = {"operation": "delete", "collection": "app.bsky.feed.post", "rkey": "3d"}
        nameless = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3e"}
        likes = {"operation": "create", "collection": "app.bsky.feed.like", "rkey": "3f", "record": {"x": 1}}
        frame = server.commit(common, "did:plc:x", [nested, nameless, good, bad, gone, likes])
        said = list(STREAMS["repos"].read(frame))
    assert [type(part) for part in said] == [Unreadable, Unreadable, Event, Event, Event]
    (nothing,) = STREAMS["repos"].read(
        body(ops=[{"action": "delete", "path": "app.bsky.feed.like/3"}, {"path": 7}])
    )
    assert isinstance(nothing, Event) and nothing.position == 1
    (lost,) = STREAMS["repos"].read(_missing(server))
    assert isinstance(lost, Unreadable)


def _missing(server: Server) -> bytes:
    """A commit whose CAR file lacks the record."""
    assert isinstance(server, ReposServer)
    change = {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "3a",
        "record": {"text": "x"},
    }
    frame = server.commit({"seq": 3, "time": "x"}, "did:plc:x", [change])
    other = server.commit({"seq": 3, "time": "x"}, "did:plc:x", [{**change, "record": {"text": "y"}}])
    start, end = frame.index(b"cid\xd8\x2a"), frame.index(b"cid\xd8\x2a") + 44
    return frame[:start] + other[other.index(b"cid\xd8\x2a") :][: end - start] + frame[end:]


def test_records_as_json() -> None:
    assert jsonable({"a": [1, None, "x", 1.5, b"abc"]}) == {"a": [1, None, "x", 1.5, {"$bytes": "YWJj"}]}
    link = jsonable(bytes(CID))
    assert link["$link"].startswith("bafyrei") and len(link["$link"]) == 59
    with pytest.raises(ValueError, match="nan"):
        jsonable(float("nan"))
