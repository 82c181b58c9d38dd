"""An archived discussion as though live: the same writes as a collector's, on a clock of its own.

Every item is due at the moment when a collector would have met it (``timeline.moment_of``), and is
committed when the replay's clock gets there; that moment is its ``received_at``. Meeting time runs at
``speed`` seconds a second. Quiet stretches (no post for half an hour, and no session or break of the
agenda) are jumped over, so that a night costs nobody a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from archive.coverage import heard
from archive.playback import Playback, checked_speed, move, playback, write_playback
from archive.store import Archive
from archive.times import utc_now
from archive.vocabulary import Counts, Item, Meeting, Received, Span
from collector import timeline
from collector.lease import Lease
from collector.spool import Spool

QUIET = timedelta(minutes=30)
BATCH = 500
POLL = 0.1  # seconds between two looks at what viewers ask for
TICK = 0.04  # seconds; what falls due within one is written together
TELL = timedelta(seconds=0.5)  # between two signs of life when nothing is due
_INSTANT = timedelta(microseconds=1)

Clock = Callable[[], datetime]
Progress = Callable[[datetime, Counts], None]


def replay(
    archive: Archive,
    meeting: Meeting,
    paths: Iterable[Path],
    *,
    speed: float,
    wait: Callable[[float], object],
    start: datetime | None = None,
    clock: Clock = utc_now,
    stop: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
    quiet: timedelta | None = QUIET,
) -> Counts:
    """Play files of posts into an archive, and say what became of their records.

    What was due before ``start`` is written at once. A file named ``coverage.ndjson`` drives the ledger.
    ``wait`` pauses for some seconds, ``clock`` tells the wall's time, ``stop`` whether to end early;
    ``progress`` is told the meeting's time and the counts so far. ``quiet`` is the longest silence that is
    sat through (None: all of it). Into an archive that holds an interrupted replay of the same files it
    goes on where that one stopped; where it had come to its end, nothing is done.
    Raises UsageError, InputError or ArchiveBusy.
    """
    checked_speed(speed)
    with Lease(archive, "replay", clock) as lease, Spool[Item]() as spool:

        def stopped() -> bool:
            lease.keep()
            return stop()

        timeline.fill(spool, meeting, paths, stopped)
        if spool.first is None or spool.last is None or stop():
            return Counts()
        state = Playback(spool.first, spool.last, spool.first, speed, paused=False, seen_at=clock())
        agenda = tuple((session.starts, session.ends) for session in meeting.sessions)
        player = _Player(archive, state, agenda, quiet, clock, wait, stopped, progress)
        player.play(spool, start)
        return player.counts


class _Events:
    """The spooled items in order, with a look at when the next one is due."""

    def __init__(self, spool: Spool[Item]) -> None:
        self._rest = iter(spool)
        self._next = next(self._rest, None)

    @property
    def next_at(self) -> datetime | None:
        """When the next item is due; None at the end."""
        return self._next[0] if self._next else None

    def until(self, moment: datetime) -> Iterator[tuple[datetime, Item]]:
        """The items due up to and with a moment."""
        while self._next is not None and self._next[0] <= moment:
            due, self._next = self._next, next(self._rest, None)
            yield due


@dataclass(slots=True)
class _Player:
    """A replay under way. The meeting's time was ``state.position`` at ``state.seen_at`` on the wall."""

    archive: Archive
    state: Playback
    agenda: tuple[tuple[datetime, datetime], ...]
    quiet: timedelta | None
    clock: Clock
    wait: Callable[[float], object]
    stop: Callable[[], bool]
    progress: Progress | None
    counts: Counts = field(default_factory=Counts)
    listening: dict[str, str] = field(default_factory=dict)
    told: datetime | None = None

    def play(self, spool: Spool[Item], start: datetime | None) -> None:
        """Play everything, or until stopped."""
        done = self._earlier()
        if done >= self.state.ends:
            return
        events = _Events(spool)
        for _, item in events.until(done):
            self._follow(item)
        with self.archive.transaction() as conn:
            write_playback(conn, replace(self.state, position=done))
        self._catch_up(events, max(done, start or self.state.starts))
        while events.next_at is not None and not self.stop():
            self._step(events)
        self._end(finished=events.next_at is None)

    def _earlier(self) -> datetime:
        """Up to where an earlier replay of these files wrote everything, else just before the beginning."""
        earlier = playback(self.archive.conn)
        if earlier is None or (earlier.starts, earlier.ends) != (self.state.starts, self.state.ends):
            return self.state.starts - _INSTANT
        return earlier.position

    def _catch_up(self, events: _Events, begin: datetime) -> None:
        """Write at once what was due before the beginning, and set the clock going."""
        while not self.stop() and (batch := list(islice(events.until(begin), BATCH))):
            self._write(batch)
            self._tell(batch[-1][0] - _INSTANT)
        if not self.stop():
            self._set_clock(begin)

    def _step(self, events: _Events) -> None:
        """Write what is due, tell where we are, wait for what comes next."""
        self._obey()
        now = self._now()
        batch = list(islice(events.until(now), BATCH))
        if batch:
            self._write(batch)
        is_behind = len(batch) == BATCH
        if batch or self.told is None or self.clock() - self.told >= TELL:
            self._tell(batch[-1][0] - _INSTANT if is_behind else now)
        if events.next_at is not None and not is_behind:
            self._jump(events.next_at)
            self.wait(self._seconds_until(events.next_at))

    def _now(self) -> datetime:
        """The meeting's time."""
        if self.state.paused:
            return self.state.position
        passed = max(self.clock() - self.state.seen_at, timedelta())
        return self.state.position + passed * self.state.speed

    def _set_clock(self, position: datetime) -> None:
        self.state = replace(self.state, position=position, seen_at=self.clock())
        self._tell(position)

    def _obey(self) -> None:
        """Do what viewers ask for: pause, go on, another speed."""
        asked = playback(self.archive.conn)
        if asked is not None and (asked.paused, asked.speed) != (self.state.paused, self.state.speed):
            position = self._now()
            self.state = replace(self.state, paused=asked.paused, speed=asked.speed)
            self._set_clock(position)

    def _jump(self, next_at: datetime) -> None:
        """Leave out a stretch without posts and agenda."""
        now = self._now()
        if self.quiet is None or self.state.paused or next_at - now <= self.quiet:
            return
        if any(starts <= now < ends for starts, ends in self.agenda):
            return
        target = min([next_at, *(starts for starts, _ in self.agenda if starts > now)])
        if target - now > self.quiet:
            self._set_clock(target - timedelta(seconds=1))

    def _seconds_until(self, next_at: datetime) -> float:
        if self.state.paused:
            return POLL
        due_in = (next_at - self._now()).total_seconds() / self.state.speed
        return min(POLL, max(TICK, due_in))

    def _write(self, batch: list[tuple[datetime, Item]]) -> None:
        for _, item in batch:
            self._follow(item)
        self.counts.add(self.archive.write(_received(item, at) for at, item in batch))

    def _follow(self, item: Item) -> None:
        """Remember which sources are listening: they give the signs of life."""
        if isinstance(item, Span):
            if item.ended_at is None and item.state in ("listening", "catching_up"):
                self.listening[item.name] = item.source
            else:
                self.listening.pop(item.name, None)

    def _tell(self, position: datetime) -> None:
        """Commit up to where everything is written, and that the sources are being heard."""
        self.told = self.clock()
        # Only ``_end`` may say that everything was played.
        position = min(position, self.state.ends - _INSTANT)
        with self.archive.transaction() as conn:
            move(conn, position, self.told)
            for name, source in self.listening.items():
                heard(conn, name, source, position)
        if self.progress is not None:
            self.progress(position, self.counts)

    def _end(self, *, finished: bool) -> None:
        """Leave a row that says the truth: over, or standing still."""
        with self.archive.transaction() as conn:
            left = playback(conn) or self.state
            position = left.ends if finished else left.position
            write_playback(conn, replace(left, position=position, paused=not finished, seen_at=self.clock()))


def _received(item: Item, at: datetime) -> Item:
    return replace(item, received_at=at) if isinstance(item, Received) else item
