"""YouTube live chat, as chat-downloader saves it: JSON, CSV or text.

The text has no times but the position in the stream; it needs a date, and takes the stream to begin
with the first session of that day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast

from archive.errors import InputError
from archive.vocabulary import Item, Received, Skipped, Unmapped
from collector.importers.base import (
    HEAD_BYTES,
    Context,
    Head,
    Record,
    dump,
    head_of,
    json_records,
    mapped,
    text_lines,
    unmapped,
)
from collector.importers.lines import Rejoined
from collector.importers.tabular import Row, header_of, mapped_rows, rows
from collector.mapping import MappingError, table, words
from collector.mapping.chat import Message, Ordinals, to_post

NAME = "youtube"
TITLE = "YouTube live chat of chat-downloader (JSON, CSV, text)"
TRIED = True

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINE = re.compile(
    r"\[(?P<sign>-?)(?:(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,2}):(?P<seconds>\d\d)\] "
    r"(?P<name>.+?): (?P<text>.*)",
    re.DOTALL,
)
_COLUMNS = {"timestamp", "author", "message"}
_KEYS = ("timestamp", "author", "message")
_WORDLESS = Skipped("a message without words")  # a sticker, a new member

Take = Callable[[Message, str], Item]


def sniff(head: Head) -> bool:
    """Rows or objects with a timestamp, an author and a message; or lines ``[h:mm:ss] name: text``."""
    text = head.text.lstrip()
    if _LINE.match(text):
        return True
    if text.startswith(("[", "{")):
        return '"time_text"' in text and all(f'"{name}"' in text for name in _KEYS)
    return set(header_of(head)) >= _COLUMNS


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each message as a post. InputError where the text form comes without a date."""
    ordinals = Ordinals()
    arm = context.arm or "remote"

    def take(message: Message, raw: str) -> Item:
        return Received(to_post(NAME, message, ordinals, arm=arm), raw)

    beginning = stream.read(HEAD_BYTES)
    stream = cast(BinaryIO, Rejoined(beginning, stream))
    text = head_of(beginning).text.lstrip()
    if _LINE.match(text):
        yield from _from_lines(stream, _stream_start(context), take)
    elif text.startswith(("[", "{")):
        yield from mapped(json_records(stream), lambda record: _from_json(record, take))
    else:
        yield from mapped_rows(rows(stream, text=("message",)), lambda row: _from_row(row, take))


def _from_json(record: Record, take: Take) -> Item:
    chat = table(record.value)
    if "message" in chat and not chat["message"]:
        return _WORDLESS
    author = table(chat.get("author"))
    message = Message(
        name=words(author.get("name")) or words(chat.get("author")) or "",
        text=_message(chat.get("message")),
        at=_moment(chat.get("timestamp")),
        id=words(chat.get("message_id")),
        author_id=words(author.get("id")) or words(chat.get("author_id")),
    )
    return take(message, record.raw)


def _from_row(row: Row, take: Take) -> Item:
    cells = row.cells
    if "message" not in cells:
        return _WORDLESS
    message = Message(
        name=cells.get("author", ""),
        text=cells["message"],
        at=_moment(cells.get("timestamp")),
        id=cells.get("message_id"),
        author_id=cells.get("author_id"),
    )
    return take(message, row.raw)


def _from_lines(stream: BinaryIO, start: datetime, take: Take) -> Iterator[Item]:
    """A message for every line that begins with a position; other lines go on with the one before."""
    held: list[str] = []
    held_at = 0
    for number, line in enumerate(text_lines(stream), 1):
        if isinstance(line, Unmapped):
            yield line
        elif _LINE.match(line):
            if held:
                yield _from_line("".join(held), f"line {held_at}", start, take)
            held, held_at = [line], number
        elif held:
            held.append(line)
        elif line.strip():
            yield unmapped("no position in the stream, as in [1:02:03] name: text", line, f"line {number}")
    if held:
        yield _from_line("".join(held), f"line {held_at}", start, take)


def _from_line(text: str, where: str, start: datetime, take: Take) -> Item:
    match = _LINE.match(text.rstrip("\r\n"))
    if match is None:
        return unmapped("no position in the stream", text, where)
    position = timedelta(
        hours=int(match["hours"] or 0), minutes=int(match["minutes"]), seconds=int(match["seconds"])
    )
    at = start - position if match["sign"] else start + position
    # Which moment the stream began is taken for granted, so every time is.
    message = Message(name=match["name"], text=match["text"], at=at, flags=("clock",))
    try:
        return take(message, dump({"line": text.rstrip("\r\n")}))
    except MappingError as error:
        return unmapped(str(error), text, where)


def _stream_start(context: Context) -> datetime:
    meeting = context.meeting
    if context.date is None:
        raise InputError(
            f"{context.file}: a chat saved as text has only positions in the stream; say which day it was "
            "with --date (the stream is taken to begin with that day's first session), "
            "or import the chat saved as JSON or CSV"
        )
    zone = context.zone or meeting.zone
    starts = [meeting.starts, *(session.starts for session in meeting.sessions)]
    that_day = [start for start in starts if start.astimezone(zone).date() == context.date]
    if not that_day:
        raise InputError(f"{context.file}: on {context.date} neither the meeting nor a session begins")
    return min(that_day)


def _message(value: Any) -> str:
    if not isinstance(value, str):
        raise MappingError("message is missing")
    return value


def _moment(value: Any) -> datetime:
    """The time behind microseconds since 1970, as a number or as text."""
    digits = value if isinstance(value, str) else str(value)
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18 or isinstance(value, bool):
        raise MappingError("timestamp is no number of microseconds")
    try:
        return _EPOCH + timedelta(microseconds=int(digits))
    except OverflowError:
        raise MappingError("timestamp is beyond all calendars") from None
