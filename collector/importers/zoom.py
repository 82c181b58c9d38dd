"""Zoom: the chat as saved from a meeting, in the forms of 2020, 2022-23 and 2025-26."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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
_QUOTE = 12  # characters by which a quoted message is looked up; Zoom quotes about twenty
_ALIKE = 200  # beyond so many messages that begin alike, none is told from the others


def sniff(head: Head) -> bool:
    """One of the first lines is a header: a time, From, a name and a colon."""
    return _FIRST_LINES.search(head.text[:4000]) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each message as a post. Private ones are counted; those that may be leave only their reason.

    InputError where neither the file, the context nor a meeting of one day tells the date.
    """
    reader = _Reader(context)
    for block in _blocks(text_lines(stream)):
        yield block if isinstance(block, Unmapped) else reader.item(block)


@dataclass(slots=True)
class _Block:
    """A header with the lines that follow it."""

    header: Header
    where: str
    lines: list[str]


def _blocks(lines: Iterable[str | Unmapped]) -> Iterator[_Block | Unmapped]:
    block: _Block | None = None
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        if isinstance(line, Unmapped):
            if block is not None:
                yield block
            yield Unmapped(line.reason, None, where)
            block = _Block(Header(None, None, "unknown"), where, [])
            continue
        line = line.rstrip("\r\n")
        header = header_of(line)
        if header is None and block is None and line.strip():
            header = Header(None, None, "unknown")
        if header is not None:
            if block is not None:
                yield block
            block = _Block(header, where, [header.text])
        elif block is not None:
            block.lines.append(line.removeprefix("\t"))
    if block is not None:
        yield block


@dataclass
class _Reader:
    """The memory of a chat while it is read: the day, and what was said before."""

    context: Context
    ordinals: Ordinals = field(default_factory=Ordinals)
    said: dict[str, list[Post]] = field(default_factory=dict)
    day: date | None = None
    last: datetime | None = None

    def item(self, block: _Block) -> Item:
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
