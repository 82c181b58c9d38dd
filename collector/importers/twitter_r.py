"""Tables of the R package twitteR, written as CSV. Built from its documentation: no real file was found.

``created`` is written without a zone. There are no account ids, and no lists of links or mentions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from archive.vocabulary import Arm, Engagement, Item, Post, Received, hashtags_in
from collector.clocks import as_utc
from collector.importers.base import Context, Head
from collector.importers.plain_csv import local_time
from collector.importers.tabular import Cells, Row, header_of, mapped_rows, number, readable, rows
from collector.mapping import x_ids

NAME = "twitter-r"
TITLE = "twitteR (CSV)"
TRIED = False

_BLANK = frozenset({"NA"})
_NEEDED = {"text", "favoriteCount", "replyToSN", "created", "id", "screenName", "isRetweet"}


def sniff(head: Head) -> bool:
    """A table with twitteR's names."""
    return set(header_of(head)) >= _NEEDED


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a row."""
    arm = context.arm or "public"

    def item(row: Row) -> Item:
        return Received(to_post(row.cells, context, arm), row.raw)

    return mapped_rows(rows(stream, blank=_BLANK), item)


def times(stream: BinaryIO, context: Context) -> Iterator[tuple[str, datetime]]:
    """The ids and local times of the rows that have both."""
    found = rows(stream, blank=_BLANK)
    return readable(found, lambda cells: (cells.get("id", ""), local_time(cells.get("created", ""))))


def to_post(cells: Cells, context: Context, arm: Arm = "public") -> Post:
    """The post in a row."""
    post_id, flags = x_ids.checked_id(cells.get("id"))
    handle = cells.get("screenName")
    text = cells.get("text", "")
    shown = x_ids.shown(text)
    answered = x_ids.optional_id(cells.get("replyToSID"))
    answered_account = cells.get("replyToSN") or x_ids.optional_id(cells.get("replyToUID"))
    kind, kind_among = x_ids.kind_without_quotes(
        repost=cells.get("isRetweet", "").upper() == "TRUE" or x_ids.is_old_repost(text),
        reply=bool(answered or answered_account),
    )
    return Post(
        key=f"{x_ids.SOURCE}:{post_id}",
        source=x_ids.SOURCE,
        platform_id=post_id,
        author=x_ids.account(None, handle),
        text=shown,
        created_at=as_utc(local_time(cells.get("created", "")), context.zone, post_id),
        kind=kind,
        kind_among=kind_among,
        arm=arm,
        reply_to=x_ids.post_key(answered),
        reply_to_account=answered_account,
        hashtags=hashtags_in(text),
        mentions=x_ids.mentions_in(text),
        links=x_ids.links_in(shown),
        url=x_ids.post_url(handle, post_id),
        engagement=Engagement(
            likes=number(cells.get("favoriteCount")), reposts=number(cells.get("retweetCount"))
        ),
        flags=flags,
    )
