"""What reading posts from X may cost: a count shared by all threads of a source, and its ceiling."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from collector.sources.base import Exhausted, Limited, SourceError

_WARN_FROM, _STEP = 80, 5  # percent
_SET_ASIDE = 5.0  # seconds after which a request under way has said what it took


class Budget:
    """Posts read, those being asked for, and how many there may be; None means as many as there are."""

    def __init__(self, most: int | None, spent: int = 0) -> None:
        self.most = most
        self.spent = spent
        self._asked_for = 0
        self._guard = threading.Lock()

    def ask(self, wanted: int, now: datetime, least: int = 1) -> int:
        """Set aside up to ``wanted`` posts for a request, at least ``least``. Raises as ``require_room``.

        Whoever asks says with ``take`` what came of it, also where nothing did.
        """
        with self._guard:
            room = wanted if self.most is None else min(wanted, self.most - self.spent - self._asked_for)
            if room < least:
                raise self._refusal(least, now)
            self._asked_for += room
            return room

    def take(self, read: int, asked: int = 0) -> None:
        """Count posts that were read, and give back what was set aside for them."""
        with self._guard:
            self.spent += read
            self._asked_for -= asked

    def require_room(self, now: datetime) -> None:
        """Raises Exhausted where nothing more may be read, Limited where a request under way may take it."""
        with self._guard:
            if self.most is not None and self.spent + self._asked_for >= self.most:
                raise self._refusal(1, now)

    def _refusal(self, least: int, now: datetime) -> SourceError:
        if self.most is not None and self.spent + least <= self.most:
            reason = "all that max_posts still allows is set aside for a request under way"
            return Limited(reason, now + timedelta(seconds=_SET_ASIDE))
        return self.exhausted()

    def exhausted(self) -> Exhausted:
        """What to raise at the ceiling."""
        return Exhausted(f"the ceiling max_posts = {self.most} is reached: raise it in the meeting file")

    @property
    def notice(self) -> str | None:
        """What the organiser should know before the ceiling is reached; in steps, to change rarely."""
        if self.most is None or (percent := self.spent * 100 // self.most) < _WARN_FROM:
            return None
        step = min(percent - percent % _STEP, 100)
        return f"{step} % of the {self.most:,} posts that may be read have been read"
