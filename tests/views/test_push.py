"""The hub that watches the archive, and the stream that viewers read."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from archive.store import Archive
from archive.vocabulary import Received
from views import push, settings
from views.push import Hub, Stream


@pytest.fixture
def hub(archive: Archive) -> Iterator[Hub]:
    """A hub that looks only when it is told to."""
    hub = Hub(archive.path)
    yield hub
    hub.close()


async def ask(headers: dict[str, str]) -> Response:
    """The answer of the route to a request with these headers."""
    sent = [(b"host", b"127.0.0.1:8501")]
    sent += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return await push.live(Request({"type": "http", "method": "GET", "path": push.ROUTE, "headers": sent}))


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)  # noqa: TID251


def payload(line: bytes) -> dict[str, Any]:
    assert line.startswith(b"data: ") and line.endswith(b"\n\n")
    return json.loads(line[6:])  # type: ignore[no-any-return]


def test_a_hub_notices_what_is_committed(archive: Archive, receive: Callable[..., Received]) -> None:
    hub = push.hub(archive.path)
    assert push.hub(archive.path) is hub
    archive.write([receive(1)])
    until(lambda: len(hub.snapshot["posts"]) == 1)
    hub.close()
    assert push.hub(archive.path) is not hub
    push.close_all()


def test_a_hub_outlives_a_missing_a_damaged_and_a_new_archive(tmp_path: Path, archive: Archive) -> None:
    path = tmp_path / "later.db"
    hub = push.hub(path)
    assert "no archive" in hub.whole()["trouble"]["heading"]
    path.write_bytes(b"this is no database at all, but long enough to be looked at" * 50)
    until(lambda: "no SQLite file" in hub.snapshot["trouble"]["text"])
    Archive.open(tmp_path / "new.db", archive.meeting).close()
    (tmp_path / "new.db").replace(path)
    until(lambda: "meeting" in hub.snapshot)
    push.close_all()


def test_a_viewer_gets_everything_then_what_changed(
    hub: Hub, archive: Archive, receive: Callable[..., Received]
) -> None:
    async def view() -> list[bytes]:
        stream = hub.open()
        assert hub.viewers == 1
        lines = stream.lines()
        got = [await anext(lines), await anext(lines)]
        archive.write([receive(1)])
        await asyncio.to_thread(hub.refresh)
        got.append(await anext(lines))
        hub.close()
        assert [line async for line in lines] == []
        return got

    retry, whole, update = asyncio.run(view())
    assert retry == b"retry: 1000\n\n"
    assert payload(whole)["meeting"]["title"] == "A sample meeting"
    assert payload(update)["seq"] == payload(whole)["seq"] + 1
    assert [post["text"] for post in payload(update)["posts"]] == ["Post number 1 #sample2012"]
    assert "meeting" not in payload(update) and len(update) < 2048
    assert hub.viewers == 0


def test_silence_is_broken_by_a_beat(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "BEAT", 0.01)

    async def view() -> bytes:
        lines = hub.open().lines()
        return [await anext(lines) for _ in range(3)][-1]

    assert asyncio.run(view()) == b": alive\nevent: beat\ndata: {}\n\n"


def test_a_viewer_that_lags_behind_gets_the_whole_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "BACKLOG", 3)

    async def view() -> list[bytes]:
        stream = Stream(asyncio.get_running_loop(), hub)
        for number in range(4):
            stream.offer(push.event({"seq": number}))
        await asyncio.sleep(0)
        lines = stream.lines()
        return [await anext(lines) for _ in range(3)]

    _, first, second = asyncio.run(view())
    assert "meeting" in payload(first)
    assert payload(second) == {"seq": 3}


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://127.0.0.1:8501", "Sec-Fetch-Site": "same-origin"}]
)
def test_the_route_streams_events(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    monkeypatch.setenv(settings.ARCHIVE, str(archive.path))

    async def view() -> tuple[Response, list[bytes]]:
        answer = await ask(headers)
        assert isinstance(answer, StreamingResponse)
        lines = aiter(answer.body_iterator)
        first = [bytes(await anext(lines)) for _ in range(2)]  # type: ignore[arg-type]
        push.close_all()
        assert [line async for line in lines] == []
        return answer, first

    answer, (retry, whole) = asyncio.run(view())
    assert answer.status_code == 200
    assert answer.media_type == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert retry == b"retry: 1000\n\n" and payload(whole)["posts"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://example.org"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_others_are_refused(headers: dict[str, str]) -> None:
    assert asyncio.run(ask(headers)).status_code == 403


def test_a_hub_looks_for_topics_by_itself(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    hub = push.hub(archive.path)
    until(lambda: bool(hub.snapshot.get("heard")))
    assert hub.snapshot["heard"]["active"][0]["name"] == "@bc_ana"
    push.close_all()


def test_trouble_with_topics_leaves_the_rest(
    archive: Archive, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("this cannot be")

    monkeypatch.setattr(push, "heard", fail)
    hub = push.hub(archive.path)
    until(lambda: "topics and names could not be read" in caplog.text)
    assert hub.snapshot["figures"] and hub.snapshot["heard"] is None
    push.close_all()
