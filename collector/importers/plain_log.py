"""The log that the command line client ``t`` prints: id, local time without a year, handle, text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from archive.vocabulary import Item, Received, Unmapped
from collector.clocks import as_utc
from collector.importers.base import Context, Head, text_lines, unmapped
from collector.importers.plain_csv import plain_post
from collector.mapping import MappingError, x_ids

NAME = "plain-log"
TITLE = "text log of the t command line client"
TRIED = True

_LINE = re.compile(
    r"(?P<id>[0-9]\S*) +(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2}) +"
    r"(?:(?P<hour>\d\d):(?P<minute>\d\d)|(?P<year>\d{4})) +@(?P<user>\w+) +(?P<text>.*)"
)


def sniff(head: Head) -> bool:
    """A first line of the log's form."""
    line = head.text.lstrip().partition("\n")[0].rstrip("\r")
    return bool(_LINE.fullmatch(line)) and "@" in line


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a line."""
    for number, line in enumerate(text_lines(stream), start=1):
        if isinstance(line, Unmapped):
            yield line
        elif line.strip():
            yield _item(line.rstrip("\r\n"), f"line {number}", context)


def times(stream: BinaryIO, context: Context) -> Iterator[tuple[str, datetime]]:
    """The ids and local times of the lines that have both."""
    for line in text_lines(stream):
        match = None if isinstance(line, Unmapped) else _LINE.fullmatch(line.rstrip("\r\n"))
        if match and match["hour"]:
            try:
                yield match["id"], _local(match, context)
            except MappingError:
                continue


def _item(line: str, where: str, context: Context) -> Item:
    match = _LINE.fullmatch(line)
    if not match:
        return unmapped("no line of the form: id, month, day, time, @handle, text", line, where)
    try:
        created_at = as_utc(_local(match, context), context.zone, match["id"])
        post = plain_post(match["id"], created_at, match["user"], match["text"], context.arm or "public")
    except MappingError as error:
        return unmapped(str(error), line, where)
    return Received(post, line)


def _local(match: re.Match[str], context: Context) -> datetime:
    """The local time of a line, in the year that comes nearest to its id's own time, else to ``--date``."""
    near = context.date or context.meeting.starts.date()
    inside = x_ids.time_of_id(match["id"])
    if inside is not None and context.date is None:
        near = inside.date()
    years = [int(match["year"])] if match["year"] else [near.year - 1, near.year, near.year + 1]
    found = []
    for year in years:
        try:
            found.append(
                datetime(  # noqa: DTZ001 - the zone is what is not known
                    year,
                    x_ids.MONTHS[match["month"]],
                    int(match["day"]),
                    int(match["hour"] or 0),
                    int(match["minute"] or 0),
                )
            )
        except (KeyError, ValueError):
            continue
    if not found:
        raise MappingError(f"no date: {match['month']} {match['day']}")
    return min(found, key=lambda moment: abs(moment.date() - near))
