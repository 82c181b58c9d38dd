"""What a Mastodon server says, in statuses and in server-sent events, as signals; it survives any bytes.

mastodon-py's own parser is not used: it ends at the first malformed event, and keeps no payload.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from archive.vocabulary import Arm, Deleted, Post, Private, Received, Skipped, Unmapped
from collector.importers.records import dump, loads, unmapped
from collector.mapping import MAX_COUNT, MappingError, folded, moment, table, tables, words
from collector.mapping.mastodon import SOURCE, Status, audience, for_all_eyes, status_key, to_post
from collector.sources.base import Heard, IfKnown, Signal
from collector.sources.web import MAX_LINE

_STATUS_EVENTS = ("update", "status.update", "status_update")
_OTHER_EVENTS = (
    "announcement",
    "announcement.delete",
    "announcement.reaction",
    "encrypted_message",
    "filters_changed",
    "notification",
    "notifications_merged",
)
_ACCT = re.compile(r'"acct\\*"\s*:\s*\\*"([^"\\]{1,200})')
_HOST = re.compile(r'"url\\*"\s*:\s*\\*"https?://([^/"\\]{1,200})/@')
_FIELDS = ("event", "data", "id", "retry", "stream")
_NAME = re.compile(r"[a-z0-9_.-]{1,40}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ANOTHER_AUDIENCE = re.compile(r'visibility\\*"\s*:(?!\s*\\*"(?:public|unlisted)\\*")')
_KNOWN_AUDIENCE = re.compile(r'visibility\\*"\s*:')
# A text that never ends reaches to the end of the page, lest it be looked for from every quote in it again.
_JSON_MARK = re.compile(r'"[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z)|[\[\]{},]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what one server says. ``tags`` are the meeting's hashtags, folded."""

    server: str
    arm: Arm
    tags: frozenset[str]
    clock: Callable[[], datetime]

    def status(
        self, text: str, where: str, asked_at: datetime, *, known: bool = False, since: datetime | None = None
    ) -> Received | IfKnown | Unmapped | Private | Skipped:
        """A status that the server shows in answer to a question, true at least when that was asked.

        A stream may have told of an edit before the answer is read, so the time of reading is too late.
        ``known`` ones are ours whatever their hashtags are; those written before ``since`` are skipped.
        """
        value = parsed(text, where)
        if isinstance(value, Unmapped):
            return value
        if since is not None and (written := moment(value.get("created_at"))) and written < since:
            return Skipped("a post from before the time that was asked for")
        return self._item(value, text, where, asked_at, known=known)

    def events(self, lines: Iterable[bytes | Unmapped], where: str) -> Iterator[Signal]:
        """The signals of a stream of events, line by line as it arrives."""
        event = _Event()
        number = 1
        for line in lines:
            place = f"{where}, event {number}"
            if isinstance(line, Unmapped):
                event.damaged = True
                yield unread(line.reason, line.payload or "", place)
            elif line.startswith(b":"):
                yield Heard()
            elif line:
                if problem := event.take(line, place):
                    yield problem
            elif not event.empty:
                yield from self._signal(event, place)
                event = _Event()
                number += 1
        # A connection that breaks between the data and the empty line has told all the same.
        yield from self._signal(event, f"{where}, event {number}")

    def _signal(self, event: _Event, where: str) -> Iterator[Signal]:
        if event.damaged or event.empty:
            return
        if not event.data:
            if event.name not in _OTHER_EVENTS:
                yield unread("an event that carries nothing", event.name, where)
            return
        text = "\n".join(event.data)
        if event.name in _STATUS_EVENTS:
            yield self._streamed(text, where)
        elif event.name == "delete":
            yield self._deletion(text, where)
        elif event.name == "conversation":
            yield Private(where)
        elif event.name in _OTHER_EVENTS:
            yield Skipped(f"an event that is no post: {event.name}")
        else:
            name = event.name if _NAME.fullmatch(event.name) else "no name"
            yield unread(f"an event of a kind that we do not know: {name}", text, where)

    def _streamed(self, text: str, where: str) -> Signal:
        value = parsed(text, where)
        if isinstance(value, Unmapped):
            return value
        return self._item(value, text, where, _true_at(value, self.clock()))

    def _deletion(self, text: str, where: str) -> Signal:
        status_id = text.strip().strip('"')
        if not _ID.fullmatch(status_id):
            return unread("a deletion of something that is no id", text, where)
        return Deleted(status_key(self.server, status_id), SOURCE, self.clock())

    def _item(
        self, status: Status, text: str, where: str, observed_at: datetime, *, known: bool = False
    ) -> Received | IfKnown | Unmapped | Private | Skipped:
        readers = audience(status)
        if readers == "private":
            return Private(where)
        if readers == "unknown":
            reason = "no visibility that we know: it may be private"
            return unread(reason, text, where)
        shown = for_all_eyes(status)
        hidden = shown is not status
        if _is_beyond(status.get("id")):
            return unread("an id beyond 2^63, which no status has", text, where)
        try:
            post = to_post(status, server=self.server, arm=self.arm)
        except MappingError as error:
            return Unmapped(str(error), None, where) if hidden else unread(str(error), text, where)
        item = Received(post, dump(shown) if hidden else text, observed_at, self.clock())
        if known or self._has_tag(status, post):
            return item
        if post.edited_at is not None:
            # The edit may have taken the hashtag away: whoever has the post has to follow it.
            return IfKnown(post.key, item)
        return Skipped("a post without a hashtag of the meeting")

    def _has_tag(self, status: Status, post: Post) -> bool:
        shown = table(status.get("reblog")) or status
        marked = (name for tag in tables(shown.get("tags")) if (name := words(tag.get("name"))))
        return any(folded(tag) in self.tags for tag in (*post.hashtags, *marked))


@dataclass(slots=True)
class _Event:
    """An event as its lines come in."""

    name: str = ""
    data: list[str] = field(default_factory=list)
    size: int = 0
    damaged: bool = False

    @property
    def empty(self) -> bool:
        return not (self.name or self.data or self.damaged)

    def take(self, line: bytes, where: str) -> Unmapped | None:
        """Add a line; what is wrong with it. A damaged event says nothing more."""
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self.damaged = True
            return unread("not UTF-8", line.decode("utf-8", "backslashreplace"), where)
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name not in _FIELDS:
            return unread("a line that belongs to no event", text, where)
        if name == "event":
            self.name = value
        elif name == "data" and not self.damaged:
            self.size += len(value)
            self.data.append(value)
            if self.size > MAX_LINE:
                self.damaged = True
                text = "\n".join(self.data)
                self.data.clear()
                return unread(f"an event of more than {MAX_LINE:,} characters", text, where)
        return None


def parsed(text: str, where: str) -> dict[str, Any] | Unmapped:
    """The JSON object of a status, or why it is none."""
    try:
        value = loads(text, once=True)
    except ValueError as error:
        return unread(f"damaged JSON: {error}", text, where)
    if not isinstance(value, dict):
        return unread("no status", text, where)
    return value


def elements(page: str) -> list[str] | None:
    """The texts of the elements of a JSON array, each as it was sent; None where it is no array.

    It only looks for where they end, so that no element, however damaged, harms another.
    """
    page = page.strip()
    if not page.startswith("["):
        return None
    found = []
    depth, start = 0, 1
    for mark in _JSON_MARK.finditer(page):
        sign = mark[0]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        if (sign == "," and depth == 1) or depth == 0:
            found.append(page[start : mark.start()])
            start = mark.end()
        if depth == 0:
            break
    else:
        found.append(page[start:])
    return [text.strip() for text in found if text.strip()]


def _is_beyond(status_id: Any) -> bool:
    digits = str(status_id)
    return digits.isdecimal() and (len(digits) > 19 or int(digits) > MAX_COUNT)


def unread(reason: str, text: str, where: str) -> Unmapped:
    """An ``Unmapped`` with as much of the text as may be kept, and whose it may be."""
    item = unmapped(reason, keepable(text), where)
    return replace(item, accounts=_accounts(item.payload or ""))


def _accounts(text: str) -> tuple[str, ...]:
    """The accounts that a damaged status names, as far as their home can be told from it."""
    names: set[str] = set()
    for acct in set(_ACCT.findall(text)):
        homes = [""] if "@" in acct else [f"@{host}" for host in _HOST.findall(text)]
        names.update(f"{SOURCE}:{acct}{home}".casefold() for home in homes)
    return tuple(sorted(names))


def keepable(text: str) -> str | None:
    """The payload of something that cannot be read, unless it may have been for few eyes only."""
    if _ANOTHER_AUDIENCE.search(text):
        return None
    return text if _KNOWN_AUDIENCE.search(text) or '"content' not in text else None


def _true_at(status: Status, now: datetime) -> datetime:
    """When that was true which a stream says, for the order of two versions within one second.

    A stream tells of a status as it was when it was written or edited, and may tell late: the real server
    delivers deletions and edits before what they are about. Only a status of another server has an edit
    in whole seconds; of those the order of arrival decides.
    """
    edited_at = moment(status.get("edited_at"))
    if edited_at is not None and edited_at.microsecond == 0:
        return now
    written = edited_at or moment(status.get("created_at"))
    return min(written, now) if written else now
