"""What a Mastodon server still knows of the past: timelines paged backwards, and statuses asked for again."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from archive.vocabulary import Deleted
from collector.importers.records import MAX_PAYLOAD
from collector.mapping import moment
from collector.mapping.mastodon import SOURCE, status_key
from collector.sources.base import Heard, Signal, Unavailable
from collector.sources.mastodon_events import Reader, elements, parsed, unread
from collector.sources.mastodon_wire import Client, Gone

PAGE = 40  # statuses: the most that a server gives at once
BATCH = 20
OVERLAP = timedelta(minutes=1)
# A post of another server may arrive long after it was written, among others of the time of its writing.
LATE = timedelta(minutes=15)
LATE_PAGES = 3
MAX_PAGES = 1_000  # of one hashtag; no server that means well has 40,000 posts of one meeting
_NEXT = re.compile(r'[?&]max_id=([A-Za-z0-9_-]+)[^>]*>\s*;\s*rel="?next')
TRIES = 3  # of a page that is no page


@dataclass(slots=True)
class Place:
    """Where the paging of one hashtag has come to."""

    max_id: str | None = None
    pages: int = 0
    late_pages: int = 0
    tries: int = 0
    done: bool = False
    seen: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Progress:
    """How far a question has come, so that after a limit or a broken connection it goes on from there.

    ``unchecked`` are the ids still to be asked for again, None before that has begun; at most ``singly`` of
    them where the server answers for one at a time only.
    """

    places: dict[str, Place] = field(default_factory=dict)
    unchecked: list[str] | None = None
    in_batches: bool = True
    singly: int | None = None
    tries: int = 0
    lost: list[str] = field(default_factory=list)

    def keep(self, most: int | None) -> None:
        """Ask again for the newest only, and say what is left out."""
        waiting = self.unchecked or []
        if most is not None and len(waiting) > most:
            rest = len(waiting) - most
            self.lost.append(f"edits and deletions of {rest:,} older posts, which were not asked for again")
            del waiting[most:]


@dataclass(frozen=True, slots=True)
class Past:
    """Asks one server, by one client. Its methods raise SourceError and may then be called again."""

    client: Client
    reader: Reader
    progress: Progress

    def timeline(self, tag: str, starts: datetime, *, first: bool) -> Iterator[Signal]:
        """The posts of a hashtag from the newest back to ``starts``, and some from before.

        ``first``: nothing from before. It stops at the first page of which every post is older.
        """
        place = self.progress.places.setdefault(tag, Place())
        while not place.done:
            where = f"{self.reader.server} timeline #{tag}, page {place.pages + 1}"
            asked_at = self.reader.clock()
            body = self.client.ask(self.client.timeline_hashtag, tag, max_id=place.max_id, limit=PAGE)
            texts = elements(body.decode("utf-8", "backslashreplace"))
            if texts is None:
                yield unread("no page of statuses", _beginning(body), where)
                self._stuck(place, tag, "is no list of statuses")
                return
            yield Heard()
            for number, text in enumerate(texts, 1):
                since = starts if first else None
                yield self.reader.status(text, f"{where}, item {number}", asked_at, since=since)
            self._turn(place, tag, texts, starts, first=first)

    def again(self) -> Iterator[Signal]:
        """What has become of the statuses in ``progress.unchecked``."""
        waiting = self.progress.unchecked or []
        while waiting:
            missing = waiting[:BATCH]
            if self.progress.in_batches:
                missing = yield from self._batch(missing)
            for status_id in missing:
                yield from self._single(status_id)
                waiting.remove(status_id)

    def _turn(self, place: Place, tag: str, texts: list[str], starts: datetime, *, first: bool) -> None:
        """Decide where to go on after a page, and whether to."""
        statuses = [value for text in texts if isinstance(value := parsed(text, ""), dict)]
        ids = [str(value["id"]) for value in statuses if value.get("id")]
        times = [time for value in statuses if (time := moment(value.get("created_at")))]
        next_id = _next_in(self.client.wire.headers_seen.get("link", "")) or (ids[-1] if ids else None)
        if texts and (next_id is None or next_id in place.seen):
            self._stuck(place, tag, "names no way on")
            return
        place.pages += 1
        place.tries = 0
        place.done = not texts or _is_over(place, times, starts, first=first)
        if next_id is None or place.done:
            return
        place.seen.add(next_id)
        place.max_id = next_id
        if place.pages >= MAX_PAGES:
            self._give_up(place, tag, f"{MAX_PAGES:,} pages were read")

    def _stuck(self, place: Place, tag: str, why: str) -> None:
        """A page that leads nowhere: ask for it again, later; a few times only."""
        place.tries += 1
        if place.tries < TRIES:
            raise Unavailable(f"{self.reader.server}: a page of the timeline of #{tag} {why}")
        self._give_up(place, tag, f"a page {why}")

    def _give_up(self, place: Place, tag: str, why: str) -> None:
        place.done = True
        before = f" before id {place.max_id}" if place.max_id else ""
        self.progress.lost.append(f"the timeline of #{tag}{before}: {why}")

    def _batch(self, ids: list[str]) -> Generator[Signal, None, list[str]]:
        """The statuses of these ids that the server gives at once; returns the ids of the others."""
        asked_at = self.reader.clock()
        try:
            body = self.client.ask(self.client.statuses, ids)
        except Gone:
            self.progress.in_batches = False  # a server before 4.3
            self.progress.keep(self.progress.singly)
            return (self.progress.unchecked or [])[: len(ids)]
        missing = list(ids)
        for text in elements(body.decode("utf-8", "backslashreplace")) or []:
            value = parsed(text, "")
            status_id = str(value.get("id")) if isinstance(value, dict) else None
            if status_id in missing:
                missing.remove(status_id)
                yield self._ours(text, status_id, asked_at)
        waiting = self.progress.unchecked or []
        waiting[:] = [status_id for status_id in waiting if status_id not in ids or status_id in missing]
        return missing

    def _single(self, status_id: str) -> Iterator[Signal]:
        asked_at = self.reader.clock()
        try:
            body = self.client.ask(self.client.status, status_id)
        except Gone as error:
            # Only the server itself can know that; a page that is not there may be a proxy's.
            if error.of_a_record:
                yield Deleted(status_key(self.reader.server, status_id), SOURCE, self.reader.clock())
            else:
                self._try_again_later(error, status_id)
        except Unavailable as error:
            self._try_again_later(error, status_id)
        else:
            yield self._ours(body.decode("utf-8", "backslashreplace"), status_id, asked_at)
        self.progress.tries = 0

    def _try_again_later(self, error: Unavailable, status_id: str) -> None:
        self.progress.tries += 1
        if self.progress.tries < TRIES:
            raise error
        self.progress.lost.append(f"whether the post {status_id} was edited or deleted")

    def _ours(self, text: str, status_id: str, asked_at: datetime) -> Signal:
        where = f"{self.reader.server}, status {status_id} asked again"
        return self.reader.status(text, where, asked_at, known=True)


def _beginning(body: bytes) -> str:
    return body[:MAX_PAYLOAD].decode("utf-8", "backslashreplace")


def _is_over(place: Place, times: Sequence[datetime], starts: datetime, *, first: bool) -> bool:
    """Whether a page with posts of these times was the last that matters."""
    if not times:
        return False
    newest = max(times)
    if first:
        return newest < starts
    if newest >= starts - OVERLAP:
        return False
    place.late_pages += 1
    return newest < starts - LATE or place.late_pages > LATE_PAGES


def _next_in(link: str) -> str | None:
    """The id at which the next page begins, as a ``Link`` header says it."""
    found = _NEXT.search(link)
    return found[1] if found else None
