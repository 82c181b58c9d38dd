"""Zoom: the chat as saved from a meeting, in the forms of 2020, 2022-23 and 2025-26."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import BinaryIO

from archive.errors import InputError
from archive.vocabulary import Item, Post, Private, Received, Skipped, Unmapped
from collector.importers.base import Context, Head, dump, text_lines, unmapped
from collector.mapping import MappingError
from collector.mapping.chat import Message, Ordinals, to_post
from collector.mapping.zoom import Body, Header, body_of, header_of

NAME = "zoom"
TITLE = "Zoom saved chat (text)"
TRIED = True

_FIRST_LINES = re.compile(r"^(?:\d{4}-\d\d-\d\d[ T])?\d{1,2}:\d\d:\d\d[ \t]+From[ \t].*:", re.MULTILINE)
_HALF_DAY = timedelta(hours=12)
_HEADER_BEGINS = re.compile(r"\d[\d:. T-]*\s*F?r?o?m?\s*")
_REACTIONS = ("Reacted to", "Removed a")
_QUOTE = 12  # characters by which a quoted message is looked up; Zoom quotes about twenty
_ALIKE = 200  # beyond so many messages that begin alike, none is told from the others


def sniff(head: Head) -> bool:
    """One of the first lines is a header: a time, From, a name and a colon."""
    return _FIRST_LINES.search(head.text[:4000]) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each message as a post. Private ones are counted; those that may be leave only their reason.

    InputError where neither the file, the context nor a meeting of one day tells the date.
    """
    tail = Tail(context)
    yield from tail.feed(text_lines(stream))
    yield from tail.unfinished()


class Tail:
    """A chat read while it is being written: lines go in as they come, messages come out as they end."""

    def __init__(self, context: Context) -> None:
        self._cutter = _Cutter()
        self._reader = _Reader(context)

    def feed(self, lines: Iterable[str | Unmapped]) -> Iterator[Item]:
        """The items of the messages that these lines end. Raises InputError, as ``read`` does."""
        for line in lines:
            for block in self._cutter.take(line):
                yield self._reader.finished(block)

    def unfinished(self, half: str | None = None) -> list[Item]:
        """The items of what may still grow, with a last line that has not ended yet; nothing is taken in.

        A half line that may become the header of another message is left out: it belongs to nobody yet.
        """
        # Half a line goes to a copy of the open message; the message itself waits for the whole line.
        cutter = self._cutter.copy()
        ended = list(cutter.take(half)) if half and not _HEADER_BEGINS.fullmatch(half) else []
        return self._reader.ahead([*ended, *cutter.rest()])

    def may_turn(self, item: Item) -> bool:
        """Whether what is unfinished may still turn out to be no post: a reaction, cut off."""
        text = item.post.text if isinstance(item, Received) else ""
        return bool(text) and any(text.startswith(mark) or mark.startswith(text) for mark in _REACTIONS)


@dataclass(slots=True)
class _Block:
    """A header with the lines that follow it."""

    header: Header
    where: str
    lines: list[str]


@dataclass
class _Cutter:
    """Cuts lines into messages; the last one stays open, for it may go on."""

    block: _Block | None = None
    number: int = 0

    def take(self, line: str | Unmapped) -> Iterator[_Block | Unmapped]:
        """What ends where this line begins."""
        self.number += 1
        where = f"line {self.number}"
        if isinstance(line, Unmapped):
            yield from self.rest()
            yield Unmapped(line.reason, None, where)
            self.block = _Block(Header(None, None, "unknown"), where, [])
            return
        line = line.rstrip("\r\n")
        header = header_of(line)
        if header is None and self.block is None and line.strip():
            header = Header(None, None, "unknown")
        if header is not None:
            yield from self.rest()
            self.block = _Block(header, where, [header.text])
        elif self.block is not None:
            self.block.lines.append(line.removeprefix("\t"))

    def copy(self) -> _Cutter:
        """One that goes on from here by itself."""
        block = self.block and replace(self.block, lines=self.block.lines.copy())
        return _Cutter(block, self.number)

    def rest(self) -> Iterator[_Block]:
        """The message that is still open."""
        if self.block is not None:
            yield self.block


@dataclass
class _Reader:
    """The memory of a chat while it is read: the day, and what was said before."""

    context: Context
    ordinals: Ordinals = field(default_factory=Ordinals)
    said: dict[str, list[Post]] = field(default_factory=dict)
    day: date | None = None
    last: datetime | None = None

    def finished(self, block: _Block | Unmapped) -> Item:
        """The item of a message, which is remembered from now on."""
        return block if isinstance(block, Unmapped) else self._item(block)

    def ahead(self, blocks: Iterable[_Block | Unmapped]) -> list[Item]:
        """The items of messages in a row, of which nothing is remembered afterwards."""
        day, last = self.day, self.last
        items = [self.finished(block) for block in blocks]
        for item in reversed(items):
            if isinstance(item, Received):
                self._forget(item.post)
        self.day, self.last = day, last
        return items

    def _forget(self, post: Post) -> None:
        """Take back the newest message."""
        self.ordinals.take_back(post.created_at, post.author.key.removeprefix(f"{NAME}:"))
        start = post.text[:_QUOTE]
        if self.said[start][-1] is post:
            self.said[start].pop()
        if not self.said[start]:
            del self.said[start]

    def _item(self, block: _Block) -> Item:
        header = block.header
        if header.audience == "private":
            return Private(block.where)
        if header.audience == "unknown":
            return Unmapped("it cannot be said to whom this went, so it is not kept", None, block.where)
        text = "\n".join(block.lines)
        if header.at is None:
            return unmapped("a time or date that does not exist", f"{header.name}: {text}", block.where)
        at = self._moment(header, header.at)
        body = body_of(text, dated=header.dated)
        if body.is_reaction:
            return Skipped("reaction")
        if not body.text and body.quoted is None:
            return Skipped("empty message")
        try:
            post = self._post(header, body, at)
            if body.quoted is not None and post.reply_to is None:
                text = body.text  # what it quotes may have been private
        except (MappingError, OverflowError) as error:
            return unmapped(str(error), text, block.where)
        raw = {"at": f"{at:%Y-%m-%d %H:%M:%S}", "from": header.name, "text": text}
        return Received(post, dump(raw))

    def _post(self, header: Header, body: Body, at: datetime) -> Post:
        answered = self._answered(body.quoted)
        message = Message(
            name=header.name,
            text=body.text,
            at=at.astimezone(UTC),
            kind="original" if body.quoted is None else "reply",
            reply_to=answered.key if answered else None,
            reply_to_account=answered.author.name if answered else None,
            flags=("to_panelists",) if header.audience == "panelists" else (),
        )
        post = to_post(NAME, message, self.ordinals, arm=self.context.arm or "remote")
        alike = self.said.setdefault(post.text[:_QUOTE], [])
        if len(alike) <= _ALIKE:
            alike.append(post)
        return post

    def _answered(self, quoted: str | None) -> Post | None:
        """The only message so far that begins as quoted."""
        if quoted is None:
            return None
        alike = self.said.get(quoted[:_QUOTE].removesuffix("..."), [])
        start = quoted.removesuffix("...")
        if start == quoted:
            found = [post for post in alike if post.text == quoted]
        else:
            found = [post for post in alike if post.text.startswith(start)]
        return found[0] if len(found) == 1 and len(alike) <= _ALIKE else None

    def _moment(self, header: Header, at: time) -> datetime:
        """The time of a message in the chat's zone; a clock that falls back half a day passed midnight."""
        zone = self.context.zone or self.context.meeting.zone
        if header.day is not None:
            self.day = header.day
        elif self.day is None:
            self.day = self.context.date or _only_day(self.context)
        moment = datetime.combine(self.day, at, zone)
        if header.day is None and self.last is not None and self.last - moment > _HALF_DAY:
            self.day += timedelta(days=1)
            moment = datetime.combine(self.day, at, zone)
        self.last = moment
        return moment


def _only_day(context: Context) -> date:
    meeting = context.meeting
    first = meeting.starts.astimezone(meeting.zone).date()
    last = (meeting.ends - timedelta(microseconds=1)).astimezone(meeting.zone).date()
    if first != last:
        raise InputError(
            f"{context.file}: the chat has no date and the meeting lasts several days; "
            f"say which day it is, for example --date {first.isoformat()}"
        )
    return first
