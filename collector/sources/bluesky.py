"""Bluesky: Jetstream in either version, or subscribeRepos of a relay or PDS.

No server filters by hashtag: every post of the network is read and filtered here. Settings: ``base_url``
(path ``/xrpc`` is subscribeRepos, anything else Jetstream), ``stall_after``; and for the past, edits and
deletions that no stream brought: ``search_url``, ``handle``, ``app_password_env``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic

from websockets.exceptions import InvalidStatus

from archive.checkup import Finding
from collector.sources.base import (
    CaughtUp,
    Connected,
    Feed,
    Gap,
    Heard,
    IfKnown,
    Lost,
    Missed,
    Reached,
    Refilled,
    Setup,
    Signal,
    SourceError,
    Unavailable,
)
from collector.sources.bluesky_events import Sorter, explain, owned
from collector.sources.bluesky_search import Search, search_of
from collector.sources.bluesky_socket import NotSpoken, Sign, TooBig, Wires, dial, frames
from collector.sources.bluesky_wire import (
    DEFAULT_URL,
    STREAMS,
    Address,
    CursorRefused,
    Event,
    Mark,
    Name,
    Notice,
    Stream,
    from_microseconds,
    microseconds,
)
from collector.sources.web import MAX_LINE

KIND = "bluesky"
CONNECTS = (60, 300.0)
STALL_AFTER = 30.0
LOOK_BACK = timedelta(hours=36)  # what Jetstream keeps

_EVERY = 1.0  # seconds between two Reached, unless something was kept
_EVENTS = 1_000  # the same in events
_PULSE = 0.5  # seconds between two Heard
_PRESENT = timedelta(seconds=2)
_FAR = timedelta(hours=1)
_AHEAD = timedelta(days=1)
_LOOK = 6.0  # seconds of silence that check() waits for at most


def open_feed(setup: Setup) -> Feed:
    """The source of a ``[[sources]]`` table. Connects to nothing yet."""
    return Bluesky(setup)


class Bluesky:
    """An open Bluesky source."""

    label = "bluesky"

    def __init__(self, setup: Setup) -> None:
        self.notice: str | None = None
        settings = setup.spec.settings
        self._setup = setup
        self._address = Address.of(str(settings.get("base_url") or DEFAULT_URL))
        self._stall_after = float(settings.get("stall_after") or STALL_AFTER)
        self._spoken: Name | None = self._address.only
        self._wires = Wires()
        self._sorter = Sorter(setup)
        self._search: Search | None = search_of(setup)
        self._giant_at: str | None = None
        self._poisoned = False

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        """One connection, from connecting to its end; see ``Feed``."""
        yield from map(owned, self._from(Mark.parse(cursor) or self._looking_back(), cursor))

    def _from(self, mark: Mark | None, cursor: str | None) -> Iterator[Signal]:
        """A connection that goes on after a mark, to whichever stream the server speaks."""
        unknown = ""
        closed: Lost | None = None
        for name in [self._spoken] if self._spoken else list[Name](["v2", "v1"]):
            try:
                yield from self._from_best_place(STREAMS[name], mark)
                return
            except NotSpoken as error:
                unknown, closed = str(error), closed or error.closed
            except Unavailable:
                self._spoken = self._address.only  # a server that changed is asked anew
                raise
            except TooBig:
                # Once may have been an accident; twice after the same event it would be for ever.
                self._poisoned = cursor is not None and cursor == self._giant_at
                self._giant_at = cursor
                raise
        raise closed or Unavailable(f"{unknown}: no Jetstream there; mend base_url")

    def _looking_back(self) -> Mark | None:
        """Where to begin the first time: with the meeting, if Jetstream goes back so far.

        A relay's numbers say nothing of time, and before the meeting there is the whole network to read.
        """
        now, meeting = self._setup.clock(), self._setup.meeting
        begin = max(meeting.starts, now - LOOK_BACK)
        if self._address.only == "repos" or not begin < min(now, meeting.ends):
            return None
        return Mark("v1", 0, microseconds(begin), self._address.host)

    def _from_best_place(self, stream: Stream, mark: Mark | None) -> Iterator[Signal]:
        """Listen from the first place that the server goes on from, at last from the present."""
        places: list[int | None] = [] if mark is None else [*stream.starts(mark, self._address.host)]
        missed = ""
        if self._poisoned:
            places, missed = [], "a message beyond any limit, which the server would send again"
            self._poisoned = False
        for place in [*places, None]:
            lost = Missed(missed, mark.moment) if missed and mark and place is None else None
            try:
                yield from self._converse(stream, place, mark, lost)
                return
            except CursorRefused as error:
                if place is None:
                    raise Unavailable(str(error)) from None
                missed = str(error)
            except NotSpoken as error:
                if place is None or not error.place:
                    raise
                missed = str(error)

    def _converse(
        self, stream: Stream, place: int | None, mark: Mark | None, lost: Missed | None
    ) -> Iterator[Signal]:
        try:
            with dial(
                stream.url(self._address, place),
                stream.subprotocol,
                what=stream.what,
                wires=self._wires,
                clock=self._setup.clock,
                may_be_unknown=self._spoken is None,
            ) as connection:
                reading = _Reading(stream, self._address.host, place, mark, self._sorter, self._setup.clock)
                heard = frames(connection, stream.what, self._stall_after)
                opening: list[Signal] = []
                if place is not None or self._spoken is None:
                    # A server that refuses a cursor, or knows no such stream, may say so by its first frame.
                    opening = reading.first(self._first(heard, stream))
                self._spoken = stream.name
                if lost is not None:
                    yield lost
                yield Connected() if place is None else Connected("the cursor", mark.moment if mark else None)
                if place is None and stream.name != "repos":
                    # Until an event names a place, the time is one: Jetstream goes by either.
                    now = microseconds(self._setup.clock()) or 0
                    yield Reached(str(Mark("v1", 0, now, self._address.host)))
                yield from opening
                for frame in heard:
                    yield from reading.signals(frame)
                yield from reading.reached()
        except InvalidStatus:
            raise CursorRefused(f"{stream.what} says that our cursor is too old") from None

    def _first(self, heard: Iterator[bytes | Sign], stream: Stream) -> bytes | Sign | None:
        """The first frame. NotSpoken where there is none, and we do not know the server."""
        try:
            frame, closed = next(heard, None), Lost(f"{stream.what} closes at once")
        except TooBig:
            raise
        except Lost as error:
            frame, closed = None, error
        if frame is None:
            raise NotSpoken(str(closed), closed=closed) if self._spoken is None else closed
        return frame

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """What a gap left out, by search where ``search_url`` says whom to ask."""
        if self._search is None:
            lost = "Bluesky has no search for us here: set search_url"
            yield Refilled(by="nothing", lost=lost)
        else:
            yield from map(owned, self._search.refill(gap, self._sorter))

    def refresh(self, since: datetime) -> Iterator[Signal]:
        """Edits and deletions of the archive's posts, looked up at ``search_url`` or the PDS."""
        if self._search is None:
            lost = "no server to look posts up at: set search_url"
            yield Refilled(by="nothing", lost=lost)
        else:
            yield from map(owned, self._search.refresh(since, self._sorter))

    def check(self) -> Iterator[Finding]:
        """Reached, which stream, the clock, and the search's credentials; one finding per line."""
        about = f"source {self._setup.spec.name}"
        usual, self._stall_after = self._stall_after, min(self._stall_after, _LOOK)
        try:
            yield from self._look(about)
        except SourceError as error:
            hint = "; mend base_url" if isinstance(error, Unavailable) else ""
            yield Finding(about, "failed", f"{self._address.host}: {error}{hint}")
        finally:
            self._stall_after = usual
        if self._search is None:
            text = "without search_url the time before the start and long gaps cannot be searched"
            yield Finding(about, "warning", text)
        else:
            yield from self._search.check(about)

    def _look(self, about: str) -> Iterator[Finding]:
        seen: datetime | None = None
        since = monotonic()
        listening = self._from(None, None)  # what is being said now tells the clock, a replay does not
        try:
            for signal in listening:
                if isinstance(signal, Reached):
                    mark = Mark.parse(signal.cursor)
                    seen = mark.moment if mark and mark.position else None
                if isinstance(signal, Connected):
                    stream = STREAMS[self._spoken or "v2"].what
                    yield Finding(about, "ok", f"{self._address.host} answers: {stream}")
                elif seen is not None or monotonic() - since > self._stall_after / 2:
                    break
        finally:
            listening.close()  # type: ignore[attr-defined]
        if seen is None:
            yield Finding(about, "ok", "quiet there: nothing came while we looked")
            return
        skew = (seen - self._setup.clock()).total_seconds()
        if abs(skew) > 30:
            text = (
                f"its events are {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} our clock; set it"
            )
            yield Finding(about, "warning", text)
        else:
            yield Finding(about, "ok", "its events and our clock agree")

    def close(self) -> None:
        """Break the connection and any search, from another thread."""
        self._wires.close()
        if self._search is not None:
            self._search.close()


class _Reading:
    """Where one connection stands: what to tell the loop about each frame."""

    def __init__(
        self,
        stream: Stream,
        host: str,
        place: int | None,
        mark: Mark | None,
        sorter: Sorter,
        clock: Callable[[], datetime],
    ) -> None:
        self._stream = stream
        self._host = host
        self._sorter = sorter
        self._clock = clock
        self._asked = mark if place is not None else None
        self._replaying = place is not None
        self._outdated: str | None = None
        self._fresh = True
        self._position: int | None = None
        self._time_us: int | None = None
        self._told: int | None = None
        self._since = 0
        self._told_at = self._pulse_at = self._event_at = monotonic()
        self._pace: tuple[float, int] | None = None

    def first(self, frame: bytes | Sign | None) -> list[Signal]:
        """What the first frame says, read at once. Raises CursorRefused."""
        return [] if frame is None else list(self.signals(frame))

    def signals(self, frame: bytes | Sign) -> Iterator[Signal]:
        """What a frame, or the absence of one, says to the loop."""
        now = monotonic()
        if isinstance(frame, Sign):
            yield from self._quiet(frame, now)
            return
        self._event_at = now
        kept = False
        for signal in self._heard(frame):
            kept = kept or not isinstance(signal, IfKnown)
            yield signal
        self._since += 1
        if self._replaying and self._is_present(now):
            self._replaying = False
            yield from self.reached()
            yield CaughtUp()
        elif kept or self._since >= _EVENTS or now - self._told_at >= _EVERY:
            yield from self.reached()
        elif now - self._pulse_at >= _PULSE:
            self._pulse_at = now
            yield Heard()

    def reached(self) -> Iterator[Signal]:
        """How far we are, where that changed."""
        if self._position is not None and self._position != self._told:
            self._told = self._position
            mark = Mark(self._stream.name, self._position, self._time_us, self._host)
            yield Reached(str(mark))
        self._since = 0
        self._told_at = self._pulse_at = monotonic()

    def _heard(self, frame: bytes) -> Iterator[Signal]:
        where = f"{self._stream.what}, after {self._position or 'the beginning'}"
        if len(frame) > MAX_LINE:
            yield explain(f"a message of {len(frame):,} bytes; its beginning is kept", frame, where)
            return
        try:
            for said in self._stream.read(frame):
                if isinstance(said, Event):
                    yield from self._moved(said)
                    yield from self._sorter.sort(said.value, said.raw, where)
                elif isinstance(said, Notice):
                    self._notice(said)
                else:
                    yield explain(said.reason, said.payload.encode(), where)
        except ValueError as error:
            yield explain(f"cannot be read: {str(error)[:200]}", frame, where)

    def _moved(self, event: Event) -> Iterator[Missed]:
        """Take note of a place; what its time shows to be missing is said once."""
        time = from_microseconds(event.time_us)
        if time is None or time > self._clock() + _AHEAD:
            # No time that we could go on from; version 1 knows no other place.
            if self._stream.name == "v1":
                return
        else:
            if self._fresh:
                yield from self._first_event(time)
            self._time_us = max(event.time_us or 0, self._time_us or 0)
        if event.position is not None:
            self._position = self._time_us if self._stream.name == "v1" else event.position

    def _first_event(self, time: datetime) -> Iterator[Missed]:
        self._fresh = False
        asked = self._asked.moment if self._asked else None
        if self._outdated is not None:
            yield Missed(self._outdated, asked, time)
        elif self._stream.name == "v1" and asked is not None and time - asked > _FAR:
            # A cursor that is too old is moved up without a word. Nobody is silent for an hour here.
            cause = f"{self._stream.what} does not go back to our cursor, and did not say so"
            yield Missed(cause, asked, time)

    def _notice(self, notice: Notice) -> None:
        if notice.name == "FutureCursor":
            raise CursorRefused(f"{self._stream.what} does not know our cursor yet ({notice.message[:100]})")
        if notice.name == "OutdatedCursor":
            self._outdated = f"{self._stream.what} does not go back to our cursor"

    def _quiet(self, sign: Sign, now: float) -> Iterator[Signal]:
        if self._replaying and now - self._event_at >= 1.0:
            self._replaying = False
            yield from self.reached()
            yield CaughtUp()
        elif self._position != self._told:
            yield from self.reached()
        if sign is Sign.PONG:
            yield Heard()

    def _is_present(self, now: float) -> bool:
        """Whether a replay has come to the present: by the clock, or since it runs no faster than time."""
        time = from_microseconds(self._time_us)
        if time is None or self._time_us is None:
            return False
        if time >= self._clock() - _PRESENT:
            return True
        if self._pace is None:
            self._pace = now, self._time_us
        elif now - self._pace[0] >= 10.0:
            elapsed, gained = now - self._pace[0], (self._time_us - self._pace[1]) / 1_000_000
            self._pace = now, self._time_us
            return gained < 1.2 * elapsed
        return False
