"""How long to wait: back-off after failures, a budget of connections, and a clock that never runs back."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.times import utc_now


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: first and longest wait after a broken connection, an unusable answer, a rate limit.

    After a connection that lived ``healthy`` seconds the next failure is the first again. Sources without
    rights are probed every ``probe`` seconds. The figures are X's rules, the strictest of the networks.
    """

    broken: tuple[float, float] = (0.25, 16.0)
    unusable: tuple[float, float] = (5.0, 320.0)
    limited: tuple[float, float] = (60.0, 900.0)
    probe: float = 60.0
    healthy: float = 10.0


class Backoff:
    """Doubling waits. The first failure after a healthy connection is tried again at once."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._failures = 0

    def healthy(self) -> None:
        """The connection lasted: begin anew."""
        self._failures = 0

    def broken(self) -> float:
        """Seconds to wait after a connection that broke."""
        self._failures += 1
        return 0.0 if self._failures == 1 else self._doubled(*self._pace.broken, less=2)

    def unusable(self) -> float:
        """Seconds to wait after an answer that was none."""
        self._failures += 1
        return self._doubled(*self._pace.unusable)

    def limited(self, until: datetime | None, now: datetime) -> float:
        """Seconds to wait after a rate limit: to its end where it is told and can be, never for none at all.

        An end that has passed already is taken at its word once, and doubted more each time; one further
        away than any rate limit lasts is looked at again after the longest wait.
        """
        self._failures += 1
        first, longest = self._pace.limited
        if until is None:
            return self._doubled(first, longest)
        told = (until - now).total_seconds()
        return min(longest, max(told, first / 60)) if told > 0 else self._doubled(first / 60, longest)

    def _doubled(self, first: float, longest: float, *, less: int = 1) -> float:
        return float(min(longest, first * 2 ** min(self._failures - less, 30)))


class Budget:
    """At most so many connections within so many seconds; from half of them on they are spread out."""

    def __init__(self, connects: int, seconds: float) -> None:
        self._connects = connects
        self._seconds = seconds
        self._made: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until the next connection may be made; ``now`` is a monotonic time."""
        while self._made and self._made[0] <= now - self._seconds:
            self._made.popleft()
        if len(self._made) < max(1, self._connects // 2):
            return 0.0
        spread = self._made[-1] + self._seconds / self._connects - now
        full = self._made[0] + self._seconds - now if len(self._made) >= self._connects else 0.0
        return max(0.0, spread, full)

    def connected(self, now: float) -> None:
        """A connection is being made."""
        self._made.append(now)


class SteadyClock:
    """The wall's time, but never running back: intervals are kept by it.

    A wall clock that is set forward (or a machine that slept) is followed at once; one that is set back is
    let catch up, at half speed.
    """

    def __init__(
        self, wall: Callable[[], datetime] = utc_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._now = wall()
        self._at = monotonic()
        self._guard = threading.Lock()  # all threads of a collector go by one clock

    def __call__(self) -> datetime:
        with self._guard:
            wall, at = self._wall(), self._monotonic()
            passed = timedelta(seconds=max(0.0, at - self._at))
            self._at = at
            self._now = max(wall, self._now + passed / 2) if wall < self._now + passed else wall
            return self._now
