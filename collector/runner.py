"""One source, listened to for as long as the meeting runs: connect, hear, lose, wait, connect again.

Whatever a server does ends as a state of the ledger and a wait, never as the end of listening. The times
that were missed are refilled beside it, by a thread of their own (``refiller``). Both speak to the writer
through inboxes only, so nothing that happens here can harm another source.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from archive.collecting import Heartbeat, Moved, Named, Paid, Recovered, Standing, Turn
from archive.coverage import ENDED
from archive.shown import printable
from archive.vocabulary import State
from collector.gaps import Gaps
from collector.inbox import Closed, Inbox
from collector.pace import Backoff, Budget, Pace
from collector.refiller import Refiller
from collector.sources.base import (
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
    Signal,
    SourceError,
    Spent,
)

Clock = Callable[[], datetime]
Report = Callable[[str, str], None]

#: How far before the meeting the discussion of it is looked for: as far as X's cheaper search reaches,
#: which is seven days, less what a source adds on both sides of a gap.
BEFORE = timedelta(days=6, hours=23)
_CLOSED = "the server closed the connection"
_LONGEST_REASON = 300  # characters


@dataclass(slots=True)
class Runner:
    """Drives one feed. ``listen`` and ``refill`` are the bodies of its two threads.

    ``wait`` pauses for some seconds or until the stop, and says whether it is the stop; ``monotonic`` is for
    the budget of connections. Longer than ``patience`` no source is silent by its own rules: then the machine
    slept. ``report`` tells a person what changed: the source's name and a sentence.
    """

    name: str
    feed: Feed
    live: Inbox
    past: Inbox
    standing: Standing
    clock: Clock
    monotonic: Callable[[], float]
    wait: Callable[[float], bool]
    budget: Budget
    meeting_starts: datetime
    patience: timedelta = timedelta(seconds=90)
    pace: Pace = field(default_factory=Pace)
    report: Report = lambda name, text: None
    _cursor: str | None = None
    _label: str = ""
    _notice: str | None = None
    _proof: datetime | None = None
    _state: State | None = None
    _cause: str | None = None
    _connected: bool = False
    _connected_at: datetime | None = None  # this connection, not an earlier one
    _ended: bool = False  # nobody listens any more, and the ledger was told so
    _replays: str = ""
    _gaps: Gaps = field(init=False)
    _refiller: Refiller = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _work: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._cursor = self.standing.cursor
        self._label = self.feed.label
        asked_once = {Gap(*gap): (self.clock(), Refilled("search")) for gap in self.standing.again}
        self._gaps = Gaps([Gap(*gap) for gap in self.standing.gaps], again=asked_once)
        self._refiller = Refiller(self.name, self.feed, self.past, self.clock, self.wait, self.pace)

    # -- listening -----------------------------------------------------------------------------------

    def listen(self) -> None:
        """Listen until stopped, or until nothing can ever come."""
        backoff = Backoff(self.pace)
        try:
            self._turn("deaf", self.clock(), "connecting")
            while not self.wait(0):
                if (seconds := self.budget.wait(self.monotonic())) > 0:
                    self._pause("waiting", "all the connections that the server allows are used", seconds)
                    continue
                self.budget.connected(self.monotonic())
                pause = self._once(backoff)
                if pause is None or self.wait(pause):
                    break
        except Closed:
            return
        finally:
            self._end()

    def _once(self, backoff: Backoff) -> float | None:
        """One connection, to its end; the seconds to wait before the next, None for never again."""
        self._connected_at = None
        try:
            self._hear(self.feed.listen(self._cursor))
            error: Exception = Lost(_CLOSED)
        except Closed:
            raise
        except Exception as caught:  # a source must never take the others with it, whatever it does
            error = caught
        if self.wait(0):
            return None
        if self._lasted():
            backoff.healthy()
        return self._after(error, backoff)

    def _hear(self, signals: Iterator[Signal]) -> None:
        try:
            while not self.wait(0):
                signal = next(signals, None)
                if signal is None:
                    return
                heard_at = self.clock()
                self._notice_sleep(heard_at)
                self._take(signal, heard_at)
        finally:
            close = getattr(signals, "close", None)
            if close is not None:
                close()

    def _notice_sleep(self, now: datetime) -> None:
        """A connection that survives an hour without a word says nothing about that hour."""
        if self._connected and self._proof and now - self._proof > self.patience:
            seconds = (now - self._proof).total_seconds()
            self._turn("deaf", self._proof, f"nothing was heard for {seconds:,.0f} s: asleep?")
            self._connect(Connected())

    def _take(self, signal: Signal, heard_at: datetime) -> None:
        """Pass on what a feed says, and draw the conclusions.

        Passing it on may take long, while the writer cannot keep up: that proves nothing.
        """
        match signal:
            case Connected():
                self._connect(signal)
            case CaughtUp():
                self._replayed()
            case Missed():
                self._missed(signal)
            case Heard() | Refilled():
                pass
            case Reached(cursor):
                self.live.put(Moved(self.name, cursor))
                self._cursor = cursor
            case Spent(posts):
                self.live.put(Paid(self.name, posts))
            case _:
                self.live.put(signal)
        self._look_at_feed()
        if self._connected:
            self._proof = max(heard_at, self._proof or heard_at)
            self.live.put(Heartbeat(self.name, self._label, self._proof))

    def _look_at_feed(self) -> None:
        if self.feed.label != self._label:
            with self._lock:  # no state under the old name may come after it
                self._label = self.feed.label
                self.live.put(Named(self.name, self._label))
        notice = self.feed.notice
        if notice != self._notice:
            self._notice = notice
            if self._connected:
                self._turn_to_listening()

    def _connect(self, signal: Connected) -> None:
        now = self.clock()
        with self._lock:
            is_start = self._proof is None
            gaps = self._new_gaps(now)
            self._connected, self._connected_at, self._proof = True, now, now
            if signal.replays is None:
                self._gaps.waiting += gaps
            else:
                self._replays = signal.replays
                # Within a run the cursor is as old as the last sign of life; an earlier run's gaps may lie
                # before it, and were left to a refill.
                self._gaps.replay(gaps, signal.since if is_start else None)
            self._turn_to_listening(now)
        self._work.set()

    def _new_gaps(self, now: datetime) -> list[Gap]:
        """What is to be refilled now that we hear again, besides what waits already."""
        if self._proof is None:
            return self._first_gaps(now)
        return [*self._gaps.replayed(), Gap(self._proof, now)]

    def _first_gaps(self, now: datetime) -> list[Gap]:
        """Those of the ledger, the last of which goes on to this moment."""
        gaps, self._gaps.waiting = self._gaps.waiting, []
        if gaps:
            gaps[-1] = Gap(gaps[-1].starts, now)
        if not self.standing.is_new:
            return gaps
        # Nobody has looked for what was said before, also before the meeting.
        ends = gaps[0].ends if gaps else now
        return [Gap(min(self.meeting_starts, now) - BEFORE, ends, first=True), *gaps[1:]]

    def _replayed(self) -> None:
        with self._lock:
            gaps = self._gaps.replayed()
        for gap in gaps:
            self.live.put(self._recovered(gap, Refilled(self._replays)))
        self._turn_to_listening()

    def _missed(self, signal: Missed) -> None:
        """A replay begins too late: what lies before it is left to a refill."""
        now = self.clock()
        with self._lock:
            self._gaps.cut_off(signal.starts or self._proof or now, signal.ends or now)
            if self._connected:
                self._turn_to_listening(now)
        self._work.set()
        self.report(self.name, signal.cause)

    def _turn_to_listening(self, at: datetime | None = None) -> None:
        """Say that we hear, and whether anything is still to come back.

        Looked at and said under one lock: the other thread may be ending the last gap at this very moment,
        and what it says of that must not be followed by what was so before.
        """
        with self._lock:
            state: State = "catching_up" if self._gaps.is_behind else "listening"
            self._turn(state, at or self.clock(), None)

    def _lasted(self) -> bool:
        since = self._connected_at
        return since is not None and self.clock() - since >= timedelta(seconds=self.pace.healthy)

    # -- after the end of a connection ---------------------------------------------------------------

    def _after(self, error: Exception, backoff: Backoff) -> float | None:
        now = self.clock()
        since = self._proof if self._connected and self._proof else now
        self._connected = False
        match error:
            case Exhausted():
                self._turn("stopped", since, str(error))
                return None
            case Refused():
                self._turn("stopped", since, str(error))
                return self.pace.probe
            case Limited(until=until):
                seconds = backoff.limited(until, now)
                self._turn("waiting", since, str(error), until=now + timedelta(seconds=seconds))
                return seconds
            case Lost():
                self._turn("deaf", since, str(error))
                return backoff.broken()
            case SourceError():
                self._turn("deaf", since, str(error))
                return backoff.unusable()
            case _:
                self._turn("deaf", since, f"a fault of this program ({type(error).__name__}: {error})")
                return backoff.unusable()

    def _pause(self, state: State, cause: str, seconds: float) -> None:
        now = self.clock()
        self._turn(state, now, cause, until=now + timedelta(seconds=seconds))
        self.wait(seconds)

    def _turn(self, state: State, at: datetime, cause: str | None, *, until: datetime | None = None) -> None:
        if state in ("listening", "catching_up"):
            cause = cause or self._notice
        cause = _plain(cause)
        with self._lock:
            changed = (state, cause) != (self._state, self._cause)
            if not changed and until is None:
                return
            self.live.put(Turn(self.name, self._label, state, at, cause, until))
            self._state, self._cause = state, cause  # not before: an inbox may be closed already
        if changed:
            self.report(self.name, f"{state.replace('_', ' ')}{f': {cause}' if cause else ''}")

    def _end(self) -> None:
        """Stopped by us: from the last sign of life on, nobody listens."""
        self._work.set()
        with self._lock:
            self._ended = True  # a refill that ends only now must not say that we listen
            if (last := self.parting()) is not None:
                with suppress(Closed):
                    self._turn(last.state, last.at, last.cause)

    def parting(self) -> Turn | None:
        """What the ledger has to say at the end, unless it says so already.

        For the loop too, where a server holds on to the thread that listens.
        """
        if self._state == "stopped":
            return None
        at = self._proof if self._connected and self._proof else self.clock()
        return Turn(self.name, self._label, "stopped", at, ENDED)

    # -- refilling -----------------------------------------------------------------------------------

    def refill(self) -> None:
        """Refill gaps as they come, until stopped."""
        try:
            while not self.wait(0):
                if (found := self._next_gap()) is None:
                    self._work.wait(0.5)
                else:
                    self._refill(*found)
        except Closed:
            return

    def _next_gap(self) -> tuple[Gap, Refilled | None] | None:
        """What to refill now; nothing while we are deaf ourselves."""
        with self._lock:
            self._work.clear()
            return self._gaps.next(self.clock()) if self._connected else None

    def _refill(self, gap: Gap, before: Refilled | None) -> None:
        """Ask for what a gap left out; the ledger then says what came of it, also where we ask again."""
        end = self._refiller.ask(gap, before)
        if end is not None:
            # In the inbox of states, behind the one that ended the gap.
            self.live.put(self._recovered(gap, end))
        with self._lock:
            if end is not None and end.again is not None:
                self._gaps.put_back(gap, end, self.clock() + timedelta(seconds=end.again))
            else:
                self._gaps.finish()
            if self._connected and not self._ended:
                self._turn_to_listening()

    def _recovered(self, gap: Gap, end: Refilled) -> Recovered:
        return Recovered(
            self.name,
            self._label,
            gap.starts,
            gap.ends,
            end.by,
            _plain(end.lost),
            end.missing,
            first=gap.first,
            again=end.again is not None,
        )


def _plain(text: str | None) -> str | None:
    """A reason as the ledger can hold it, whatever a server or a library put into it."""
    return None if text is None else printable(text[:_LONGEST_REASON])
