"""A loop in small around the Bluesky source, and what an archive would hold of what it yields."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from archive.vocabulary import Deleted, Meeting, Received, SourceSpec, Unmapped
from collector.sources.base import CaughtUp, Connected, IfKnown, Missed, Reached, Setup, Signal, SourceError
from collector.sources.bluesky import Bluesky


class Held:
    """What an archive would hold: newest versions, tombstones, nothing twice. It is the shelf as well."""

    def __init__(self) -> None:
        self.posts: dict[str, Received] = {}
        self.gone: set[str] = set()
        self.unmapped: list[Unmapped] = []

    def take(self, signal: Signal) -> None:
        match signal:
            case IfKnown(key, item):
                if key in self.posts:
                    self.take(item)
            case Received(post):
                held = self.posts.get(post.key)
                buried = post.key in self.gone or post.repost_of in self.gone
                if not buried and (held is None or _rank(signal) >= _rank(held)):
                    self.posts[post.key] = signal
            case Deleted(key):
                self.gone.add(key)
                self.posts = {
                    name: item
                    for name, item in self.posts.items()
                    if name != key and item.post.repost_of != key
                }
            case Unmapped():
                self.unmapped.append(signal)

    def texts(self) -> dict[str, str]:
        """What ``truth()`` of the fakes is compared with, without what they make up to be hostile."""
        return {key: item.post.text for key, item in list(self.posts.items()) if not key.endswith("3hostile")}

    def recent_ids(self, source: str, since: datetime) -> list[str]:
        posts = [item.post for item in self.posts.values() if item.post.created_at >= since]
        return [post.platform_id for post in sorted(posts, key=lambda post: post.created_at, reverse=True)]

    def recent_aliases(self, source: str, since: datetime) -> list[str]:
        return []

    def keys_of_author(self, author_key: str) -> list[str]:
        return [key for key, item in self.posts.items() if item.post.author.key == author_key]


def _rank(item: Received) -> tuple[datetime, datetime]:
    return item.post.edited_at or item.post.created_at, item.observed_at or item.post.created_at


def setup_of(
    meeting: Meeting,
    url: str | None,
    held: Held | None = None,
    *,
    secrets: dict[str, str] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    hashtags: tuple[str, ...] = ("Sample2012",),
    **settings: Any,
) -> Setup:
    """The setup of a source whose server is at ``url``."""
    if url is not None:
        settings["base_url"] = url
    return Setup(
        spec=SourceSpec(kind="bluesky", name="bluesky", arm="public", settings=settings),
        meeting=replace(meeting, hashtags=hashtags),
        folder=Path("."),
        secrets=secrets or {},
        shelf=held or Held(),
        clock=clock,
    )


class Loop(threading.Thread):
    """Listens, and connects again at once whatever happens, as long as the block lasts."""

    def __init__(self, setup: Setup, cursor: str | None = None) -> None:
        super().__init__(daemon=True)
        self.held: Held = setup.shelf  # type: ignore[assignment]
        self.feed = Bluesky(setup)
        self.cursor = cursor
        self.signals: list[Signal] = []
        self.errors: list[SourceError] = []
        self._changed = threading.Condition()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.is_set():
            try:
                for signal in self.feed.listen(self.cursor):
                    with self._changed:
                        self.signals.append(signal)
                        self.held.take(signal)
                        if isinstance(signal, Reached):
                            self.cursor = signal.cursor
                        self._changed.notify_all()
            except SourceError as error:
                with self._changed:
                    self.errors.append(error)
                    self._changed.notify_all()
                self._over.wait(0.02)

    def until(self, so: Callable[[], bool], timeout: float = 20.0) -> None:
        """Wait for something to be so."""
        with self._changed:
            assert self._changed.wait_for(so, timeout), (self.errors[-3:], self.signals[-5:])

    def connected(self, times: int = 1) -> None:
        """Wait until it has connected so many times."""
        self.until(lambda: len(self.said(Connected)) >= times)

    def caught_up(self) -> None:
        """Wait until a replay has ended."""
        self.until(lambda: bool(self.said(CaughtUp)))

    def knows(self, server: Any) -> None:
        """Wait until it holds exactly what is true."""
        truth = server.truth()
        with self._changed:
            if not self._changed.wait_for(lambda: self.held.texts() == truth, 20):
                assert self.held.texts() == truth, self.errors[-3:]

    def said(self, kind: type) -> list[Any]:
        """The signals of one kind so far."""
        return [signal for signal in self.signals if isinstance(signal, kind)]

    @property
    def missed(self) -> list[Missed]:
        return self.said(Missed)

    def __enter__(self) -> Loop:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.feed.close()
        self.join(20)
        assert not self.is_alive(), "close() did not break the conversation"
