"""Several streams of hashtags as one conversation: the end of any of them ends it.

A server gives one stream for each hashtag, and mastodon-py reads it in blocking calls; so each has a
thread, and a short queue between them and the one who listens is what slows a fast server down.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import requests

from archive.vocabulary import Unmapped
from collector.sources import web
from collector.sources.base import Connected, Signal, SourceError
from collector.sources.mastodon_wire import Client

_WAITING = 200  # signals between the network and the loop
_END_SECONDS = 1.0

Read = Callable[[Iterable[bytes | Unmapped], str], Iterator[Signal]]


@dataclass(frozen=True, slots=True)
class _Accepted:
    """The server accepted one of the streams."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """One of the streams is over: broken off, or, without an error, closed by the server."""

    error: Exception | None


class Streams:
    """The streams of hashtags that one client opens; ``read`` turns their lines into signals."""

    def __init__(self, client: Client, tags: Sequence[str], read: Read) -> None:
        self._client = client
        self._tags = tags
        self._read = read
        self._queue = _Queue()

    def signals(self) -> Generator[Signal, None, None]:
        """Everything they say, and ``Connected`` once all are accepted. Raises SourceError."""
        threads = [
            threading.Thread(target=self._follow, args=(tag,), name=f"mastodon #{tag}", daemon=True)
            for tag in self._tags
        ]
        for thread in threads:
            thread.start()
        try:
            yield from self._merged()
        finally:
            self.close()
            for thread in threads:
                thread.join(_END_SECONDS)

    def close(self) -> None:
        """End it at once, from any thread; safe to call twice."""
        self._queue.close()
        self._client.wire.close()

    def _merged(self) -> Iterator[Signal]:
        missing = len(self._tags)
        while (item := self._queue.take()) is not None:
            if isinstance(item, _Accepted):
                missing -= 1
                if missing == 0:
                    yield Connected()
            elif isinstance(item, _Ended):
                if item.error is not None:
                    raise item.error
                return
            else:
                yield item

    def _follow(self, tag: str) -> None:
        error: Exception | None = None
        try:
            self._client.read_stream(tag, lambda response: self._drain(tag, response))
        except SourceError as reason:
            error = reason
        except Exception as bug:  # not to die unheard in a thread: who listens has to see it
            error = bug
        self._queue.put(_Ended(error))

    def _drain(self, tag: str, response: requests.Response) -> None:
        self._queue.put(_Accepted())
        where = f"{self._client.wire.server} #{tag}"
        for signal in self._read(web.lines(response, where), where):
            if not self._queue.put(signal):
                return


class _Queue:
    """A short queue between threads that lets go of both ends when it is closed."""

    def __init__(self) -> None:
        self._items: deque[Signal | _Accepted | _Ended] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, item: Signal | _Accepted | _Ended) -> bool:
        """Add an item as soon as there is room; False where nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < _WAITING)
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self) -> Signal | _Accepted | _Ended | None:
        """The next item; None where the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._items))
            if self._closed:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
