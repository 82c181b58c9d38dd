"""The collector: every source of a meeting at once, one writer, nothing acknowledged before it is stored.

Each source has two threads, one that listens and one that refills what was missed (``runner``). The calling
thread takes from their inboxes in turn and writes in batches: posts, cursors, signs of life and states
together. Collecting never waits for tagging or the dashboard: they meet in the archive only.

Threads, not asyncio: mastodon-py and the archive know no other way, a stream that spends long on one hostile
line must not hold up the event loop of all, and a handful of connections costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from archive.collecting import Mark, Shelf
from archive.errors import ArchiveError, DamagedArchive, LeaseTaken, NewerArchive, NotAnArchive, UsageError
from archive.removal import account_names
from archive.store import Archive
from archive.vocabulary import Counts, Deleted, Item, Meeting, Received, SourceSpec, Unmapped
from collector.inbox import Inbox, Message
from collector.lease import Lease
from collector.pace import Budget, Pace, SteadyClock
from collector.runner import Report, Runner
from collector.sources import find
from collector.sources.base import Acknowledge, Feed, IfKnown, Setup

BATCH = 500  # messages taken from one inbox in a row
REST = 0.05  # seconds: what arrives within them is written together
STOPPING = 1.2  # seconds that sources have to come to an end
JOINING = 0.3  # seconds more for those that were waiting for room
RETRY = 1.0  # seconds before a write that failed is tried again
OVERTAKING = 50_000  # deletions of posts that we do not hold, remembered in case these come yet

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is told beside its meeting: where relative paths begin, secrets, how patient to be."""

    folder: Path
    secrets: Mapping[str, str]
    pace: Pace = field(default_factory=Pace)
    clock: Clock = field(default_factory=SteadyClock)
    report: Report = lambda name, text: None
    progress: Callable[[Counts], None] = lambda counts: None


def collect(
    archive: Archive,
    meeting: Meeting,
    settings: Settings,
    *,
    stop: threading.Event,
    seconds: float | None = None,
    only: str | None = None,
) -> Counts:
    """Listen to the sources of a meeting until ``stop`` is set or ``seconds`` are over.

    ``only`` names a single source. Raises UsageError (nothing to listen to, a setting that cannot be),
    ArchiveBusy (another collector is at work) and ArchiveError (the file cannot be written for good).
    """
    specs = chosen(meeting, only)
    settings = replace(settings, report=_harmless(settings.report))
    halt = threading.Event()  # ours, so that the caller can tell its own stop from the end of ``seconds``
    with Lease(archive, "collect", settings.clock) as lease:
        threads = [_Threads(spec, archive, meeting, settings, halt) for spec in specs]
        inboxes = [inbox for each in threads for inbox in each.inboxes]
        ends = None if seconds is None else time.monotonic() + seconds

        def over() -> bool:
            return stop.is_set() or (ends is not None and time.monotonic() >= ends)

        writer = _Writer(archive, lease.holder, inboxes, settings, halt, over)
        for each in threads:
            each.start()
        try:
            while not over():
                _keep(lease, settings)
                writer.step()
        finally:
            halt.set()
            for each in threads:
                each.close()
            writer.finish(lambda: all(each.ended() for each in threads))
            for each in threads:
                each.shut()
            until = time.monotonic() + JOINING
            for each in threads:
                each.join(until)
            writer.last([last for each in threads if (last := each.runner.parting()) is not None])
    return writer.counts


def _harmless(report: Report) -> Report:
    """What is said of a full disk may go to a log on that very disk: that ends nothing."""

    def tell(name: str, text: str) -> None:
        with suppress(Exception):
            report(name, text)

    return tell


def _keep(lease: Lease, settings: Settings) -> None:
    """Stay the one collector. A full disk is the writer's to deal with; another collector ends this one."""
    try:
        lease.keep()
    except (LeaseTaken, DamagedArchive, NewerArchive, NotAnArchive):
        raise
    except ArchiveError as error:
        settings.report("archive", str(error))


def chosen(meeting: Meeting, only: str | None) -> Sequence[SourceSpec]:
    """The sources to listen to. UsageError where there are none."""
    if not meeting.sources:
        raise UsageError(
            "the meeting file has no [[sources]]: add one for each network, or import files instead"
        )
    if only is None:
        return meeting.sources
    found = [spec for spec in meeting.sources if spec.name == only]
    if not found:
        names = ", ".join(spec.name for spec in meeting.sources)
        raise UsageError(f"--source {only}: there is no such source; there are {names}")
    return found


def open_feed(spec: SourceSpec, meeting: Meeting, path: Path, settings: Settings, *, spent: int = 0) -> Feed:
    """The feed of a source, with what it may know. Raises UsageError."""
    setup = Setup(spec, meeting, settings.folder, settings.secrets, Shelf(path), settings.clock, spent)
    return find(spec.kind).open_feed(setup)


class _Threads:
    """A source with the threads that drive it."""

    def __init__(
        self, spec: SourceSpec, archive: Archive, meeting: Meeting, settings: Settings, stop: threading.Event
    ) -> None:
        standing = archive.resume(spec.name, spec.kind, settings.clock())
        self.feed = open_feed(spec, meeting, archive.path, settings, spent=standing.spent)
        self.inboxes = (Inbox(), Inbox())
        live, past = self.inboxes
        stall = float(spec.settings.get("stall_after", 30))
        self.runner = Runner(
            name=spec.name,
            feed=self.feed,
            live=live,
            past=past,
            standing=standing,
            clock=settings.clock,
            monotonic=time.monotonic,
            wait=stop.wait,
            budget=Budget(*find(spec.kind).CONNECTS),
            meeting_starts=meeting.starts,
            patience=timedelta(seconds=max(90.0, 3 * stall)),
            pace=settings.pace,
            report=settings.report,
        )
        # Daemons: a server that answers nothing at all must not keep the program from ending.
        self._threads = [
            threading.Thread(target=self.runner.listen, name=f"{spec.name} listens", daemon=True),
            threading.Thread(target=self.runner.refill, name=f"{spec.name} refills", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Ask the threads to end."""
        with suppress(Exception):  # whatever a library does when its socket goes, the others are to end too
            self.feed.close()

    def ended(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def shut(self) -> None:
        """Take nothing more in."""
        for inbox in self.inboxes:
            inbox.close()

    def join(self, until: float) -> None:
        """Wait for the threads, not beyond a monotonic time."""
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))


class _Writer:
    """Takes from all inboxes in turn and writes."""

    def __init__(
        self,
        archive: Archive,
        holder: str,
        inboxes: Sequence[Inbox],
        settings: Settings,
        stop: threading.Event,
        over: Callable[[], bool],
    ) -> None:
        self._archive = archive
        self._holder = holder
        self._inboxes = inboxes
        self._settings = settings
        self._stop = stop
        self._over = over
        self._until: float | None = None  # set when stopping: then nothing is waited for beyond it
        self._arrived = threading.Event()
        self._pause = threading.Event()  # never set: to wait where the stop no longer does
        self._overtaking: OrderedDict[str, Deleted] = OrderedDict()
        self._torn = False
        for inbox in inboxes:
            inbox.arrived = self._arrived.set
        self.counts = Counts()

    def step(self) -> None:
        """Wait a moment for messages, and write what there is."""
        if self._arrived.wait(0.2):
            self._arrived.clear()
            self._rest()
            self._write(self._taken())
            if any(len(inbox) for inbox in self._inboxes):
                self._arrived.set()
            self._settings.progress(self.counts)

    def finish(self, ended: Callable[[], bool]) -> None:
        """Write what still comes until every source has ended, or the time is up."""
        self._until = time.monotonic() + STOPPING
        while not ended() and time.monotonic() < self._until:
            self.step()

    def last(self, marks: Sequence[Mark]) -> None:
        """Write all that is left, and these marks after it; nothing comes any more."""
        while messages := self._taken():
            self._write(messages)
        self._write(marks)

    def _rest(self) -> None:
        """Let a little more arrive: a commit costs the same for one post and for fifty."""
        if sum(len(inbox) for inbox in self._inboxes) < BATCH:
            self._stop.wait(REST)

    def _taken(self) -> list[Message]:
        return [message for inbox in self._inboxes for message in inbox.take(BATCH)]

    def _write(self, messages: Sequence[Message]) -> None:
        """Commit messages, then acknowledge them. A file that cannot be written now is tried again.

        Once a batch was given up nothing more is written: a later cursor would vouch for its posts.
        """
        if not messages or self._torn:
            return
        self._torn = True
        items: list[Item | IfKnown] = []
        marks: list[Mark] = []
        done: list[Acknowledge] = []
        for message in messages:
            match message:
                case Acknowledge():
                    done.append(message)
                case message if isinstance(message, Mark):
                    marks.append(message)
                case _:
                    items.append(message)
        self._persist(self._wanted(items), marks)
        self._torn = False
        for each in done:
            with suppress(Exception):  # theirs, not ours
                each.done()

    def _wanted(self, items: Iterable[Item | IfKnown]) -> list[Item]:
        """The items without those about posts that we do not hold.

        What a search found may be deleted before it is stored: such a deletion comes again behind its post.
        """
        asked = [item.key for item in items if isinstance(item, IfKnown)]
        known = self._archive.known(asked) if asked else set()
        wanted: list[Item] = []
        for item in items:
            if isinstance(item, IfKnown):
                if item.key not in known:
                    self._remember(item.item)
                    continue
                item = item.item
            wanted.append(item)
            if isinstance(item, Received):
                known.add(item.post.key)
                if deletion := self._overtaking.get(item.post.key):
                    wanted.append(deletion)
        return wanted

    def _remember(self, item: Item) -> None:
        if isinstance(item, Deleted):
            self._overtaking[item.key] = item
            if len(self._overtaking) > OVERTAKING:
                self._overtaking.popitem(last=False)

    def _persist(self, items: Sequence[Item], marks: Sequence[Mark]) -> None:
        try:
            self._commit(items, marks)
        except ArchiveError:
            raise
        except Exception as error:
            if not items:
                raise
            self._persist_each(items, error)
            self._commit((), marks)

    def _persist_each(self, items: Sequence[Item], error: Exception) -> None:
        """One item spoils the batch: find it, put it in quarantine, keep its neighbours."""
        if len(items) > 1:
            middle = len(items) // 2
            for part in (items[:middle], items[middle:]):
                self._persist(part, ())
            return
        self._commit([_unstorable(items[0], f"it could not be stored ({type(error).__name__}: {error})")], ())

    def _commit(self, items: Sequence[Item], marks: Sequence[Mark]) -> None:
        """Write, as often as it takes."""
        while True:
            try:
                self.counts.add(self._archive.collect(items, marks, holder=self._holder))
                return
            except (DamagedArchive, NewerArchive, NotAnArchive):
                raise
            except ArchiveError as error:
                # A full disk, a lock: nothing is acknowledged until it is written, sources wait meanwhile.
                if self._until is None and self._over():
                    self._until = time.monotonic() + JOINING
                if self._until is not None and time.monotonic() > self._until:
                    raise
                self._settings.report("archive", str(error))
                self._wait_to_retry()

    def _wait_to_retry(self) -> None:
        again = time.monotonic() + RETRY
        self._pause.wait(REST)
        while time.monotonic() < again and not self._over():
            self._pause.wait(REST)


def _unstorable(item: Item, reason: str) -> Unmapped:
    """What quarantine keeps of an item: all of it, but nothing of people who opted out."""
    match item:
        case Received(post=post, raw=raw):
            return Unmapped(reason, raw, post.platform_id, tuple(account_names(post.author)))
        case Unmapped(payload=payload, where=where, accounts=accounts):
            return Unmapped(f"{item.reason}; {reason}", payload, where, accounts)
        case Deleted(key=key):
            return Unmapped(reason, key, "a deletion")
        case _:
            return Unmapped(reason, None, "the collector")
