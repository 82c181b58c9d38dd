"""Asking again for what a source said while nobody listened: the second thread of each source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.collecting import Paid
from collector.inbox import Closed, Inbox
from collector.pace import Backoff, Pace
from collector.sources.base import (
    Acknowledge,
    CaughtUp,
    Connected,
    Exhausted,
    Feed,
    Gap,
    Heard,
    Limited,
    Lost,
    Missed,
    Reached,
    Refilled,
    Refused,
    Spent,
)

#: A refill that fails for so long is given up, and the gap says so.
GIVE_UP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Refiller:
    """Asks a feed for gaps; what comes goes into ``past``, an inbox of its own: live posts are not held up.

    ``wait`` pauses for some seconds or until the stop, and says whether it is the stop.
    """

    name: str
    feed: Feed
    past: Inbox
    clock: Callable[[], datetime]
    wait: Callable[[float], bool]
    pace: Pace

    def ask(self, gap: Gap, before: Refilled | None) -> Refilled | None:
        """One pass of a refill, tried until it ends; None where the stop came first. Raises ``Closed``.

        All that it brought is in the archive then. ``before`` is what an earlier pass brought: it counts
        also where this one is given up.
        """
        end = self._tried(gap, before)
        return end if end is not None and self._committed() else None

    def _tried(self, gap: Gap, before: Refilled | None) -> Refilled | None:
        by = before.by if before else "nothing"
        backoff = Backoff(self.pace)
        since = self.clock()
        seconds = 0.0
        while not self.wait(seconds):
            try:
                return self._once(gap)
            except Closed:
                raise
            except Limited as error:
                seconds = backoff.limited(error.until, self.clock())
            except Refused as error:
                return Refilled(by, str(error))
            except Exhausted as error:
                return Refilled("a part", str(error))
            except Exception as error:  # whatever a source does, its gap stays known
                if self.clock() - since > GIVE_UP:
                    return Refilled(by, str(error) or type(error).__name__)
                seconds = backoff.broken() if isinstance(error, Lost) else backoff.unusable()
        return None

    def _once(self, gap: Gap) -> Refilled:
        end: Refilled | None = None
        for signal in self.feed.refill(gap):
            match signal:
                case Refilled():
                    end = signal
                case Spent(posts):
                    self.past.put(Paid(self.name, posts))
                case Connected() | CaughtUp() | Heard() | Reached() | Missed():
                    pass
                case _:
                    self.past.put(signal)
            if self.wait(0):
                raise Closed
        return end or Refilled("nothing", "the source did not say how it ended")

    def _committed(self) -> bool:
        """Wait until everything refilled is in the archive; False where the stop came first."""
        done = threading.Event()
        self.past.put(Acknowledge(done.set))
        while not done.wait(0.05):
            if self.wait(0):
                return done.is_set()
        return True
