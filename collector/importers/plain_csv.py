"""Plain tables ``id, datetime, user, text``: the columns in any order, others beside them left alone.

The times mostly carry no zone (``clocks`` finds it); there is no mark for kinds: a text that begins
``RT @`` is a repost, what the others are is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from archive.vocabulary import AUTHORED, Arm, Item, Post, Received, hashtags_in
from collector.clocks import as_utc
from collector.importers.base import Context, Head
from collector.importers.tabular import Cells, Row, header_of, mapped_rows, readable, rows
from collector.mapping import MappingError, x_ids

NAME = "plain-csv"
TITLE = "plain table id,datetime,user,text (CSV)"
TRIED = True

_BLANK = frozenset({"NA"})
_NAMES = {
    "id": ("id", "id_str", "tweet_id", "status_id"),
    "datetime": ("datetime", "created_at", "timestamp"),
    "user": ("user", "username", "screen_name", "from_user"),
    "text": ("text", "full_text", "tweet"),
}


def sniff(head: Head) -> bool:
    """A table that has the four columns."""
    names = {name.casefold() for name in header_of(head)}
    return all(not names.isdisjoint(known) for known in _NAMES.values())


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a row."""
    arm = context.arm or "public"

    def item(row: Row) -> Item:
        post_id, local, handle, text = _values(row.cells)
        return Received(plain_post(post_id, as_utc(local, context.zone, post_id), handle, text, arm), row.raw)

    return mapped_rows(rows(stream, blank=_BLANK, text=_NAMES["text"]), item)


def times(stream: BinaryIO, context: Context) -> Iterator[tuple[str, datetime]]:
    """The ids and local times of the rows that have both."""
    return readable(rows(stream, blank=_BLANK, text=_NAMES["text"]), lambda cells: _values(cells)[:2])


def plain_post(post_id: str, created_at: datetime, handle: str, text: str, arm: Arm) -> Post:
    """A post of which nothing is known but id, time, handle and text."""
    post_id, flags = x_ids.checked_id(post_id)
    repost = x_ids.is_old_repost(text)
    shown = x_ids.shown(text)
    return Post(
        key=f"{x_ids.SOURCE}:{post_id}",
        source=x_ids.SOURCE,
        platform_id=post_id,
        author=x_ids.account(None, handle),
        text=shown,
        created_at=created_at,
        kind="repost" if repost else None,
        kind_among=() if repost else AUTHORED,
        arm=arm,
        hashtags=hashtags_in(text),
        mentions=x_ids.mentions_in(text),
        links=x_ids.links_in(shown),
        url=x_ids.post_url(handle, post_id),
        flags=flags,
    )


def _values(cells: Cells) -> tuple[str, datetime, str, str]:
    """Id, time, handle and text of a row."""
    by_name = {name.casefold(): cell for name, cell in cells.items()}
    found = {
        wanted: next((by_name[name] for name in names if name in by_name), "")
        for wanted, names in _NAMES.items()
    }
    post_id, _ = x_ids.checked_id(found["id"])
    handle = found["user"].strip().removeprefix("@")
    if not handle:
        raise MappingError("no author")
    return post_id, local_time(found["datetime"]), handle, found["text"]


def local_time(text: str) -> datetime:
    """A time as it is written, with its own offset or without any."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return x_ids.classic_time(text)
