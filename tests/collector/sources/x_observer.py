"""What the tests of X share: a clock, an archive's ids, and a loop as small as can be."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from archive.vocabulary import Deleted, Meeting, Received, SourceSpec
from collector.sources import x
from collector.sources.base import Gap, Refilled, Setup, Signal, SourceError
from tests.fakes.x import XServer

TOKEN = "a-token"


class Clock:
    """The present, moved ahead at will."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **time: float) -> None:
        self.ahead += timedelta(**time)


class Shelf:
    """An archive that holds these ids."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)

    def recent_ids(self, source: str, since: datetime) -> list[str]:
        return self.ids if source == "x" else []

    def recent_aliases(self, source: str, since: datetime) -> list[str]:
        return []


class Observer:
    """A loop as small as can be: it keeps what comes, refills every gap, and waits for nothing."""

    def __init__(self, feed: x.XFeed, clock: Clock) -> None:
        self.feed, self.clock = feed, clock
        self.posts: dict[str, Received] = {}
        self.signals: list[Signal] = []
        self.errors: list[SourceError] = []
        self.heard_at = clock()

    def take(self, signal: Signal) -> None:
        self.signals.append(signal)
        match signal:
            case Received(post) if self._is_newer(signal):
                self.posts[post.key] = signal
            case Deleted(key):
                self.posts.pop(key, None)

    def _is_newer(self, item: Received) -> bool:
        kept = self.posts.get(item.post.key)
        return kept is None or _version(item) >= _version(kept)

    def listen(self, until: Callable[[], bool] = lambda: False) -> None:
        """One connection, to its end or until enough was heard."""
        try:
            with closing(self.feed.listen(None)) as signals:
                for signal in signals:
                    self.take(signal)
                    if until():
                        break
        except SourceError as error:
            self.errors.append(error)

    def refill(self, gap: Gap | None = None) -> Refilled:
        """The gap since the last call, with every interruption."""
        self.clock.advance(minutes=1)
        gap = gap or Gap(self.heard_at, self.clock())
        for _ in range(12):
            try:
                for signal in self.feed.refill(gap):
                    self.take(signal)
                self.heard_at = gap.ends
                assert isinstance(signal, Refilled)
                return signal
            except SourceError as error:
                self.errors.append(error)
        raise AssertionError(f"the refill does not end: {self.errors}")

    def all(self, kind: type) -> list[Any]:
        return [signal for signal in self.signals if isinstance(signal, kind)]

    def texts(self) -> dict[str, str]:
        return {key: item.post.text for key, item in self.posts.items()}


def _version(item: Received) -> datetime:
    return item.post.edited_at or item.post.created_at


def setup_of(
    server: XServer, meeting: Meeting, clock: Clock, shelf: Shelf | None = None, **settings: Any
) -> Setup:
    spent = settings.pop("spent", 0)
    secrets = settings.pop("secrets", {"X_BEARER_TOKEN": TOKEN})
    known = {"token_env": "X_BEARER_TOKEN", "stall_after": 60, "base_url": server.url, **settings}
    spec = SourceSpec(kind="x", name="x", arm="public", settings=known)
    return Setup(spec, meeting, Path(), secrets, shelf or Shelf(), clock, spent)


def posting(server: XServer, *texts: str) -> threading.Thread:
    """Somebody posts as soon as there is a listener."""

    def work() -> None:
        server.wait_for_listeners()
        server.post_many(texts)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def heard(observer: Observer, server: XServer, *texts: str, keys: int | None = None) -> None:
    """Listen while these are posted, until they have come or the stream has ended."""
    wanted = len(observer.posts) + len(texts) if keys is None else keys
    thread = posting(server, *texts)
    observer.listen(until=lambda: len(observer.posts) >= wanted)
    thread.join()


def with_hashtags(meeting: Meeting, *hashtags: str) -> Meeting:
    """The meeting with other hashtags."""
    values = {**vars(meeting), "hashtags": hashtags}
    return Meeting(**{name: values[name] for name in Meeting.__dataclass_fields__})
