"""Tables of the R package rtweet, written as CSV: 88 columns (0.6), or 35 with other names (0.4).

Ids carry an ``x`` in front so that spreadsheets leave them alone; the cells of list columns are joined
by a space; what is missing is empty or ``NA``. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from archive.vocabulary import Arm, Engagement, Item, Post, Received, hashtags_in
from collector.importers.base import Context, Head
from collector.importers.tabular import Cells, header_of, mapped_rows, number, rows
from collector.mapping import MappingError, x_ids

NAME = "rtweet"
TITLE = "rtweet (CSV)"
TRIED = True

_BLANK = frozenset({"NA", "NA NA", "NA NA NA NA NA NA NA NA"})
#: The names of 0.6, with those of 0.4 where they differ.
_OLD_NAMES = {
    "reply_to_status_id": "in_reply_to_status_status_id",
    "reply_to_user_id": "in_reply_to_status_user_id",
    "reply_to_screen_name": "in_reply_to_status_screen_name",
    "is_quote": "is_quote_status",
    "quoted_status_id": "quote_status_id",
    "urls_expanded_url": "urls_expanded",
}
_NEEDED = {"status_id", "screen_name", "created_at", "text", "is_retweet"}


def sniff(head: Head) -> bool:
    """A table with rtweet's names."""
    return set(header_of(head)) >= _NEEDED


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a row."""
    arm = context.arm or "public"
    return mapped_rows(rows(stream, blank=_BLANK), lambda row: Received(to_post(row.cells, arm=arm), row.raw))


def to_post(cells: Cells, *, arm: Arm = "public") -> Post:
    """The post in a row."""
    post_id, flags = x_ids.checked_id(_bare(cells.get("status_id")))
    handle = cells.get("screen_name")
    text = cells.get("text", "")
    passed_on = cells.get("retweet_text")
    reposted = _bare(cells.get("retweet_status_id"))
    answered, answered_id = _cell(cells, "reply_to_status_id"), _cell(cells, "reply_to_user_id")
    answered_account = _cell(cells, "reply_to_screen_name") or _bare(answered_id)
    return Post(
        key=f"{x_ids.SOURCE}:{post_id}",
        source=x_ids.SOURCE,
        platform_id=post_id,
        author=x_ids.account(
            x_ids.optional_id(_bare(cells.get("user_id"))),
            handle,
            name=cells.get("name"),
            description=cells.get("description"),
            location=cells.get("location"),
            followers=number(cells.get("followers_count")),
        ),
        text=x_ids.shown(text),
        created_at=x_ids.iso_time(cells.get("created_at")),
        kind=x_ids.kind_of(
            repost=_is(cells, "is_retweet"),
            reply=bool(answered or answered_account),
            quote=_is(cells, "is_quote"),
        ),
        language=cells.get("lang"),
        arm=arm,
        reply_to=_key(answered),
        reply_to_account=answered_account,
        repost_of=_key(reposted),
        repost_account=cells.get("retweet_screen_name"),
        quote_of=_key(_cell(cells, "quoted_status_id")),
        hashtags=hashtags_in(passed_on or text),
        mentions=_list(cells.get("mentions_screen_name")),
        links=x_ids.links(_list(_cell(cells, "urls_expanded_url")), post_id, reposted),
        url=x_ids.post_url(handle, post_id),
        engagement=Engagement(
            likes=number(cells.get("favorite_count")), reposts=number(cells.get("retweet_count"))
        ),
        flags=flags,
    )


def _cell(cells: Cells, name: str) -> str | None:
    return cells.get(name) or cells.get(_OLD_NAMES[name])


def _is(cells: Cells, name: str) -> bool:
    value = (cells.get(name) or cells.get(_OLD_NAMES.get(name, name), "")).upper()
    if value not in ("TRUE", "FALSE", ""):
        raise MappingError(f"{name} is neither TRUE nor FALSE: {value[:40]!r}")
    return value == "TRUE"


def _bare(post_id: str | None) -> str | None:
    return post_id.removeprefix("x") if post_id else None


def _key(post_id: str | None) -> str | None:
    return x_ids.post_key(x_ids.optional_id(_bare(post_id)))


def _list(cell: str | None) -> tuple[str, ...]:
    return x_ids.once(item for item in cell.split(" ") if item and item != "NA") if cell else ()
