"""The archive sheet of TAGS, saved as CSV.

``created_at`` is trusted; ``time`` is a local clock although it ends in Z. ``entities_str`` is JSON in
a cell. There is no mark for reposts, and none at all for quotes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from archive.vocabulary import Arm, Item, Post, Received, hashtags_in
from collector.importers.base import Context, Head, loads
from collector.importers.tabular import Cells, header_of, mapped_rows, number, rows
from collector.mapping import MappingError, table, tables, words, x_ids

NAME = "tags"
TITLE = "TAGS archive sheet (CSV)"
TRIED = True

_BLANK = frozenset({"NA"})
_NEEDED = {"id_str", "from_user", "text", "created_at"}


def sniff(head: Head) -> bool:
    """A table with the names of TAGS."""
    return set(header_of(head)) >= _NEEDED


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a row."""
    arm = context.arm or "public"
    return mapped_rows(rows(stream, blank=_BLANK), lambda row: Received(to_post(row.cells, arm=arm), row.raw))


def to_post(cells: Cells, *, arm: Arm = "public") -> Post:
    """The post in a row."""
    post_id, flags = x_ids.checked_id(cells.get("id_str"))
    handle = cells.get("from_user")
    text = cells.get("text", "")
    entities = _entities(cells.get("entities_str"))
    answered = x_ids.optional_id(cells.get("in_reply_to_status_id_str"))
    answered_account = cells.get("in_reply_to_screen_name") or x_ids.optional_id(
        cells.get("in_reply_to_user_id_str")
    )
    kind, kind_among = x_ids.kind_without_quotes(
        repost=x_ids.is_old_repost(text), reply=bool(answered or answered_account)
    )
    return Post(
        key=f"{x_ids.SOURCE}:{post_id}",
        source=x_ids.SOURCE,
        platform_id=post_id,
        author=x_ids.account(
            x_ids.optional_id(cells.get("from_user_id_str")),
            handle,
            location=cells.get("user_location"),
            followers=number(cells.get("user_followers_count")),
        ),
        text=x_ids.shown(text),
        created_at=_time(cells.get("created_at"), post_id),
        kind=kind,
        kind_among=kind_among,
        arm=arm,
        reply_to=x_ids.post_key(answered),
        reply_to_account=answered_account,
        hashtags=hashtags_in(text),
        mentions=x_ids.mentions_in(text) if entities is None else _mentions(entities),
        links=x_ids.links_in(x_ids.shown(text)) if entities is None else _links(entities, post_id),
        url=x_ids.post_url(handle, post_id),
        flags=flags,
    )


def _time(text: str | None, post_id: str) -> datetime:
    try:
        return x_ids.classic_time(text)
    except MappingError:
        if (inside := x_ids.time_of_id(post_id)) is None:
            raise
        return inside.replace(microsecond=0)


def _entities(cell: str | None) -> Mapping[str, Any] | None:
    """The entities of a post; None where the cell is missing or was cut off."""
    try:
        return table(loads(cell)) if cell else None
    except ValueError:
        return None


def _mentions(entities: Mapping[str, Any]) -> tuple[str, ...]:
    names = (words(item.get("screen_name")) for item in tables(entities.get("user_mentions")))
    return x_ids.once(name for name in names if name)


def _links(entities: Mapping[str, Any], post_id: str) -> tuple[str, ...]:
    addresses = (words(item.get("expanded_url") or item.get("url")) for item in tables(entities.get("urls")))
    return x_ids.links((address for address in addresses if address), post_id)
