"""Edits and deletions of what is stored, asked anew at the sources: ``backchannel refresh``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from archive.collecting import Mark, Paid
from archive.errors import ArchiveError
from archive.store import Archive
from archive.vocabulary import (
    Counts,
    Deleted,
    Item,
    Meeting,
    Private,
    Received,
    Skipped,
    SourceSpec,
    Unmapped,
)
from collector.loop import Settings, chosen, open_feed
from collector.pace import Backoff
from collector.runner import BEFORE
from collector.sources.base import (
    Feed,
    Heard,
    IfKnown,
    Limited,
    Lost,
    Refilled,
    Signal,
    SourceError,
    Spent,
    Unavailable,
)

BATCH = 200
POLL = 10.0  # seconds between two looks at a job that a server works on
TRIES = 5


@dataclass(slots=True)
class Refreshed:
    """What became of one source: ``note`` says what could not be asked, ``failed`` whether all of it."""

    name: str
    counts: Counts = field(default_factory=Counts)
    note: str = ""
    failed: bool = False


def refresh(
    archive: Archive,
    meeting: Meeting,
    settings: Settings,
    *,
    stop: threading.Event,
    only: str | None = None,
    since: datetime | None = None,
) -> Iterator[Refreshed]:
    """Ask each source again about the posts written since a moment (else: a week before the meeting).

    Only what the archive holds is changed: a post that is not in it does not come in. Raises UsageError.
    """
    for spec in chosen(meeting, only):
        if not stop.is_set():
            yield _Refresh(archive, spec, settings, stop).run(meeting, since or meeting.starts - BEFORE)


@dataclass(slots=True)
class _Refresh:
    archive: Archive
    spec: SourceSpec
    settings: Settings
    stop: threading.Event
    waiting: list[Item] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def run(self, meeting: Meeting, since: datetime) -> Refreshed:
        """Ask until everything is answered; a rate limit is waited for, a failing server tried some times."""
        result = Refreshed(self.spec.name)
        spent = self.archive.spent(self.spec.name)
        feed = open_feed(self.spec, meeting, self.archive.path, self.settings, spent=spent)
        try:
            self._ask(feed, since, result)
        finally:
            with suppress(Exception):  # whatever a library does when its socket goes
                feed.close()
            self._write(result)
        return result

    def _ask(self, feed: Feed, since: datetime, result: Refreshed) -> None:
        """Ask one feed, which goes on where it was when it is asked again."""
        backoff, tries, seconds = Backoff(self.settings.pace), 0, 0.0
        while not self.stop.wait(seconds):
            try:
                for signal in feed.refresh(since):
                    self._take(signal, result)
                    if self.stop.is_set():
                        return
                return
            except Limited as error:
                seconds = backoff.limited(error.until, self.settings.clock())
                self.settings.report(self.spec.name, f"{error}; going on in {seconds:,.0f} s")
            except (Lost, Unavailable) as error:
                tries += 1
                if tries == TRIES:
                    result.note, result.failed = str(error), True
                    return
                seconds = backoff.broken() if isinstance(error, Lost) else backoff.unusable()
            except SourceError as error:
                result.note, result.failed = str(error), True
                return
            except ArchiveError:
                raise
            except Exception as error:  # a source must not take the others with it
                result.note, result.failed = f"a fault of this program ({type(error).__name__})", True
                return
            self._write(result)

    def _take(self, signal: Signal, result: Refreshed) -> None:
        match signal:
            case Spent(posts):
                self.marks.append(Paid(self.spec.name, posts))
            case Refilled(lost=lost):
                result.note = lost or result.note
            case IfKnown(item=item):
                self.waiting.append(item)
            case Received() | Deleted() | Unmapped() | Private() | Skipped():
                self.waiting.append(signal)
            case Heard():
                self._write(result)
                self.stop.wait(POLL)
            case _:
                pass
        if len(self.waiting) >= BATCH:
            self._write(result)

    def _write(self, result: Refreshed) -> None:
        if self.waiting or self.marks:
            names = {name for item in self.waiting if (name := _name(item))}
            known = self.archive.known(names)
            items = [item for item in self.waiting if (name := _name(item)) is None or name in known]
            result.counts.add(self.archive.collect(items, self.marks))
            self.waiting, self.marks = [], []
            self.settings.progress(result.counts)


def _name(item: Item) -> str | None:
    """The key of the post that an item is about."""
    match item:
        case Received(post=post):
            return post.key
        case Deleted(key=key):
            return key
        case _:
            return None
