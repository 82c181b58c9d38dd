"""What waits between the threads that listen and the one that writes: bounded, so that memory is too.

A full inbox makes its source wait (back-pressure), never the others, and never loses anything.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from archive.collecting import Heartbeat, Mark
from archive.vocabulary import Item, Received, Unmapped
from collector.sources.base import Acknowledge, IfKnown

MOST = 4_000  # messages
HEAVIEST = 16_000_000  # characters of payload

Message = Item | IfKnown | Acknowledge | Mark


class Closed(Exception):
    """Nothing more is taken in: what was not taken was not acknowledged either."""


class Inbox:
    """A queue from one thread to another. ``arrived`` is called after each message."""

    def __init__(
        self, arrived: Callable[[], None] = lambda: None, most: int = MOST, heaviest: int = HEAVIEST
    ) -> None:
        self.arrived = arrived
        self._most = most
        self._heaviest = heaviest
        self._messages: deque[Message] = deque()
        self._weight = 0
        self._closed = False
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message) -> None:
        """Add a message, waiting while the inbox is full. Raises ``Closed``."""
        weight = _weight(message)
        with self._changed:
            if isinstance(message, Heartbeat) and self._messages and _same(self._messages[-1], message):
                self._messages[-1] = message  # a newer sign of life says all that the older one did
                return
            while not self._closed and self._is_full(weight):
                self._changed.wait()
            if self._closed:
                raise Closed
            self._messages.append(message)
            self._weight += weight
        self.arrived()

    def take(self, most: int) -> list[Message]:
        """The next messages, at most so many; none where there are none."""
        with self._changed:
            taken = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
            self._weight -= sum(map(_weight, taken))
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Take nothing more in; what is inside can still be taken out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _is_full(self, weight: int) -> bool:
        full = len(self._messages) >= self._most or self._weight + weight > self._heaviest
        return full and bool(self._messages)


def _same(last: Message, message: Heartbeat) -> bool:
    return isinstance(last, Heartbeat) and (last.name, last.source) == (message.name, message.source)


def _weight(message: Message) -> int:
    match message:
        case Received(post=post, raw=raw):
            return len(raw or post.text)
        case Unmapped(payload=payload):
            return len(payload or "")
        case IfKnown(item=item):
            return _weight(item)
        case _:
            return 0
